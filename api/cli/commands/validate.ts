import { stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { EXIT, HomewardError } from '../../../schemas/error.ts';
import type { ValidationCase, ValidationReport } from '../../../schemas/validation.ts';
import { validateInstallation } from '../../compose/validate-installation.ts';
import { refusalOf } from '../../validate/run.ts';
import { validationPage, validationSummary } from '../../validate/text.ts';
import { ENGINE_VERSION } from '../../version.ts';
import { type CliContext, type CommonOptions, configFor, existingPath, printLine } from '../context.ts';

interface ValidateOptions extends Pick<CommonOptions, 'as' | 'organisation' | 'config'> {
  /** `true` when it was given without a value. */
  readonly out?: string | true;
  readonly json?: true;
  readonly vectors?: string;
  readonly heic?: string;
}

export function registerValidate(program: Command, context: CliContext): void {
  program
    .command('validate')
    .description(
      'try on this machine what the engine promises, and write a dated report of requirement, assertion, case and result',
    )
    .option(
      '--out [file]',
      'write the report as JSON, and as a page (.md) beside it (default name: homeward-validation-VERSION-DATE.json)',
    )
    .option('--json', 'print the report as JSON on stdout in place of the summary')
    .option('--vectors <folder>', 'published PDQ conformance data: vectors.json and the pictures it names')
    .option('--heic <file>', 'a HEIC picture of your own, since none can be made here')
    .option('--config <file>', 'configuration file, for who runs this')
    .option('--as <name>', 'who runs this (default: the operating-system user)')
    .option('--organisation <name>', 'unit on whose behalf')
    .addHelpText(
      'after',
      `
Examples:
  homeward validate
  homeward validate --out --vectors /srv/pdq-conformance
  homeward validate --out validation.json --as "A. Examiner"

Works in a temporary folder with a database of its own; your data folder is not opened. Exit code 4 when a requirement does not hold.
What cannot be tried on this machine is named with its reason, and is not counted as passed.`,
    )
    .action(async (options: ValidateOptions) => await validate(context, options));
}

async function validate(context: CliContext, options: ValidateOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const vectorsFolder =
    options.vectors === undefined ? null : existingPath(context, options.vectors, 'a folder of conformance data');
  if (vectorsFolder !== null)
    existingPath(context, path.join(vectorsFolder, 'vectors.json'), 'the list of conformance data');
  const out = options.out === undefined ? null : await reportFile(context, options.out);
  const run = {
    operator: config.actor,
    organisation: config.organisation,
    vectorsFolder,
    heicFile: options.heic === undefined ? null : existingPath(context, options.heic, 'a HEIC picture'),
    signal: context.stopSignal,
    onCase: (requirement: { readonly id: string }, { id, result, durationMs }: ValidationCase) =>
      context.stderr.write(`${requirement.id}/${id}: ${result} (${durationMs} ms)\n`),
  };
  const report = await validateInstallation(run).catch((error: unknown) => {
    if (context.stopSignal.aborted) return null;
    throw error;
  });
  if (report === null) {
    context.stderr.write('Stopped; nothing was written.\n');
    context.exit.code = EXIT.interrupted;
    return;
  }
  if (out !== null) await writeReport(context, out, report);
  if (options.json) printLine(context, JSON.stringify(report, null, 2));
  else for (const line of validationSummary(report)) printLine(context, line);
  const refusal = refusalOf(report);
  if (refusal !== null) throw refusal;
}

/** A folder gets the default name in it; the working folder does when no name was given. */
async function reportFile(context: CliContext, given: string | true): Promise<string> {
  const name = `homeward-validation-${ENGINE_VERSION}-${new Date().toISOString().slice(0, 10)}.json`;
  if (given === true) return path.join(context.workingFolder, name);
  const file = path.resolve(context.workingFolder, given);
  const isFolder = await stat(file).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  return isFolder ? path.join(file, name) : file;
}

async function writeReport(context: CliContext, file: string, report: ValidationReport): Promise<void> {
  const page = file.endsWith('.json') ? `${file.slice(0, -'.json'.length)}.md` : `${file}.md`;
  try {
    await writeFile(file, `${JSON.stringify(report, null, 2)}\n`, { mode: 0o600 });
    await writeFile(page, validationPage(report), { mode: 0o600 });
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new HomewardError(
      'HW_OUTPUT_UNWRITABLE',
      `expected to write the report to ${file}, received ${why}; choose a folder that exists and is writable`,
      { cause: error },
    );
  }
  context.stderr.write(`Written to ${file} and ${page}.\n`);
}
