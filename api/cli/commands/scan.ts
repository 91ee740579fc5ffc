import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { type Command, Option } from 'commander';
import type { Config } from '../../../schemas/config.ts';
import { EXIT, HomewardError } from '../../../schemas/error.ts';
import type { ModelsAsked } from '../../compose/models-stage.ts';
import { type ScanOutcome, scanSeizure } from '../../compose/scan-seizure.ts';
import { counted } from '../../report/figures.ts';
import { neutralise } from '../../report/neutralise.ts';
import { type CliContext, type CommonOptions, configFor, existingPath, withCommonOptions } from '../context.ts';
import { mountAdvice } from '../disk-image.ts';
import { type FaceOptions, faceSearchAsked, withFaceOptions } from '../face-options.ts';
import { positiveInteger } from '../option-values.ts';
import { suspendedText } from '../rematch-text.ts';
import { scanProgress } from '../scan-progress.ts';
import type { ReportOutputs } from '../write-reports.ts';

export interface ScanOptions extends CommonOptions, ReportOutputs, FaceOptions {
  readonly case?: string;
  readonly exhibit?: string;
  readonly known?: readonly string[];
  readonly fast?: true;
  readonly resume?: true;
  readonly hashOnly?: true;
  readonly skipKnown?: true;
  readonly hosts?: number;
  readonly threads?: number;
}

export function registerScan(program: Command, context: CliContext): void {
  withFaceOptions(withCommonOptions(program.command('scan')))
    .description('read a seizure once, fingerprint every file, match it against everything known, and report')
    .argument('<path...>', 'folders, files, zip, tar and gzip archives')
    .option('--case <reference>', 'case the material belongs to')
    .option('--exhibit <reference>', 'exhibit within the case')
    .option('--known <file...>', 'import these hash sets before matching')
    .option('--report <file>', 'write the report as JSON')
    .option('--html <file>', 'write the report as one self-contained page, without a single picture')
    .option('--json', 'print the JSON report on stdout in place of the summary')
    .option('--fast', 'decode at reduced size, for triage; marked as such in every record')
    .option('--hash-only', 'compare digests and perceptual hashes only; leave the models out')
    .option('--skip-known', 'let the models pass over what is known by its digest')
    .option('--resume', 'go on where an interrupted scan of the same paths, case and exhibit stopped')
    .option('--reveal', 'show file names, series names and camera text in terminal and page (recorded)')
    .addOption(new Option('--hosts <number>', 'worker processes').argParser(positiveInteger))
    .addOption(new Option('--threads <number>', 'threads in each of them').argParser(positiveInteger))
    .addHelpText(
      'after',
      `
Examples:
  homeward scan /mnt/exhibit-7 --case 2026-0412 --exhibit 7 --html report.html --report report.json
  homeward scan phone.zip --known project-vic.json
  homeward scan /mnt/exhibit-7 --case 2026-0412 --exhibit 7 --resume
  homeward scan /mnt/exhibit-7 --faces --authority "order 17/2026" --necessity "victims of the series are not identified yet"

Ctrl-C stops cleanly; the same command with --resume goes on. A disk image is not opened: mount it read-only and scan the mount.`,
    )
    .action(async (paths: readonly string[], options: ScanOptions) => await runScan(context, paths, options));
}

/**
 * What is asked for by itself, and else what was decided for the case.
 * @throws HomewardError HW_USAGE where faces are asked for without what the law asks for, or along with --hash-only
 */
function modelsAsked(options: ScanOptions, { cases }: Config): ModelsAsked | null {
  const { faces, authority, necessity, hashOnly } = options;
  const grounds = authority !== undefined || necessity !== undefined;
  if (hashOnly && (faces || grounds || options.skipKnown)) {
    throw new HomewardError(
      'HW_USAGE',
      'expected --hash-only by itself, received options for the models besides; leave one or the other out',
    );
  }
  if (hashOnly) return null;
  const policy = cases.find((one) => one.case === options.case);
  return {
    faceSearch: faceSearchAsked(options) ?? policy?.faces ?? null,
    skipKnown: options.skipKnown ?? policy?.skipKnown ?? false,
    lookedAt: null,
  };
}

export async function runScan(context: CliContext, paths: readonly string[], options: ScanOptions): Promise<void> {
  const { config } = await configFor(context, options, { hosts: options.hosts, threadsPerHost: options.threads });
  const given = paths.map((each) => existingPath(context, each, 'something to scan'));
  // A link given by name is meant; links found on the way are not followed.
  const roots = await Promise.all(given.map(async (each) => await realpath(each)));
  for (const root of roots) {
    const advice = await mountAdvice(root);
    if (advice !== null) context.stderr.write(`${advice}\n`);
  }
  const known = (options.known ?? []).map((file) => ({
    file: existingPath(context, file, 'a hash set'),
    source: path.basename(file),
  }));
  const models = modelsAsked(options, config);
  if (models?.faceSearch && !options.faces) {
    context.stderr.write(
      `Faces are looked for, as the configuration has it for this case: ${neutralise(models.faceSearch.authority)}.\n`,
    );
  }
  using progress = scanProgress(context);
  const outcome: ScanOutcome = await scanSeizure({
    config,
    roots,
    caseRef: options.case ?? '',
    exhibitRef: options.exhibit ?? '',
    mode: options.fast ? 'fast' : 'exact',
    known,
    resume: options.resume ?? false,
    models,
    reveal: options.reveal ?? false,
    signal: context.stopSignal,
    progress,
    // Loaded when there is something to report: the page and the summary are no matter of starting.
    report: async (builder) => await (await import('../write-reports.ts')).writeReports(context, options, builder),
  });
  if (outcome.notSearched.length > 0) {
    context.stderr.write(
      `Not searched yet: ${outcome.notSearched.map((pack) => neutralise(pack)).join(', ')}, since earlier material has the vectors of another version; homeward models reembed goes through it.\n`,
    );
  }
  if (outcome.rematchPending !== null) {
    context.stderr.write(
      `Material recorded before was not compared yet with what came into force in ${counted(outcome.rematchPending.sets, 'hash set')}; homeward rematch goes through it.\n`,
    );
  }
  for (const record of outcome.suspended) context.stderr.write(`${suspendedText(record)}\n`);
  if (outcome.interrupted) {
    context.stderr.write('Stopped. The same command with --resume goes on where it stopped.\n');
    context.exit.code = EXIT.interrupted;
  } else if (outcome.failedItems > 0) {
    context.exit.code = EXIT.someItemsFailed;
  }
}
