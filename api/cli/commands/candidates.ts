import { type Command, Option } from 'commander';
import { withAudit } from '../../../engine/audit/with-audit.ts';
import { CANDIDATE_STATES, type CandidateState } from '../../../engine/candidates/candidate.ts';
import {
  acceptCandidate,
  type Decided,
  dismissCandidate,
  mergeCandidates,
  splitCandidate,
} from '../../../engine/candidates/decide.ts';
import {
  type CandidateDetail,
  type CandidateSummary,
  listCandidates,
  showCandidate,
} from '../../../engine/candidates/list.ts';
import type { CandidateReason } from '../../../engine/candidates/pair-evidence.ts';
import { undoDecision } from '../../../engine/candidates/undo.ts';
import type { FaceSearchGrounds } from '../../../engine/match/model-faces.ts';
import type { ChangedBy } from '../../../engine/series/change.ts';
import type { Db } from '../../../engine/store/db.ts';
import { HomewardError } from '../../../schemas/error.ts';
import { auditActOf } from '../../compose/audit-act.ts';
import { findCandidateSeries } from '../../compose/find-candidates.ts';
import { withDatabase } from '../../compose/open-database.ts';
import { counted, instant } from '../../report/figures.ts';
import { createMask, type Mask, newMaskKey } from '../../report/mask.ts';
import { neutralise } from '../../report/neutralise.ts';
import { type CliContext, type CommonOptions, configFor, printLine, withCommonOptions } from '../context.ts';
import { positiveInteger } from '../option-values.ts';

const DEFAULT_SHOWN = 50;
/** Reasons that are printed; JSON has them all. */
const MOST_REASONS = 30;

interface ReadOptions extends CommonOptions {
  readonly json?: true;
  readonly reveal?: true;
}
interface FindOptions extends CommonOptions {
  readonly case?: string;
  readonly batch?: string;
  readonly faces?: true;
  readonly authority?: string;
  readonly necessity?: string;
  readonly json?: true;
}
interface ListOptions extends ReadOptions {
  readonly case?: string;
  readonly state: CandidateState;
  readonly limit: number;
}
interface DecideOptions extends CommonOptions {
  readonly justification?: string;
  readonly json?: true;
}

export function registerCandidates(program: Command, context: CliContext): void {
  const candidates = program
    .command('candidates')
    .description('proposals: media that match nothing known and seem to belong together');
  withCommonOptions(candidates.command('find'))
    .description(
      'group what nobody has seen by hash, face, copy, place, camera and time; decisions taken before are kept',
    )
    .option('--case <reference>', 'media of this case only')
    .option('--batch <id>', 'media of this batch only')
    .option('--faces', 'compare faces too; needs --authority and --necessity, which are recorded')
    .option('--authority <reference>', 'order or decision that allows a search for faces')
    .option('--necessity <text>', 'why it is strictly necessary')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  homeward candidates find --case 2026-0412')
    .action(async (options: FindOptions) => await find(context, options));
  withCommonOptions(candidates.command('list'))
    .description('proposals in one state, those of most media first')
    .option('--case <reference>', 'with media of this case')
    .addOption(new Option('--state <state>', 'state').choices([...CANDIDATE_STATES]).default('proposed'))
    .option('--limit <count>', 'how many are shown', positiveInteger, DEFAULT_SHOWN)
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  homeward candidates list --case 2026-0412')
    .action(async (options: ListOptions) => await list(context, options));
  withCommonOptions(candidates.command('show'))
    .description('one proposal: its media, why they stand together, and what was decided')
    .argument('<id>', 'its number', positiveInteger)
    .option('--json', 'as JSON')
    .option('--reveal', 'show paths in full (recorded)')
    .addHelpText('after', '\nExample:\n  homeward candidates show 12 --reveal')
    .action(async (id: number, options: ReadOptions) => await show(context, id, options));
  registerDecisions(candidates, context);
}

function registerDecisions(candidates: Command, context: CliContext): void {
  const decision = (name: string, description: string, example: string): Command =>
    withCommonOptions(candidates.command(name))
      .description(description)
      .option('--justification <text>', 'why, for the record')
      .option('--json', 'as JSON')
      .addHelpText('after', `\nExample:\n  homeward candidates ${example}`);
  decision('accept', 'make it a series of the unit, or add it to one of that name', 'accept 12 --series "garden 7"')
    .argument('<id>', 'its number', positiveInteger)
    .requiredOption('--series <name>', 'name of the series')
    .action(
      async (id: number, options: DecideOptions & { series: string }) =>
        await decide(
          context,
          'accept',
          [id],
          options,
          async (db, by) => await acceptCandidate(db, by, id, options.series),
        ),
    );
  decision('dismiss', 'its media do not belong together; no two of them are proposed together again', 'dismiss 12')
    .argument('<id>', 'its number', positiveInteger)
    .action(
      async (id: number, options: DecideOptions) =>
        await decide(context, 'dismiss', [id], options, async (db, by) => await dismissCandidate(db, by, id)),
    );
  decision('split', 'take media out into a proposal of their own', 'split 12 --media 71 74 80')
    .argument('<id>', 'its number', positiveInteger)
    .requiredOption('--media <number...>', 'numbers of the media that leave', listed)
    .action(
      async (id: number, options: DecideOptions & { media: readonly number[] }) =>
        await decide(
          context,
          'split',
          [id],
          options,
          async (db, by) => await splitCandidate(db, by, id, options.media),
        ),
    );
  decision('merge', 'make one proposal of several', 'merge 12 15')
    .argument('<id...>', 'their numbers', listed)
    .action(
      async (ids: readonly number[], options: DecideOptions) =>
        await decide(context, 'merge', ids, options, async (db, by) => await mergeCandidates(db, by, ids)),
    );
  decision('undo', 'take back the last decision on a proposal', 'undo 12')
    .argument('<id>', 'its number, or that of a proposal that the decision made', positiveInteger)
    .action(
      async (id: number, options: DecideOptions) =>
        await decide(context, 'undo', [id], options, async (db, by) => await undoDecision(db, by, id)),
    );
}

const listed = (text: string, before: readonly number[] | undefined): number[] => [
  ...(before ?? []),
  positiveInteger(text),
];

async function find(context: CliContext, options: FindOptions): Promise<void> {
  const grounds = groundsOf(options);
  const { config } = await configFor(context, options);
  const scope = {
    ...(options.case === undefined ? {} : { caseRef: options.case }),
    ...(options.batch === undefined ? {} : { batchId: options.batch }),
  };
  const result = await findCandidateSeries(config, scope, grounds);
  if (options.json) {
    printLine(context, JSON.stringify(result, null, 2));
    return;
  }
  printLine(
    context,
    `${counted(result.media, 'unmatched content')} looked at: ${counted(result.added.length, 'new proposal')}, ${result.kept.length} as before, ${result.superseded.length} superseded.`,
  );
  if (result.added.length + result.kept.length > 0) printLine(context, 'See them: homeward candidates list');
}

/** @throws HomewardError HW_USAGE where faces are asked for without what the law asks for */
function groundsOf({ faces, authority, necessity }: FindOptions): FaceSearchGrounds | null {
  const [by, why] = [authority?.trim() ?? '', necessity?.trim() ?? ''];
  if (faces && by !== '' && why !== '') return { authority: by, necessity: why };
  if (!faces && authority === undefined && necessity === undefined) return null;
  throw new HomewardError(
    'HW_USAGE',
    'expected --faces with --authority and --necessity, since a comparison of faces needs both; received only a part of them',
  );
}

async function list(context: CliContext, options: ListOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const found = await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'consultation', 'candidates list', options), async () => ({
        result: await listCandidates(db, { state: options.state, caseRef: options.case, limit: options.limit }),
      })),
  );
  if (options.json) {
    printLine(context, JSON.stringify(found, null, 2));
    return;
  }
  if (found.length === 0)
    printLine(context, `No proposal is ${options.state}. They are made by: homeward candidates find`);
  for (const one of found) printLine(context, summaryText(one));
}

function summaryText({ candidateId, media, reasons, cases, shaped }: CandidateSummary): string {
  const why = reasons.map(({ method, pairs }) => `${method} ${pairs}`).join(', ');
  const where =
    cases.length === 0
      ? ''
      : `; ${counted(cases.length, 'case')}: ${cases
          .slice(0, 5)
          .map((one) => neutralise(one))
          .join(', ')}`;
  return `${candidateId}: ${media} contents${shaped ? ', shaped by hand' : ''} (pairs by ${why === '' ? 'nothing: put together by hand' : why})${where}`;
}

async function show(context: CliContext, candidateId: number, options: ReadOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const detail = await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'consultation', 'candidates show', options), async () => ({
        result: await showCandidate(db, candidateId),
        objects: [`proposal ${candidateId}`],
      })),
  );
  const mask = createMask({ reveal: options.reveal ?? false, key: newMaskKey() });
  if (options.json) printLine(context, JSON.stringify(masked(detail, mask), null, 2));
  else for (const line of detailText(detail, mask)) printLine(context, line);
}

const masked = (detail: CandidateDetail, mask: Mask): CandidateDetail => ({
  ...detail,
  members: detail.members.map((one) => ({ ...one, path: one.path === null ? null : mask.path(one.path) })),
});

function* detailText(detail: CandidateDetail, mask: Mask): Generator<string> {
  const { state, supersededBy, seriesId } = detail;
  yield `${summaryText(detail)}; ${state}${supersededBy === null ? '' : ` by ${supersededBy}`}${seriesId === null ? '' : ` as series ${seriesId}`}`;
  for (const one of detail.members) {
    const place = one.path === null ? 'nowhere any more' : mask.path(one.path);
    yield `  media ${one.mediaId}  case ${neutralise(one.caseRef ?? '-')} exhibit ${neutralise(one.exhibitRef ?? '-')}  ${place}  sha256 ${one.sha256}`;
  }
  for (const reason of detail.why.slice(0, MOST_REASONS)) yield `  ${reasonText(reason)}`;
  if (detail.why.length > MOST_REASONS) yield `  and ${detail.why.length - MOST_REASONS} more reasons (--json)`;
  for (const change of detail.changes) {
    const undone = change.undoneBy === null ? '' : `, undone by ${neutralise(change.undoneBy)}`;
    yield `  ${change.action} by ${neutralise(change.doneBy)}, ${instant(change.doneAt)}${undone}`;
  }
}

const SAID: Readonly<Record<CandidateReason['method'], (distance: number) => string>> = {
  pdq: (distance) => `are copies of one picture (PDQ, ${distance} bits apart)`,
  blockhash: (distance) => `are copies of one picture (blockhash, ${distance} bits apart)`,
  copy: (distance) => `look like edits of one picture (distance ${distance.toFixed(3)})`,
  face: (distance) => `show faces that look alike (distance ${distance.toFixed(3)}; adults only)`,
  place: (distance) => `show places that look alike (distance ${distance.toFixed(3)})`,
  camera: () => 'name one camera or lens by its serial number',
  time: (distance) => `were taken ${Math.round(distance)} s apart`,
};

function reasonText({ mediaId, otherMediaId, method, distance, log10LikelihoodRatio }: CandidateReason): string {
  return `${mediaId} and ${otherMediaId} ${SAID[method](distance)}; weight ${log10LikelihoodRatio.toFixed(1)}`;
}

async function decide(
  context: CliContext,
  action: string,
  ids: readonly number[],
  options: DecideOptions,
  work: (db: Db, by: ChangedBy) => Promise<Decided>,
): Promise<void> {
  const { config } = await configFor(context, options);
  const by: ChangedBy = {
    actor: config.actor,
    organisation: config.organisation,
    ...(options.justification === undefined ? {} : { reason: options.justification.slice(0, 1000) }),
  };
  const details = options.justification === undefined ? {} : { justification: options.justification };
  const decided = await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'alteration', `candidates ${action}`, details), async () => {
        const result = await work(db, by);
        const stand = result.candidateIds.filter((id) => !ids.includes(id));
        const objects = [...ids, ...stand].map((id) => `proposal ${id}`);
        return { result, objects: result.seriesId === null ? objects : [...objects, `series ${result.seriesId}`] };
      }),
  );
  if (options.json) printLine(context, JSON.stringify(decided, null, 2));
  else {
    const into = decided.seriesId === null ? '' : `, series ${decided.seriesId}`;
    printLine(
      context,
      `${action}: recorded as decision ${decided.changeId}; proposal ${decided.candidateIds.join(', ')}${into}.`,
    );
  }
}
