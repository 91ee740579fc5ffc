import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { clearAuditAlarms, openAuditAlarms } from '../../../engine/audit/alarms.ts';
import { printedCode, readCode } from '../../../engine/audit/verify/printed-code.ts';
import { withAudit } from '../../../engine/audit/with-audit.ts';
import { findByCode, type KeptCopy, keepCopies, keptLines } from '../../../engine/audit/witness.ts';
import { EXIT, HomewardError } from '../../../schemas/error.ts';
import { auditActOf } from '../../compose/audit-act.ts';
import { auditKeyFile, auditKeys, changeKey, checkpointNow, initKey, writeOut } from '../../compose/audit-acts.ts';
import { withDatabase } from '../../compose/open-database.ts';
import { neutralise } from '../../report/neutralise.ts';
import {
  type CliContext,
  type CommonOptions,
  configFor,
  existingPath,
  printLine,
  withCommonOptions,
} from '../context.ts';
import { positiveInteger } from '../option-values.ts';

interface CheckpointOptions extends CommonOptions {
  readonly of?: string;
  readonly out?: string;
}

interface WitnessOptions extends CommonOptions {
  readonly code?: string;
  readonly of?: string;
  readonly out?: string;
}

interface AlarmOptions extends CommonOptions {
  readonly clear?: number;
  readonly justification?: string;
  readonly json?: true;
}

/** What is signed: keys, checkpoints, copies of others' checkpoints; and the alarms that come of it. */
export function registerAuditSigned(audit: Command, context: CliContext): void {
  const key = audit.command('key').description('the key that signs checkpoints');
  withCommonOptions(key.command('init'))
    .description('make it, and print its public half for whoever is to verify')
    .action(async (options: CommonOptions) => await init(context, options));
  withCommonOptions(key.command('change'))
    .description('put a new one in its place, signed by the old one where that is there')
    .requiredOption('--justification <text>', 'why, for the audit trail')
    .action(async (options: CommonOptions & { readonly justification: string }) => await change(context, options));
  withCommonOptions(key.command('list'))
    .description('all keys with their first and last day')
    .action(async (options: CommonOptions) => await listKeys(context, options));
  withCommonOptions(audit.command('checkpoint'))
    .description('sign where the audit stands now, write it into the drop folder, and print its code')
    .option('--of <organisation>', 'whose audit (default: that on whose behalf)')
    .option('--out <file>', 'write copies of all its checkpoints, for another organisation to keep')
    .addHelpText('after', '\nExample:\n  homeward audit checkpoint --out for-the-other-unit.json')
    .action(async (options: CheckpointOptions) => await checkpoint(context, options));
  withCommonOptions(audit.command('witness'))
    .description("keep copies of another organisation's checkpoints, check a printed code, or hand the copies out")
    .argument('[file]', 'copies that the other organisation gave')
    .option('--code <code>', 'a code as it was written down: tells which checkpoint has it')
    .option('--of <organisation>', 'with --out: whose copies')
    .option('--out <file>', 'write the copies that are kept, for audit verify --witness')
    .addHelpText(
      'after',
      '\nExit code 4 when a copy contradicts one kept before.\n\nExamples:\n  homeward audit witness from-unit-7.json\n  homeward audit witness --of "Unit 7" --out kept.json',
    )
    .action(async (file: string | undefined, options: WitnessOptions) => await witness(context, file, options));
  withCommonOptions(audit.command('alarms'))
    .description('open alarms of the audit: clocks that stepped back, checkpoints that failed, copies that contradict')
    .option('--clear <number>', 'clear all up to this number, which you have looked into', positiveInteger)
    .option('--justification <text>', 'with --clear: what it was')
    .option('--json', 'as JSON')
    .action(async (options: AlarmOptions) => await alarms(context, options));
}

async function init(context: CliContext, options: CommonOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const key = await initKey(config);
  context.stderr.write(
    `The signing key ${key.keyId.slice(0, 16)} lies in ${auditKeyFile(config)}. Back it up apart from the database. Its public half, for whoever verifies:\n`,
  );
  context.stdout.write(key.publicPem());
}

async function change(context: CliContext, options: CommonOptions & { readonly justification: string }): Promise<void> {
  const { config } = await configFor(context, options);
  const { key, endorsed } = await changeKey(config, options.justification);
  context.stderr.write(
    endorsed
      ? `The key before signed the new one, ${key.keyId.slice(0, 16)}: who trusts that one need not be told. Its public half:\n`
      : `The key before was not there to sign the new one, ${key.keyId.slice(0, 16)}: hand this public half to whoever verifies:\n`,
  );
  context.stdout.write(key.publicPem());
}

async function listKeys(context: CliContext, options: CommonOptions): Promise<void> {
  const { config } = await configFor(context, options);
  for (const { record, endorsement, firstAt, lastAt } of await auditKeys(config)) {
    const since = record.previousKeyId === null ? 'the first' : endorsement === null ? 'not endorsed' : 'endorsed';
    printLine(context, `${record.keyId}  ${firstAt} to ${lastAt ?? 'now'}  ${since}`);
  }
}

async function checkpoint(context: CliContext, options: CheckpointOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const out = options.out === undefined ? undefined : path.resolve(context.workingFolder, options.out);
  const { signed, dropped } = await checkpointNow(config, options.of ?? config.organisation, out);
  const { sequence, at } = signed.checkpoint;
  printLine(context, `Checkpoint of ${sequence} entries, ${at}.`);
  printLine(context, `Code: ${printedCode(signed.digest)}`);
  for (const file of dropped) printLine(context, `Written to ${file}.`);
}

async function witness(context: CliContext, file: string | undefined, options: WitnessOptions): Promise<void> {
  const wanted = [file, options.code, options.out].filter((one) => one !== undefined).length;
  if (wanted !== 1 || (options.out === undefined) !== (options.of === undefined)) {
    throw new HomewardError(
      'HW_USAGE',
      'expected a file, or --code, or --of with --out, received another choice; see --help of the command',
    );
  }
  const { config } = await configFor(context, options);
  if (file !== undefined) {
    const text = readFileSync(existingPath(context, file, 'copies of checkpoints'), 'utf8');
    const kept = await withDatabase(
      config,
      async (db) =>
        await withAudit(db, auditActOf(config, 'collection', 'audit witness'), async () => {
          const copies = await keepCopies(db, text);
          const objects = copies.map((copy) => `checkpoint of ${copy.organisation}, ${copy.sequence} entries`);
          return { result: copies, objects: objects.slice(0, 999) };
        }),
    );
    for (const copy of kept) printLine(context, copyText(copy));
    if (kept.some((copy) => copy.verdict === 'conflict')) context.exit.code = EXIT.someItemsFailed;
  } else if (options.code !== undefined) {
    await tellCode(context, options.code, options);
  } else {
    const [of, out] = [options.of ?? '', path.resolve(context.workingFolder, options.out ?? '')];
    await withDatabase(
      config,
      async (db) =>
        await withAudit(
          db,
          { ...auditActOf(config, 'consultation', 'audit witness'), objects: [`checkpoints kept of ${of}`] },
          async () => {
            const lines = await keptLines(db, of);
            if (lines.length === 0) throw unknown(`a checkpoint of ${JSON.stringify(of)}`);
            await writeOut(out, [lines.map((line) => `${line}\n`).join('')]);
            return { result: null };
          },
        ),
    );
  }
}

async function tellCode(context: CliContext, typed: string, options: CommonOptions): Promise<void> {
  const code = readCode(typed);
  if (code === null) {
    throw new HomewardError(
      'HW_AUDIT_WITNESS',
      'expected the code of a checkpoint (24 characters and a check character), received one that is mistyped; type it again',
    );
  }
  const { config } = await configFor(context, options);
  const found = await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'consultation', 'audit witness --code'), async () => {
        const checkpoint = await findByCode(db, code);
        if (checkpoint === null) throw unknown(`a checkpoint with the code ${code}`);
        return { result: checkpoint };
      }),
  );
  const whose = found.from === 'ours' ? 'made here' : 'kept for another';
  printLine(
    context,
    `${code} is the checkpoint of ${found.sequence} entries of ${neutralise(found.organisation)}, ${found.at}, ${whose}.`,
  );
}

function unknown(what: string): HomewardError {
  return new HomewardError(
    'HW_AUDIT_WITNESS',
    `expected ${what}, received none: it was never here, or history was rewritten since it was written down; compare with homeward audit verify`,
  );
}

const VERDICTS: Readonly<Record<KeptCopy['verdict'], string>> = {
  first: 'kept, the first one',
  known: 'kept before',
  same: 'kept, of the same entries as the one before',
  follows: 'kept, and goes on from the one before',
  unlinked: 'kept; nothing links it to the one before, ask for those between',
  conflict: 'CONTRADICTS the one kept before: history was rewritten. Both are kept as evidence',
};

function copyText(copy: KeptCopy): string {
  const changed = copy.keyChanged ? '; signed with another key, ask by another way whether it was changed' : '';
  return `${neutralise(copy.organisation)}, ${copy.sequence} entries, ${copy.code}: ${VERDICTS[copy.verdict]}${changed}.`;
}

async function alarms(context: CliContext, options: AlarmOptions): Promise<void> {
  const { clear, justification } = options;
  if (clear !== undefined && (justification === undefined || justification.trim() === '')) {
    throw new HomewardError(
      'HW_PURPOSE_REQUIRED',
      'expected --justification for clearing an alarm, received none; say what it was, it is recorded',
    );
  }
  const { config } = await configFor(context, options);
  if (clear !== undefined) {
    const cleared = await withDatabase(
      config,
      async (db) =>
        await withAudit(
          db,
          auditActOf(config, 'alteration', 'audit alarms clear', { justification: justification ?? '' }),
          async () => ({
            result: await clearAuditAlarms(db, { upTo: clear, by: config.actor, justification: justification ?? '' }),
            objects: [`audit alarms up to ${clear}`],
          }),
        ),
    );
    printLine(context, `${cleared} alarms cleared.`);
    return;
  }
  const open = await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'consultation', 'audit alarms'), async () => ({
        result: await openAuditAlarms(db),
      })),
  );
  if (options.json) printLine(context, JSON.stringify(open, null, 2));
  else if (open.length === 0) printLine(context, 'No alarm is open.');
  else {
    for (const alarm of open) {
      const where = `${neutralise(alarm.organisation)}, entry ${alarm.sequence}`;
      printLine(context, `${alarm.alarmId}  ${alarm.at}  ${alarm.kind}  ${where}: ${neutralise(alarm.detail)}`);
    }
  }
}
