import { withAudit } from '../../../engine/audit/with-audit.ts';
import { addBatch, addMedia, addPlace, addSubject } from '../../../engine/series/add.ts';
import { addCamera } from '../../../engine/series/add-camera.ts';
import type { ChangedBy } from '../../../engine/series/change.ts';
import { mergeSeries, type SameSubject, splitSeries } from '../../../engine/series/combine.ts';
import { createSeries, setVictimIdentified } from '../../../engine/series/create.ts';
import type { SeriesName } from '../../../engine/series/find-series.ts';
import type { BatchName } from '../../../engine/series/known-media.ts';
import { linkSeries, unlinkSeries } from '../../../engine/series/link.ts';
import { undoChange } from '../../../engine/series/undo.ts';
import type { Db } from '../../../engine/store/db.ts';
import type { AuditOperation } from '../../../schemas/audit.ts';
import { HomewardError } from '../../../schemas/error.ts';
import type { FaceName, SeriesChanged, SubjectKind, VictimIdentified } from '../../../schemas/series.ts';
import { auditActOf } from '../../compose/audit-act.ts';
import { withDatabase } from '../../compose/open-database.ts';
import { type CliContext, type CommonOptions, configFor, printLine } from '../context.ts';

export interface ChangeOptions extends CommonOptions {
  readonly source?: string;
  readonly reason?: string;
  readonly json?: true;
}
export interface AddOptions extends ChangeOptions {
  readonly media?: readonly string[];
  readonly subject?: string;
  readonly kind?: SubjectKind;
  readonly face?: readonly FaceName[];
  readonly place?: string;
  readonly camera?: string;
  readonly bodySerial?: string;
  readonly lensSerial?: string;
  readonly make?: string;
  readonly model?: string;
  readonly from?: string;
  readonly batch?: string;
  readonly fromBatch?: string;
}
export interface SplitOptions extends ChangeOptions {
  readonly into: string;
  readonly media?: readonly string[];
  readonly subject?: readonly string[];
  readonly place?: readonly string[];
  readonly camera?: readonly string[];
}

type Change = (db: Db, by: ChangedBy) => Promise<SeriesChanged>;

export async function create(context: CliContext, name: string, options: ChangeOptions): Promise<void> {
  await change(context, options, 'alteration', 'series create', (db, by) =>
    createSeries(db, by, { name, source: options.source }),
  );
}

export async function add(context: CliContext, name: string, options: AddOptions): Promise<void> {
  const asked = { name, source: options.source };
  await change(context, options, 'alteration', 'series add', addition(asked, options));
}

/** What of the several things that can be added is meant; anything that does not go with it is refused, not ignored. */
function addition(asked: SeriesName, options: AddOptions): Change {
  const { subject, place, camera, media, face } = options;
  if (subject !== undefined) {
    refuseOthers(options, 'subject', ['kind', 'face']);
    return (db, by) => addSubject(db, by, asked, { reference: subject, kind: options.kind, faces: face ?? [] });
  }
  if (place !== undefined) {
    refuseOthers(options, 'place', ['media']);
    return (db, by) => addPlace(db, by, asked, { reference: place, media: media ?? [] });
  }
  if (camera !== undefined) {
    const { from } = options;
    refuseOthers(options, 'camera', from === undefined ? ['bodySerial', 'lensSerial', 'make', 'model'] : ['from']);
    if (from !== undefined) return (db, by) => addCamera(db, by, asked, { reference: camera, fromSha256: from });
    return (db, by) =>
      addCamera(db, by, asked, {
        reference: camera,
        make: options.make ?? null,
        model: options.model ?? null,
        bodySerial: options.bodySerial ?? null,
        lensSerial: options.lensSerial ?? null,
      });
  }
  const batch = batchOf(options);
  if (batch !== null) {
    refuseOthers(options, options.batch === undefined ? 'fromBatch' : 'batch', []);
    return (db, by) => addBatch(db, by, asked, batch);
  }
  refuseOthers(options, 'media', []);
  if (media === undefined) {
    throw new HomewardError(
      'HW_USAGE',
      'expected what to add to the series, received nothing; give --media, --subject, --place, --camera, --batch or --from-batch',
    );
  }
  return (db, by) => addMedia(db, by, asked, media);
}

const ADD_OPTIONS = [
  'media',
  'subject',
  'kind',
  'face',
  'place',
  'camera',
  'bodySerial',
  'lensSerial',
  'make',
  'model',
  'from',
  'batch',
  'fromBatch',
] as const;

function refuseOthers(
  options: AddOptions,
  what: (typeof ADD_OPTIONS)[number],
  goWith: readonly (typeof ADD_OPTIONS)[number][],
): void {
  const other = ADD_OPTIONS.find((name) => name !== what && !goWith.includes(name) && options[name] !== undefined);
  if (other === undefined) return;
  throw new HomewardError(
    'HW_USAGE',
    `expected ${[what, ...goWith].map(flag).join(', ')} and nothing else that is added, received ${flag(other)} too; one command adds one thing`,
  );
}

const flag = (name: string): string => `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

function batchOf(options: AddOptions): BatchName | null {
  if (options.batch !== undefined) return { batchId: options.batch };
  return options.fromBatch === undefined ? null : { caseAndExhibit: options.fromBatch };
}

export async function identified(
  context: CliContext,
  name: string,
  said: VictimIdentified,
  options: ChangeOptions,
): Promise<void> {
  await change(context, options, 'alteration', 'series identified', (db, by) =>
    setVictimIdentified(db, by, { name, source: options.source }, said),
  );
}

export async function link(
  context: CliContext,
  name: string,
  options: ChangeOptions & { readonly with: string; readonly withSource?: string },
): Promise<void> {
  await change(context, options, 'combination', 'series link', (db, by) =>
    linkSeries(
      db,
      { ...by, reason: options.reason ?? '' },
      { name, source: options.source },
      { name: options.with, source: options.withSource },
    ),
  );
}

export async function unlink(
  context: CliContext,
  name: string,
  options: ChangeOptions & { readonly with: string; readonly withSource?: string },
): Promise<void> {
  await change(context, options, 'alteration', 'series unlink', (db, by) =>
    unlinkSeries(db, by, { name, source: options.source }, { name: options.with, source: options.withSource }),
  );
}

export async function merge(
  context: CliContext,
  name: string,
  options: ChangeOptions & {
    readonly into: string;
    readonly intoSource?: string;
    readonly samePerson?: readonly SameSubject[];
  },
): Promise<void> {
  await change(context, options, 'combination', 'series merge', (db, by) =>
    mergeSeries(
      db,
      by,
      { name, source: options.source },
      { name: options.into, source: options.intoSource },
      options.samePerson,
    ),
  );
}

export async function split(context: CliContext, name: string, options: SplitOptions): Promise<void> {
  await change(context, options, 'alteration', 'series split', (db, by) =>
    splitSeries(db, by, { name, source: options.source }, options.into, {
      media: options.media ?? [],
      subjects: options.subject ?? [],
      places: options.place ?? [],
      cameras: options.camera ?? [],
    }),
  );
}

export async function undo(
  context: CliContext,
  name: string,
  options: ChangeOptions & { readonly change?: number },
): Promise<void> {
  await change(context, options, 'alteration', 'series undo', (db, by) =>
    undoChange(db, by, { name, source: options.source }, options.change ?? null),
  );
}

async function change(
  context: CliContext,
  options: ChangeOptions,
  operation: AuditOperation,
  action: string,
  work: Change,
): Promise<void> {
  const { config } = await configFor(context, options);
  const because = options.reason === undefined ? {} : { reason: options.reason };
  const changed = await withDatabase(
    config,
    async (db) =>
      await withAudit(
        db,
        auditActOf(config, operation, action, options.reason === undefined ? {} : { justification: options.reason }),
        async () => {
          const result = await work(db, { actor: config.actor, organisation: config.organisation, ...because });
          return { result, objects: objectsOf(result) };
        },
      ),
  );
  if (options.json) printLine(context, JSON.stringify(changed, null, 2));
  else for (const line of changedText(changed)) printLine(context, line);
}

function objectsOf(changed: SeriesChanged): string[] {
  const part = partText(changed);
  return [
    `series ${changed.seriesId}`,
    ...(part === null ? [] : [part]),
    ...(changed.changeId === null ? [] : [`series change ${changed.changeId}`]),
  ];
}

/** What the number of a part is the number of, by what was done. */
function partText({ action, partId }: SeriesChanged): string | null {
  if (partId === null) return null;
  if (action === 'add subject' || action === 'add faces') return `subject ${partId}`;
  if (action === 'add place') return `place ${partId}`;
  if (action === 'add camera') return `camera ${partId}`;
  return action === 'link' || action === 'unlink' ? `series link ${partId}` : `series ${partId}`;
}

function changedText(changed: SeriesChanged): string[] {
  const part = partText(changed);
  const notes = [
    ...(changed.leftOut > 0 ? [`  ${changed.leftOut} contents left out: no picture and no video`] : []),
    ...(changed.evidenceWithdrawn > 0
      ? [`  ${changed.evidenceWithdrawn} pieces of evidence withdrawn: what they rested on is not there any more`]
      : []),
  ];
  const head = `series ${changed.seriesId}${part === null ? '' : `, ${changed.created ? 'new ' : ''}${part}`}`;
  if (changed.changeId === null) return [`Nothing to change in ${head}: everything was there already.`, ...notes];
  const counts = [
    ...(changed.changed > 0 ? [`${changed.changed} changed`] : []),
    ...(changed.unchanged > 0 ? [`${changed.unchanged} there already`] : []),
  ];
  return [
    `Change ${changed.changeId} (${changed.action}): ${head}${counts.length === 0 ? '' : `: ${counts.join(', ')}`}`,
    ...notes,
  ];
}
