import { withAudit } from '../../../engine/audit/with-audit.ts';
import { listSeries } from '../../../engine/series/series.ts';
import { showSeries } from '../../../engine/series/show.ts';
import type { SeriesDetail } from '../../../schemas/series.ts';
import { auditActOf } from '../../compose/audit-act.ts';
import { withDatabase } from '../../compose/open-database.ts';
import { createMask, type Mask, newMaskKey } from '../../report/mask.ts';
import { neutralise } from '../../report/neutralise.ts';
import { type CliContext, type CommonOptions, configFor, printLine } from '../context.ts';

export interface SeriesShowOptions extends CommonOptions {
  readonly json?: true;
  readonly reveal?: true;
  readonly source?: string;
}

/** Of the history; --json has more. */
const CHANGES_SHOWN = 10;

export async function list(context: CliContext, options: SeriesShowOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const found = await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'consultation', 'series list', options), async () => ({
        result: await listSeries(db),
        objects: [],
      })),
  );
  const mask = createMask({ reveal: options.reveal ?? false, key: newMaskKey() });
  if (options.json) {
    printLine(context, JSON.stringify(found, null, 2));
    return;
  }
  if (found.length === 0) {
    printLine(
      context,
      'No series yet. Make one with homeward series create NAME, or get them with a hash set: homeward hashset import FILE --source NAME',
    );
  }
  for (const series of found) {
    const own = `${series.media} contents of our own, ${series.subjects} subjects, `;
    const merged = series.mergedInto === null ? '' : `; merged into series ${series.mergedInto}`;
    printLine(
      context,
      `${mask.words('series', series.name)}  from ${neutralise(series.source)}: ${series.records} records, ${series.media + series.subjects > 0 ? own : ''}${series.matchedMedia} contents matched${merged}`,
    );
  }
}

export async function show(context: CliContext, name: string, options: SeriesShowOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const series = await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'consultation', 'series show', options), async () => {
        const result = await showSeries(db, name, options.source);
        return { result, objects: result.map((one) => `series ${one.seriesId}`) };
      }),
  );
  if (options.json) {
    printLine(context, JSON.stringify(series, null, 2));
    return;
  }
  const mask = createMask({ reveal: options.reveal ?? false, key: newMaskKey() });
  for (const one of series) for (const line of seriesText(one, mask)) printLine(context, line);
}

/** Lines of one series; another source's series of the same name has lines of its own, and neither corrects the other. */
function seriesText(series: SeriesDetail, mask: Mask): string[] {
  return [
    `${mask.words('series', series.name)}, recorded by ${neutralise(series.source)}`,
    ...mergeText(series, mask),
    ...identifiedText(series),
    ...series.categories.map(
      (one) =>
        `  ${one.records} records recorded by ${neutralise(series.source)} as ${one.code === null ? 'uncategorised' : neutralise(one.code)} (${one.scheme}${one.label === null ? '' : `: ${one.label}`}), set ${neutralise(one.setName)} version ${one.setVersion}`,
    ),
    ...(series.media === 0 ? [] : [`  ${series.media} contents put in by this unit`]),
    ...series.subjects.map(
      (one) => `  subject ${neutralise(one.reference)} (${one.kind}): ${one.faces} faces in ${one.pictures} pictures`,
    ),
    ...series.places.map((one) => `  place ${neutralise(one.reference)}: ${one.pictures} pictures`),
    ...series.cameras.map((one) => cameraText(one, mask)),
    ...series.links.map(
      (one) =>
        `  linked by ${neutralise(one.linkedBy)} on ${one.linkedAt} with ${mask.words('series', one.other.name)} of ${neutralise(one.other.source)}, ${one.otherVictimIdentified === null ? 'of whose victim nothing is said here' : `whose victim is identified: ${one.otherVictimIdentified}`}; why: ${mask.words('text', one.reason)}`,
    ),
    ...series.matches.map((one) => `  ${one.media} contents matched by ${one.method} in ${one.batches} batches`),
    ...(series.matches.length === 0 ? ['  nothing matched so far'] : []),
    ...changesText(series, mask),
  ];
}

function mergeText(series: SeriesDetail, mask: Mask): string[] {
  return [
    ...(series.mergedInto === null ? [] : [`  merged into ${mask.words('series', series.mergedInto.name)}`]),
    ...series.mergedFrom.map((one) => `  with what was ${mask.words('series', one.name)}`),
  ];
}

function identifiedText(series: SeriesDetail): string[] {
  const said = series.recordsSay
    .filter((one) => one.victimIdentified + one.victimNotIdentified > 0)
    .map(
      (one) =>
        `  victim identified, as ${neutralise(series.source)} says in set ${neutralise(one.setName)} version ${one.setVersion}: yes in ${one.victimIdentified} records, no in ${one.victimNotIdentified}, not said in ${one.notSaid}`,
    );
  return series.victimIdentified === null
    ? said
    : [`  victim identified, as recorded in this unit: ${series.victimIdentified}`, ...said];
}

function cameraText(camera: SeriesDetail['cameras'][number], mask: Mask): string {
  const device =
    camera.make === null && camera.model === null ? '' : `: ${mask.camera(camera.make ?? '', camera.model ?? '')}`;
  const kinds = [
    ['body', camera.bodySerial],
    ['lens', camera.lensSerial],
  ] as const;
  // A serial number leads to a person as a name does.
  const serials = kinds
    .filter(([, serial]) => serial !== null)
    .map(([kind, serial]) => `${kind} ${mask.revealed ? neutralise(serial ?? '') : 'serial number not shown'}`);
  return `  camera ${neutralise(camera.reference)}${device} (${serials.join(', ')})`;
}

function changesText(series: SeriesDetail, mask: Mask): string[] {
  const shown = series.changes.slice(0, CHANGES_SHOWN);
  const earlier = series.changes.length - shown.length;
  return [
    ...shown.map(
      (one) =>
        `  change ${one.changeId}: ${one.action} by ${neutralise(one.doneBy)}, ${one.doneAt}${one.reason === null ? '' : `, why: ${mask.words('text', one.reason)}`}${one.undoneAt === null ? '' : `; undone by ${neutralise(one.undoneBy ?? '')}, ${one.undoneAt}`}`,
    ),
    ...(earlier > 0 ? [`  ${earlier} earlier changes: --json lists them`] : []),
  ];
}
