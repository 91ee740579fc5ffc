import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Argument, type Command, Option } from 'commander';
import { withAudit } from '../../../engine/audit/with-audit.ts';
import { categoryEntry } from '../../../engine/hashset/category-schemes.ts';
import { SET_FORMATS } from '../../../engine/hashset/formats/set-head.ts';
import { EXPORT_FORMATS, type ExportFormat, writeSet } from '../../../engine/hashset/formats/writer.ts';
import { type ImportResult, importSetFile } from '../../../engine/hashset/import.ts';
import { listSets, removeSet, setInForce, setRecords, setTlp, showSet } from '../../../engine/hashset/sets.ts';
import { TLP_LEVELS, type Tlp } from '../../../schemas/access.ts';
import type { SetPurpose } from '../../../schemas/constants.ts';
import { EXIT, HomewardError } from '../../../schemas/error.ts';
import { auditActOf } from '../../compose/audit-act.ts';
import { makeHashSet } from '../../compose/make-hash-set.ts';
import { withDatabase } from '../../compose/open-database.ts';
import { groupDigits } from '../../report/figures.ts';
import { neutralise } from '../../report/neutralise.ts';
import {
  type CliContext,
  type CommonOptions,
  configFor,
  existingPath,
  printLine,
  withCommonOptions,
} from '../context.ts';
import { countsText, leadObjects, leadsText, objectOf, setText } from '../hashset-text.ts';
import { radiusBits } from '../option-values.ts';
import { rematchObjects, rematchText } from '../rematch-text.ts';
import { runRematch } from '../run-rematch.ts';
import { type DryRunOptions, dropOne, dryRun, registerHashsetRelease } from './hashset-held.ts';
import { registerHashsetSuspended } from './hashset-suspended.ts';
import { registerHashsetUpdate } from './hashset-update.ts';

interface SetOptions extends CommonOptions {
  readonly source?: string;
  readonly json?: true;
}
/** What a set is for, as the command says it. */
const PURPOSES = { known: 'known', 'known-good': 'good', negative: 'negative' } as const satisfies Record<
  string,
  SetPurpose
>;

interface ImportOptions extends DryRunOptions {
  readonly purpose: keyof typeof PURPOSES;
  readonly dryRun?: true;
}
interface DisclosureOptions extends SetOptions {
  readonly format: ExportFormat;
  readonly out?: string;
  readonly purpose?: string;
  readonly recipient?: string;
  readonly justification?: string;
}

export function registerHashset(program: Command, context: CliContext): void {
  const hashset = program.command('hashset').description('known material: make, import, export, list, show, remove');
  withCommonOptions(hashset.command('make'))
    .description('fingerprint a folder of your own known pictures into a hash set file')
    .argument('<folder>')
    .requiredOption('--series <name>', 'series the pictures belong to')
    .requiredOption('--out <file>', 'file to write (NDJSON)')
    .addHelpText('after', '\nExample:\n  homeward hashset make ./case-44 --series "case 44" --out case-44.ndjson')
    .action(
      async (folder: string, options: CommonOptions & { series: string; out: string }) =>
        await make(context, folder, options),
    );
  withCommonOptions(hashset.command('import'))
    .description('import a hash set; a damaged file is refused whole, the same file again changes nothing')
    .argument('<file>')
    .requiredOption('--source <name>', 'who it comes from, as reports will say: recorded by SOURCE as X')
    .option('--name <name>', "name of the set (default: the file's)")
    .addOption(
      new Option(
        '--purpose <purpose>',
        'known-good: published software, nobody\u2019s evidence, such as NSRL; negative: pictures that perceptual hashes confuse, such as logos and blank pages',
      )
        .choices(Object.keys(PURPOSES))
        .default('known'),
    )
    .addOption(new Option('--format <format>', 'format of the file').choices(['auto', ...SET_FORMATS]).default('auto'))
    .addOption(
      new Option(
        '--radius <bits>',
        "largest distance of its perceptual hashes, 0 to 48, if not the policy's",
      ).argParser(radiusBits),
    )
    .option('--dry-run', 'change nothing; say what it would hit: other sets, stored contents, cases')
    .option('--json', 'print the outcome as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  homeward hashset import national.json --source "Project VIC"\n  homeward hashset import national.json --source "Project VIC" --dry-run\n  homeward hashset import md5.txt --source lab --format digest-list\n  homeward hashset import RDS_2026.03.1_modern_minimal.db --source NIST --purpose known-good',
    )
    .action(
      async (file: string, options: ImportOptions) =>
        await (options.dryRun
          ? dryRun(context, file, { ...options, purpose: PURPOSES[options.purpose] })
          : importOne(context, file, options)),
    );
  registerHashsetUpdate(hashset, context);
  registerHashsetSuspended(hashset, context);
  registerHashsetRelease(hashset, context);
  withCommonOptions(hashset.command('export'))
    .description('disclose a hash set: needs a purpose and a recipient, and is recorded')
    .argument('<name>')
    .addOption(
      new Option('--format <format>', 'vics is VICS-compatible, not certified; ndjson loses nothing')
        .choices([...EXPORT_FORMATS])
        .makeOptionMandatory(),
    )
    .option('--out <file>', 'file to write (default: stdout)')
    .option('--source <name>', 'where two sources use the same name')
    .option('--purpose <text>', 'what it is disclosed for')
    .option('--recipient <name>', 'whom it is disclosed to')
    .option('--justification <text>', 'why')
    .addHelpText(
      'after',
      '\nExample:\n  homeward hashset export case-44 --format vics --purpose "joint case 12" --recipient "Unit B" --out case-44.json',
    )
    .action(async (name: string, options: DisclosureOptions) => await exportOne(context, name, options));
  withCommonOptions(hashset.command('list'))
    .description('every set with its versions')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  homeward hashset list')
    .action(async (options: SetOptions) => await list(context, options));
  withCommonOptions(hashset.command('show'))
    .description('what a set in force holds, counted by category and kind of hash')
    .argument('<name>')
    .option('--source <name>', 'where two sources use the same name')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  homeward hashset show national')
    .action(async (name: string, options: SetOptions) => await show(context, name, options));
  withCommonOptions(hashset.command('tlp'))
    .description(
      'say how far a set and its series may go (Traffic Light Protocol); partners with less are told nothing of them',
    )
    .argument('<name>')
    .addArgument(new Argument('<level>').choices(TLP_LEVELS))
    .option('--source <name>', 'where two sources use the same name')
    .option('--justification <text>', 'why, for the audit trail')
    .addHelpText('after', '\nExample:\n  homeward hashset tlp national RED --justification "its source asks for it"')
    .action(
      async (name: string, level: Tlp, options: SetOptions & { justification?: string }) =>
        await handle(context, name, level, options),
    );
  withCommonOptions(hashset.command('remove'))
    .description('take a set out of force; what it matched is marked as withdrawn')
    .argument('<name>')
    .option('--source <name>', 'where two sources use the same name')
    .option('--held', 'the one of that name that waits for a person')
    .option('--justification <text>', 'why, for the audit trail')
    .addHelpText(
      'after',
      '\nExample:\n  homeward hashset remove national --source "Project VIC" --justification "withdrawn by its source"',
    )
    .action(
      async (name: string, options: SetOptions & { justification?: string; held?: true }) =>
        await (options.held ? dropOne(context, name, options) : remove(context, name, options)),
    );
}

async function make(
  context: CliContext,
  folder: string,
  options: CommonOptions & { series: string; out: string },
): Promise<void> {
  const { config } = await configFor(context, options);
  const made = await makeHashSet(config, {
    folder: existingPath(context, folder, 'a folder of known pictures'),
    series: options.series,
    out: path.resolve(context.workingFolder, options.out),
    signal: context.stopSignal,
  });
  printLine(
    context,
    `${groupDigits(made.records)} records written to ${options.out}${made.leftOut === 0 ? '' : `; ${made.leftOut} files could not be read`}`,
  );
}

async function importOne(context: CliContext, file: string, options: ImportOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const found = existingPath(context, file, 'a hash set');
  let shownAtMs = 0;
  const result = await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'collection', 'hashset import'), async () => {
        const imported = await importSetFile(db, {
          file: found,
          source: options.source,
          ...(options.name === undefined ? {} : { name: options.name }),
          format: options.format,
          purpose: PURPOSES[options.purpose],
          importedBy: config.actor,
          ...(options.radius === undefined ? {} : { radiusBits: options.radius }),
          signal: context.stopSignal,
          onProgress: ({ rows, bytes, totalBytes }) => {
            if (context.sinceStartMs() - shownAtMs < 1_000) return;
            shownAtMs = context.sinceStartMs();
            context.stderr.write(`${JSON.stringify({ kind: 'importing', rows, bytes, totalBytes })}\n`);
          },
        });
        // What an earlier import left is gone through too, whatever became of this one.
        const rematched = imported.state === 'interrupted' ? null : await runRematch(context, config, db);
        return {
          result: { ...imported, rematched },
          objects: [
            `hash set ${imported.setId} version ${imported.version}`,
            ...leadObjects(imported.leads),
            ...(rematched === null ? [] : rematchObjects(rematched)),
          ],
          outcome: imported.state === 'interrupted' || rematched?.state === 'interrupted' ? 'interrupted' : 'done',
        };
      }),
  );
  if (options.json) printLine(context, JSON.stringify(result, null, 2));
  else {
    for (const line of importText(result)) printLine(context, line);
    if (result.rematched !== null) for (const line of rematchText(result.rematched)) printLine(context, line);
  }
  if (result.state === 'interrupted' || result.rematched?.state === 'interrupted') context.exit.code = EXIT.interrupted;
}

function importText(result: ImportResult): string[] {
  if (result.state === 'unchanged')
    return [
      `Unchanged: version ${result.version} in force is this very file (${groupDigits(result.records)} records).`,
    ];
  if (result.state === 'held')
    return [
      `Held as version ${result.version}: ${result.heldReason ?? ''}. Nothing of it is searched; the version before it is in force.`,
      '  homeward hashset release NAME --justification TEXT brings it into force, hashset remove NAME --held drops it.',
    ];
  if (result.state === 'interrupted')
    return [
      `Stopped after ${groupDigits(result.records)} records; importing the file again goes on there. The version before it is in force.`,
    ];
  return [
    `Imported ${groupDigits(result.records)} records as version ${result.version} (${result.format}, categories by ${result.categoryScheme}).`,
    ...(result.resumedFromRow > 0
      ? [`  went on from row ${groupDigits(result.resumedFromRow)} of an interrupted import`]
      : []),
    ...countsText(result.rejected, result.notes),
    ...leadsText(result.leads),
  ];
}

async function exportOne(context: CliContext, name: string, options: DisclosureOptions): Promise<void> {
  if (options.purpose === undefined || options.recipient === undefined) {
    throw new HomewardError(
      'HW_PURPOSE_REQUIRED',
      'expected --purpose and --recipient for a disclosure, received none; give both, they are recorded',
    );
  }
  const { config } = await configFor(context, options);
  await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'disclosure', 'hashset export', options), async () => {
        const set = await setInForce(db, name, options.source);
        const text = writeSet(options.format, setRecords(db, set.setId), set.categoryScheme);
        if (options.out === undefined) await pipeline(text, context.stdout, { end: false });
        else await pipeline(text, createWriteStream(path.resolve(context.workingFolder, options.out), { mode: 0o600 }));
        return { result: undefined, objects: [objectOf(set)] };
      }),
  );
  if (options.out !== undefined) context.stderr.write(`Written to ${options.out}.\n`);
}

async function list(context: CliContext, options: SetOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const sets = await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'consultation', 'hashset list'), async () => ({
        result: await listSets(db),
      })),
  );
  if (options.json) printLine(context, JSON.stringify(sets, null, 2));
  else if (sets.length === 0) printLine(context, 'No hash sets yet: homeward hashset import FILE --source NAME');
  else for (const set of sets) printLine(context, setText(set));
}

async function show(context: CliContext, name: string, options: SetOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const shown = await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'consultation', 'hashset show'), async () => {
        const set = await setInForce(db, name, options.source);
        return { result: { set, ...(await showSet(db, set.setId)) }, objects: [objectOf(set)] };
      }),
  );
  if (options.json) {
    printLine(context, JSON.stringify(shown, null, 2));
    return;
  }
  const { set } = shown;
  printLine(context, setText(set));
  printLine(context, `  file sha256 ${set.sha256}, imported by ${neutralise(set.importedBy)}, ${shown.series} series`);
  for (const { code, records } of shown.categories) {
    const label = code === null ? null : categoryEntry(set.categoryScheme, code).label;
    printLine(
      context,
      `  ${groupDigits(records)} recorded by ${neutralise(set.source)} as ${code === null ? 'uncategorised' : neutralise(code)}${label === null ? '' : ` (${label})`}`,
    );
  }
  for (const { algorithm, records } of shown.hashes) printLine(context, `  ${groupDigits(records)} with ${algorithm}`);
}

async function handle(
  context: CliContext,
  name: string,
  tlp: Tlp,
  options: SetOptions & { justification?: string },
): Promise<void> {
  const { config } = await configFor(context, options);
  const set = await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'alteration', `hashset tlp ${tlp}`, options), async () => {
        const found = await setInForce(db, name, options.source);
        await setTlp(db, found, tlp);
        return { result: { ...found, tlp }, objects: [objectOf(found)] };
      }),
  );
  printLine(context, setText(set));
}

async function remove(
  context: CliContext,
  name: string,
  options: SetOptions & { justification?: string },
): Promise<void> {
  const { config } = await configFor(context, options);
  const removed = await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'erasure', 'hashset remove', options), async () => {
        const set = await setInForce(db, name, options.source);
        const leads = await removeSet(db, set.setId);
        return { result: { set, leads }, objects: [objectOf(set), ...leadObjects(leads)] };
      }),
  );
  printLine(context, `Removed ${setText(removed.set)}`);
  for (const line of leadsText(removed.leads)) printLine(context, line);
}
