import type { Command } from 'commander';
import { EXIT } from '../../../schemas/error.ts';
import { type AffectedList, listAffected, type Rerun, rerunAffected } from '../../compose/rerun-affected.ts';
import { counted } from '../../report/figures.ts';
import { createMask, newMaskKey } from '../../report/mask.ts';
import { neutralise } from '../../report/neutralise.ts';
import { type CliContext, type CommonOptions, configFor, printLine, withCommonOptions } from '../context.ts';
import { rematchProgress, rematchText } from '../rematch-text.ts';
import { scanProgress } from '../scan-progress.ts';

interface AffectedOptions extends CommonOptions {
  readonly version: string;
  readonly rerun?: true;
  readonly json?: true;
}

export function registerAffected(program: Command, context: CliContext): void {
  withCommonOptions(program.command('affected'))
    .description(
      'which batches, cases and leads a version had a part in, once a defect is found in it; and run them again',
    )
    .requiredOption('--version <version>', 'SOURCE/NAME@3, pack@1.0.0, pdq-512/1, "sharp 0.35.5" or a pipeline version')
    .option('--rerun', 'run them again where the material is there')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  homeward affected --version "sharp 0.35.5"\n  homeward affected --version "Project VIC/national@14" --rerun',
    )
    .action(async (options: AffectedOptions) => await run(context, options));
}

async function run(context: CliContext, options: AffectedOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const affected = await listAffected(config, options.version);
  const rerun = options.rerun ? await runAgain(context, config, affected) : null;
  if (options.json) printLine(context, JSON.stringify({ ...affected, rerun }, null, 2));
  else
    for (const line of [...listText(affected), ...(rerun === null ? [] : rerunText(rerun))]) printLine(context, line);
  if (rerun === null) return;
  const states = new Set<string>([...rerun.batches.map(({ state }) => state), rerun.rematched?.state ?? 'done']);
  if (states.has('interrupted')) context.exit.code = EXIT.interrupted;
  else if (states.has('left') || states.has('materialMissing')) context.exit.code = EXIT.someItemsFailed;
}

async function runAgain(
  context: CliContext,
  config: Parameters<typeof listAffected>[0],
  affected: AffectedList,
): Promise<Rerun> {
  using progress = scanProgress(context);
  return await rerunAffected({
    config,
    affected,
    signal: context.stopSignal,
    progress,
    onRematch: rematchProgress(context),
  });
}

function listText({ version, batches }: AffectedList): string[] {
  const cases = new Set(batches.map((one) => one.caseRef)).size;
  return [
    `${neutralise(version.version, 200)} (${version.kind}) had a part in ${counted(batches.length, 'batch', 'batches')} of ${counted(cases, 'case')}.`,
    ...batches.map(
      (one) =>
        `  batch ${one.batchId}  case ${neutralise(one.caseRef, 80)} exhibit ${neutralise(one.exhibitRef, 80)}: ${counted(one.items, 'file')}, ${counted(one.media, 'content')}, ${counted(one.matches, 'match', 'matches')}, ${counted(one.leads, 'lead')}`,
    ),
  ];
}

const STATE_WORDS = {
  done: 'run again',
  left: 'run again in part',
  materialMissing: 'not run again, since its material is not there',
  interrupted: 'stopped; the same command goes on',
} as const;

function rerunText({ rematched, batches }: Rerun): string[] {
  const mask = createMask({ reveal: false, key: newMaskKey() });
  return [
    ...(rematched === null ? [] : rematchText(rematched)),
    ...batches.map(
      ({ batchId, state, mediaLeft, missingRoots }) =>
        `  batch ${batchId}: ${STATE_WORDS[state]}${mediaLeft === 0 ? '' : `; ${counted(mediaLeft, 'content')} not made anew`}${missingRoots.length === 0 ? '' : ` (${missingRoots.map((root) => mask.path(root)).join(', ')})`}`,
    ),
  ];
}
