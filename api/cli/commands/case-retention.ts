import { type Command, Option } from 'commander';
import {
  type Closure,
  ERASING_OUTCOMES,
  KEEPING_OUTCOMES,
  type KeepingOutcome,
} from '../../../engine/erasure/closure.ts';
import type { RetainedCase } from '../../../engine/erasure/retention.ts';
import { HomewardError } from '../../../schemas/error.ts';
import { closeCaseKeeping, eraseCaseMaterial, retainedCases, reviewCase } from '../../compose/case-acts.ts';
import { counted, instant } from '../../report/figures.ts';
import { neutralise } from '../../report/neutralise.ts';
import { type CliContext, type CommonOptions, configFor, printLine, withCommonOptions } from '../context.ts';
import { calendarDay, sayingWhy } from '../option-values.ts';

const NO_OFFENCE = ERASING_OUTCOMES[0];

interface CloseOptions extends CommonOptions {
  readonly case: string;
  readonly outcome: typeof NO_OFFENCE | KeepingOutcome;
  readonly justification: string;
  readonly backupsGoneBy?: string;
  readonly reviewOn?: string;
  readonly json?: true;
}
interface ReviewOptions extends CommonOptions {
  readonly due?: true;
  readonly case?: string;
  readonly decide?: 'keep' | 'erase';
  readonly until?: string;
  readonly justification?: string;
  readonly backupsGoneBy?: string;
  readonly json?: true;
}

/** What becomes of a case's material: what there is, closing with or without erasure, reviews. */
export function registerRetention(cases: Command, context: CliContext): void {
  withCommonOptions(cases.command('material'))
    .description('cases with their material, outcome and date of review')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  homeward case material')
    .action(async (options: CommonOptions & { readonly json?: true }) => await list(context, options, false));
  withCommonOptions(cases.command('close'))
    .description('close a case; with no-offence all that was made of its material is erased, and cannot be had back')
    .requiredOption('--case <reference>', 'the case')
    .addOption(
      new Option('--outcome <outcome>', 'how it ended')
        .choices([NO_OFFENCE, ...KEEPING_OUTCOMES])
        .makeOptionMandatory(),
    )
    .requiredOption('--justification <text>', 'why, for the audit trail', sayingWhy)
    .option('--backups-gone-by <date>', 'no-offence: day by which no backup holds it any more', calendarDay)
    .option(
      '--review-on <date>',
      'other outcomes: day of the review (default: by the rule of the outcome)',
      calendarDay,
    )
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  homeward case close --case 2026-0412 --outcome no-offence --justification "decision 17/2026" --backups-gone-by 2027-01-31',
    )
    .action(async (options: CloseOptions) => await close(context, options));
  withCommonOptions(cases.command('review'))
    .description('cases whose review is due, and what is decided of one')
    .option('--due', 'list those that are due')
    .option('--case <reference>', 'the case that is decided')
    .addOption(new Option('--decide <decision>', 'what becomes of its material').choices(['keep', 'erase']))
    .option('--until <date>', 'keep: day of the next review', calendarDay)
    .option('--justification <text>', 'why, for the audit trail', sayingWhy)
    .option('--backups-gone-by <date>', 'erase: day by which no backup holds it any more', calendarDay)
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  homeward case review --due\n  homeward case review --case 2026-0412 --decide keep --until 2028-01-31 --justification "appeal pending"',
    )
    .action(async (options: ReviewOptions) => await review(context, options));
}

async function list(context: CliContext, options: CommonOptions & { readonly json?: true }, dueOnly: boolean) {
  const { config } = await configFor(context, options);
  const found = await retainedCases(config, dueOnly);
  if (options.json) {
    printLine(context, JSON.stringify(found, null, 2));
    return;
  }
  if (found.length === 0) printLine(context, dueOnly ? 'No case is due for a review.' : 'No case has material here.');
  for (const one of found) printLine(context, caseText(one));
}

function caseText({ caseRef, batches, items, outcome, closedAt, erasure, backupsGoneBy, reviewAt, due }: RetainedCase) {
  const name = caseRef === '' ? '(no case)' : neutralise(caseRef);
  const state = outcome === null || closedAt === null ? 'open' : `${outcome}, closed ${instant(closedAt)}`;
  const material = batches === 0 ? 'no material' : `${counted(batches, 'batch', 'batches')}, ${counted(items, 'item')}`;
  const erased =
    erasure === null
      ? ''
      : erasure === 'done'
        ? `; erased, backups gone by ${backupsGoneBy ?? 'a day not stated'}`
        : '; ERASURE NOT FINISHED: run case close again';
  const when = reviewAt === null ? '' : `; review ${reviewAt.slice(0, 10)}`;
  return `${name}: ${material}; ${state}${erased}${when}${due ? ' (DUE)' : ''}`;
}

async function close(context: CliContext, options: CloseOptions): Promise<void> {
  const { outcome, backupsGoneBy, reviewOn } = options;
  if (outcome === NO_OFFENCE ? reviewOn !== undefined : backupsGoneBy !== undefined) {
    throw new HomewardError(
      'HW_USAGE',
      'expected --backups-gone-by with the outcome no-offence alone, and --review-on with the others, received the one that does not go with it',
    );
  }
  const { config } = await configFor(context, options);
  const closure =
    outcome === NO_OFFENCE
      ? await eraseCaseMaterial(
          config,
          { ...options, outcome, backupsGoneBy: backupsGoneBy ?? null },
          stepSaid(context),
        )
      : await closeCaseKeeping(config, { ...options, outcome, reviewOn: reviewOn ?? null });
  sayClosure(context, closure, options.json);
}

async function review(context: CliContext, options: ReviewOptions): Promise<void> {
  const { decide, until, justification, backupsGoneBy } = options;
  if (options.due && decide === undefined) return await list(context, options, true);
  if (
    options.due ||
    options.case === undefined ||
    decide === undefined ||
    justification === undefined ||
    (decide === 'keep') !== (until !== undefined) ||
    (decide === 'keep' && backupsGoneBy !== undefined)
  ) {
    throw new HomewardError(
      'HW_USAGE',
      'expected --due by itself, or --case with --justification and either --decide keep --until DATE or --decide erase, received something else',
    );
  }
  const { config } = await configFor(context, options);
  const asked = { case: options.case, justification };
  const closure = await reviewCase(
    config,
    until === undefined ? { ...asked, until: null, backupsGoneBy: backupsGoneBy ?? null } : { ...asked, until },
    stepSaid(context),
  );
  if (closure !== null) sayClosure(context, closure, options.json);
  else if (options.json) printLine(context, JSON.stringify({ case: options.case, keptUntil: until }));
  else printLine(context, `Kept until ${until ?? ''}; recorded.`);
}

const STEP = {
  deleted: 'Deleted. Tables and indexes are written anew: whoever uses them waits meanwhile.',
  rewritten: 'Written anew. The log is written over.',
} as const;

const stepSaid =
  (context: CliContext) =>
  ({ erasure }: Closure): void => {
    if (erasure === 'deleted' || erasure === 'rewritten') context.stderr.write(`${STEP[erasure]}\n`);
  };

function sayClosure(context: CliContext, closure: Closure, json: true | undefined): void {
  const { commitment, counts, erasedAt, reviewAt, backupsGoneBy, leftToOperator, outcome } = closure;
  if (json) {
    printLine(context, JSON.stringify({ ...closure, commitment: commitment?.toString('hex') ?? null }, null, 2));
    return;
  }
  if (erasedAt === null) {
    printLine(context, `Closed: ${outcome}; review on ${reviewAt?.slice(0, 10) ?? ''}.`);
    return;
  }
  printLine(
    context,
    `Erased ${instant(erasedAt)}: ${counted(counts?.['item'] ?? 0, 'item')}, ${counted(counts?.['media'] ?? 0, 'content')} that no other case holds, and all that was made of them.`,
  );
  printLine(context, `Commitment (SHA-256 over the numbers of what went): ${commitment?.toString('hex') ?? ''}`);
  printLine(
    context,
    backupsGoneBy === null
      ? 'Backups: nobody stated when the last one that holds it is gone (--backups-gone-by).'
      : `Backups: the last one that holds it is to be gone by ${backupsGoneBy}.`,
  );
  for (const sentence of leftToOperator ?? []) printLine(context, `Left to you: ${sentence}`);
}
