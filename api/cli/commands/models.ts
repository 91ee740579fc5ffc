import type { Command } from 'commander';
import { EXIT } from '../../../schemas/error.ts';
import { checkModels, type PackCheck } from '../../compose/check-models.ts';
import { buildModels, indexVectors, installModel, removeModel } from '../../compose/model-acts.ts';
import { listModels, modelCard } from '../../compose/models.ts';
import { reembedModels } from '../../compose/reembed-models.ts';
import { byteSize, counted } from '../../report/figures.ts';
import { cardText } from '../../report/model-card.ts';
import { neutralise } from '../../report/neutralise.ts';
import {
  type CliContext,
  type CommonOptions,
  configFor,
  existingPath,
  printLine,
  withCommonOptions,
} from '../context.ts';
import { type FaceOptions, faceSearchAsked, withFaceOptions } from '../face-options.ts';
import { modelProgress } from '../model-progress.ts';
import { reembedText } from '../reembed-text.ts';
import { scanProgress } from '../scan-progress.ts';

interface ReembedOptions extends CommonOptions, FaceOptions {
  readonly acceptMissing?: true;
  readonly dropOld?: true;
}

interface ModelOptions extends CommonOptions {
  readonly json?: true;
}

const STATES = {
  ready: 'ready',
  untried: 'not tried yet',
  notBuilt: 'not built yet',
  refused: 'REFUSED',
} as const satisfies Record<PackCheck['state'], string>;

export function registerModels(program: Command, context: CliContext): void {
  const models = program
    .command('models')
    .description('model packs: list, verify, build, install, card, reembed, index, remove');
  withCommonOptions(models.command('list'))
    .description('every pack with its version, kind, licence and state')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  homeward models list')
    .action(async (options: ModelOptions) => await list(context, options));
  withCommonOptions(models.command('verify'))
    .description(
      'compare the files of a pack (default: all) with its manifest, and run its self-test in a process of its own',
    )
    .argument('[id]')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExamples:\n  homeward models verify\n  homeward models verify dlib-128')
    .action(async (id: string | undefined, options: ModelOptions) => await verify(context, id, options));
  withCommonOptions(models.command('build'))
    .description('convert the shipped weights into the data folder and try them; the first scan does it by itself')
    .addHelpText('after', '\nExample:\n  homeward models build')
    .action(async (options: ModelOptions) => await build(context, options));
  withCommonOptions(models.command('install'))
    .description(
      'take a pack of your own from a folder; needs no network. Refused whole where anything about it does not hold',
    )
    .argument('<folder>')
    .option('--accept-licence', 'the unit may use it under its licence; recorded in the audit trail')
    .addHelpText('after', '\nExample:\n  homeward models install /media/usb/sscd --accept-licence')
    .action(
      async (folder: string, options: ModelOptions & { acceptLicence?: true }) =>
        await install(context, folder, options),
    );
  withCommonOptions(models.command('card'))
    .description(
      'what a pack was trained on, its licence, how accurate it was measured to be, where it must not be trusted',
    )
    .argument('<id>')
    .option('--json', 'the manifest as JSON')
    .addHelpText('after', '\nExample:\n  homeward models card dlib-128')
    .action(async (id: string, options: ModelOptions) => await card(context, id, options));
  withFaceOptions(withCommonOptions(models.command('reembed')))
    .description(
      'after a pack came in another version: look at everything scanned so far again, beside the vectors in use, and search by the new ones when all is done. Can be interrupted and begun again',
    )
    .option('--accept-missing', 'search by the new version though some of what is known is not there to be looked at')
    .option('--drop-old', 'delete the vectors of versions that are out of use')
    .addHelpText(
      'after',
      '\nExamples:\n  homeward models reembed\n  homeward models reembed --faces --authority "order 17/2026" --necessity "new version of the face pack"\n  homeward models reembed --drop-old',
    )
    .action(async (options: ReembedOptions) => await reembed(context, options));
  withCommonOptions(models.command('index'))
    .description(
      'build the indexes of vectors that have become too many to be searched in memory (docs/vector-search.md); takes minutes to hours, and searching goes on meanwhile',
    )
    .addHelpText('after', '\nExample:\n  homeward models index')
    .action(async (options: CommonOptions) => await index(context, options));
  withCommonOptions(models.command('remove'))
    .description('take an installed pack away; vectors it made stay where they are')
    .argument('<id>')
    .addHelpText('after', '\nExample:\n  homeward models remove sscd')
    .action(async (id: string, options: ModelOptions) => await remove(context, id, options));
}

async function list(context: CliContext, options: ModelOptions): Promise<void> {
  const { config } = await configFor(context, options);
  print(context, await checkModels(config, await listModels(config), 'recorded'), options);
}

async function verify(context: CliContext, id: string | undefined, options: ModelOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const checks = await checkModels(config, await listModels(config, id), 'run');
  // Asked about one, its refusal is the answer.
  const [only] = checks;
  if (id !== undefined && only?.fault) throw only.fault;
  print(context, checks, options);
  if (checks.some(({ state }) => state !== 'ready')) context.exit.code = EXIT.someItemsFailed;
}

async function build(context: CliContext, options: ModelOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const { toConvert, toVerify } = await buildModels(config, modelProgress(context));
  if (toConvert.length + toVerify.length === 0)
    printLine(context, 'Nothing to do: every shipped net is there as pinned and passed its self-test.');
  else {
    printLine(
      context,
      `Converted ${counted(toConvert.length, 'net')}, tried ${counted(toVerify.length, 'pack')}; all are as pinned.`,
    );
  }
}

async function install(
  context: CliContext,
  folder: string,
  options: ModelOptions & { acceptLicence?: true },
): Promise<void> {
  const { config } = await configFor(context, options);
  const from = existingPath(context, folder, 'the folder of a model pack');
  const { manifest, state } = await installModel(config, from, options.acceptLicence === true);
  const done = { new: 'Installed', replaced: 'Installed in place of another version', unchanged: 'Unchanged' }[state];
  printLine(context, `${done}: ${manifest.id} ${manifest.version} (${manifest.kind}).`);
  printLine(
    context,
    `To use it, name it under models in the configuration; homeward models card ${manifest.id} says what it is.`,
  );
}

async function card(context: CliContext, id: string, options: ModelOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const { manifest, text } = await modelCard(config, id);
  if (options.json) printLine(context, JSON.stringify(manifest, null, 2));
  else for (const line of cardText(manifest, text)) printLine(context, line);
}

async function index(context: CliContext, options: CommonOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const built = await indexVectors(config);
  printLine(
    context,
    built === 0
      ? 'Nothing to do: what is searched fits into memory, or has its index.'
      : `Built ${counted(built, 'index', 'indexes')}.`,
  );
}

async function reembed(context: CliContext, options: ReembedOptions): Promise<void> {
  const { config } = await configFor(context, options);
  using progress = scanProgress(context);
  const outcome = await reembedModels({
    config,
    faceSearch: faceSearchAsked(options),
    acceptMissing: options.acceptMissing ?? false,
    dropOld: options.dropOld ?? false,
    signal: context.stopSignal,
    progress,
  });
  progress.pause();
  for (const line of reembedText(outcome)) printLine(context, line);
  if (outcome.interrupted) context.exit.code = EXIT.interrupted;
  else if (outcome.spaces.length > 0 && !outcome.activated) context.exit.code = EXIT.someItemsFailed;
}

async function remove(context: CliContext, id: string, options: ModelOptions): Promise<void> {
  const { config } = await configFor(context, options);
  await removeModel(config, id);
  printLine(context, `Removed ${neutralise(id)}. A configuration that names it has to be changed.`);
}

function print(context: CliContext, checks: readonly PackCheck[], options: ModelOptions): void {
  if (options.json) {
    const rows = checks.map(({ entry, state, fault }) => ({
      id: entry.id,
      origin: entry.origin,
      version: entry.pack?.manifest.version ?? null,
      kind: entry.pack?.manifest.kind ?? null,
      licence: entry.pack?.manifest.licence.id ?? null,
      state,
      fault: fault === null ? null : { code: fault.code, message: fault.message },
    }));
    printLine(context, JSON.stringify(rows, null, 2));
    return;
  }
  const rows = checks.map(({ entry: { id, origin, pack }, state }) =>
    pack === null
      ? [id, '', '', origin, STATES[state], '']
      : [
          id,
          pack.manifest.version,
          pack.manifest.kind,
          origin,
          STATES[state],
          `${neutralise(pack.manifest.licence.id, 40)}, ${byteSize(pack.manifest.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0))}`,
        ],
  );
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const [index, row] of rows.entries()) {
    printLine(
      context,
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
    const fault = checks[index]?.fault;
    if (fault) printLine(context, `    ${fault.code}: ${neutralise(fault.message, 600)}`);
  }
}
