import path from 'node:path';
import type { Command } from 'commander';
import { listAudit } from '../../../engine/audit/list.ts';
import { printedCode } from '../../../engine/audit/verify/printed-code.ts';
import { verifyFile } from '../../../engine/audit/verify/verify-file.ts';
import { withAudit } from '../../../engine/audit/with-audit.ts';
import type { AuditEntry } from '../../../schemas/audit.ts';
import { EXIT, HomewardError } from '../../../schemas/error.ts';
import { auditActOf } from '../../compose/audit-act.ts';
import { type DisclosureDetails, exportTo, proveTo } from '../../compose/audit-acts.ts';
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
import { registerAuditSigned } from './audit-signed.ts';

interface ListOptions extends CommonOptions {
  readonly of?: string;
  readonly from: number;
  readonly limit: number;
  readonly purpose?: string;
  readonly justification?: string;
  readonly case?: string;
  readonly json?: true;
}

interface ExportOptions extends CommonOptions {
  readonly of?: string;
  readonly out: string;
  readonly purpose?: string;
  readonly recipient?: string;
  readonly justification?: string;
}

interface VerifyOptions {
  readonly key: readonly string[];
  readonly witness: readonly string[];
  readonly code: readonly string[];
}

/** A sentence of the verifier with the longest name of an organisation in it. */
const LONGEST_SENTENCE = 1_000;

const several = (value: string, before: readonly string[]): readonly string[] => [...before, value];

/** What goes out of the unit: into which file, of whose audit, for whom and why. */
function withDisclosureOptions(command: Command): Command {
  return withCommonOptions(command)
    .requiredOption('--out <file>', 'file to write')
    .option('--of <organisation>', 'whose (default: that on whose behalf)')
    .option('--purpose <code>', 'what for')
    .option('--recipient <name>', 'for whom')
    .option('--justification <text>', 'why');
}

export function registerAudit(program: Command, context: CliContext): void {
  const audit = program.command('audit').description('who did what and why: read, export, verify, checkpoints, keys');
  withCommonOptions(audit.command('list'))
    .description('read the audit of an organisation (recorded as a consultation)')
    .option('--of <organisation>', 'whose (default: that on whose behalf)')
    .option('--from <n>', 'from this entry on', positiveInteger, 1)
    .option('--limit <n>', 'at most so many', positiveInteger, 100)
    .option('--justification <text>', 'why, for the audit trail')
    .option('--purpose <code>', 'for the audit trail')
    .option('--case <ref>', 'for the audit trail')
    .option('--json', 'as JSON, one entry a line')
    .addHelpText('after', '\nExample:\n  homeward audit list --justification "quarterly review" --from 120')
    .action(async (options: ListOptions) => await list(context, options));
  withDisclosureOptions(audit.command('export'))
    .description('write the audit of an organisation, signed, for somebody else to verify (recorded as a disclosure)')
    .addHelpText(
      'after',
      '\nExample:\n  homeward audit export --out audit.ndjson --purpose oversight --recipient "Data protection authority" --justification "yearly inspection"',
    )
    .action(async (options: ExportOptions) => await exportAll(context, options));
  withDisclosureOptions(audit.command('prove'))
    .description(
      'write one entry with the proof that it is in the audit, without the others (recorded as a disclosure)',
    )
    .argument('<entry>', 'its number', positiveInteger)
    .action(async (entry: number, options: ExportOptions) => await prove(context, entry, options));
  audit
    .command('verify')
    .description(
      'verify an export of the audit, or the proof of an entry; needs no database, and trusts nothing of this installation',
    )
    .argument('<file>')
    .option('--key <file>', 'public key (PEM) that you have from elsewhere; may be given several times', several, [])
    .option('--witness <file>', 'copies of checkpoints kept elsewhere; may be given several times', several, [])
    .option('--code <code>', 'printed code of a checkpoint; may be given several times', several, [])
    .addHelpText(
      'after',
      '\nExit code 4 when it is not whole. The same by itself, without this engine: node engine/audit/verify/main.ts FILE\n\nExample:\n  homeward audit verify audit.ndjson --key unit-7.pub.pem --witness kept.json',
    )
    .action(async (file: string, options: VerifyOptions) => await verify(context, file, options));
  registerAuditSigned(audit, context);
}

async function list(context: CliContext, options: ListOptions): Promise<void> {
  const justification = given(options.justification, '--justification for a look into the audit');
  const { config } = await configFor(context, options);
  const organisation = options.of ?? config.organisation;
  const entries = await withDatabase(
    config,
    async (db) =>
      await withAudit(
        db,
        {
          ...auditActOf(config, 'consultation', 'audit list', {
            justification,
            ...(options.purpose === undefined ? {} : { purpose: options.purpose }),
            ...(options.case === undefined ? {} : { case: options.case }),
          }),
          objects: [`audit of ${organisation} from entry ${options.from}, at most ${options.limit}`],
        },
        async () => {
          const found: AuditEntry[] = [];
          for await (const entry of listAudit(db, organisation, options.from - 1)) {
            if (found.push(entry) >= options.limit) break;
          }
          return { result: found };
        },
      ),
  );
  for (const entry of entries) printLine(context, options.json ? JSON.stringify(entry) : entryText(entry));
}

function entryText(entry: AuditEntry): string {
  const told = [
    ['for', entry.recipient],
    ['purpose', entry.purpose],
    ['because', entry.justification],
    ['case', entry.caseRef],
    ['on', entry.objects.length === 0 ? null : entry.objects.slice(0, 3).join(', ')],
    ['and more', entry.objects.length > 3 ? String(entry.objects.length - 3) : null],
  ].flatMap(([word, value]) => (value === null || value === undefined ? [] : [`${word} ${neutralise(value)}`]));
  const who = `${neutralise(entry.actor)} at ${neutralise(entry.node)}`;
  const what = `${entry.operation} ${neutralise(entry.action)} ${entry.outcome}`;
  return [`${entry.sequence}  ${entry.at}  ${what}  ${who}`, ...told].join('; ');
}

function detailsOf(options: ExportOptions): DisclosureDetails {
  return {
    purpose: given(options.purpose, '--purpose for a disclosure'),
    recipient: given(options.recipient, '--recipient for a disclosure'),
    justification: given(options.justification, '--justification for a disclosure'),
  };
}

async function prove(context: CliContext, entry: number, options: ExportOptions): Promise<void> {
  const details = detailsOf(options);
  const { config } = await configFor(context, options);
  const out = path.resolve(context.workingFolder, options.out);
  const { digest } = await proveTo(config, options.of ?? config.organisation, entry, out, details);
  printLine(context, `Entry ${entry} and its proof written to ${options.out}.`);
  printLine(context, `Code of the checkpoint: ${printedCode(digest)}`);
}

async function exportAll(context: CliContext, options: ExportOptions): Promise<void> {
  const details = detailsOf(options);
  const { config } = await configFor(context, options);
  const out = path.resolve(context.workingFolder, options.out);
  const { checkpoint, digest } = await exportTo(config, options.of ?? config.organisation, out, details);
  printLine(context, `${checkpoint.sequence} entries written to ${options.out}.`);
  printLine(context, `Code of the last checkpoint: ${printedCode(digest)}`);
}

async function verify(context: CliContext, given: string, options: VerifyOptions): Promise<void> {
  const resolve = (file: string, what: string): string => existingPath(context, file, what);
  const request = {
    file: resolve(given, 'an export of the audit'),
    keys: options.key.map((file) => resolve(file, '--key')),
    witnesses: options.witness.map((file) => resolve(file, '--witness')),
    codes: options.code,
  };
  try {
    const { whole, lines } = await verifyFile(request);
    for (const line of lines) printLine(context, neutralise(line, LONGEST_SENTENCE));
    if (!whole) context.exit.code = EXIT.someItemsFailed;
  } catch (error) {
    const says = error instanceof TypeError ? error.message : 'expected files that can be read';
    throw new HomewardError('HW_AUDIT_EXPORT', `${says}, received something else; check what was given`, {
      cause: error,
    });
  }
}

/** Law asks for these of who looks and who hands on; an empty one is none. */
function given(value: string | undefined, what: string): string {
  if (value !== undefined && value.trim() !== '') return value;
  throw new HomewardError('HW_PURPOSE_REQUIRED', `expected ${what}, received none; give it, it is recorded`);
}
