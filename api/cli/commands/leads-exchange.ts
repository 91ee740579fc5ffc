import { open, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Command, Option } from 'commander';
import { withAudit } from '../../../engine/audit/with-audit.ts';
import { leadCsv, leadFile } from '../../../engine/leads/export-leads.ts';
import {
  type ImportedRow,
  importDispositions,
  MOST_DISPOSITION_BYTES,
} from '../../../engine/leads/import-dispositions.ts';
import { detailedLeads } from '../../../engine/leads/queue.ts';
import { LEAD_STATES, type LeadState } from '../../../engine/leads/verdicts.ts';
import { EXIT, HomewardError } from '../../../schemas/error.ts';
import { auditActOf } from '../../compose/audit-act.ts';
import { withDatabase } from '../../compose/open-database.ts';
import { counted } from '../../report/figures.ts';
import { neutralise } from '../../report/neutralise.ts';
import {
  type CliContext,
  type CommonOptions,
  configFor,
  existingPath,
  printLine,
  withCommonOptions,
} from '../context.ts';

const MOST_EXPORTED = 100_000;

interface ExportOptions extends CommonOptions {
  readonly case?: string;
  readonly series?: string;
  readonly state?: LeadState;
  readonly out?: string;
  readonly format: 'json' | 'csv';
}

/** What goes to the unit's own viewer and what comes back from it. */
export function registerLeadExchange(leads: Command, context: CliContext): void {
  withCommonOptions(leads.command('export'))
    .description(
      "for the unit's own viewer: exhibit, raw path, SHA-256 and face boxes, without anybody's decision (recorded)",
    )
    .option('--case <ref>', 'of this case only')
    .option('--series <name>', 'against series of this name only')
    .addOption(
      new Option('--state <state>', 'in this state (default: what waits for somebody)').choices([...LEAD_STATES]),
    )
    .addOption(
      new Option('--format <format>', 'json, or csv with a row for each place and face')
        .choices(['json', 'csv'])
        .default('json'),
    )
    .option('--out <file>', 'file to write (default: stdout)')
    .addHelpText(
      'after',
      '\nNames and paths are in full.\n\nExample:\n  homeward leads export --case 2026-0412 --out leads.json',
    )
    .action(async (options: ExportOptions) => await exportLeads(context, options));
  withCommonOptions(leads.command('import'))
    .description('take dispositions back from the viewer (JSON or CSV), each row by itself')
    .argument('<file>')
    .option('--json', 'print the outcome of every row as JSON')
    .addHelpText(
      'after',
      '\nExit code 4 when a row was refused; the others are taken.\n\nExample:\n  homeward leads import dispositions.json',
    )
    .action(async (file: string, options: CommonOptions & { json?: true }) => await importFile(context, file, options));
}

async function exportLeads(context: CliContext, options: ExportOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const file = await withDatabase(
    config,
    async (db) =>
      await withAudit(
        db,
        auditActOf(config, 'consultation', 'leads export', {
          ...(options.case === undefined ? {} : { case: options.case }),
          reveal: true,
        }),
        async () => {
          const leads = await detailedLeads(db, {
            ...(options.case === undefined ? {} : { caseRef: options.case }),
            ...(options.series === undefined ? {} : { series: options.series }),
            ...(options.state === undefined ? {} : { states: [options.state] }),
            viewer: config.actor,
            most: MOST_EXPORTED,
          });
          const text = leadFile(leads, new Date().toISOString());
          // Within the act: what could not be written was not exported.
          await deliver(
            context,
            options,
            options.format === 'csv' ? leadCsv(text) : `${JSON.stringify(text, null, 2)}\n`,
          );
          return { result: text, objects: leads.slice(0, 999).map((lead) => `lead ${lead.leadId}`) };
        },
      ),
  );
  if (options.out !== undefined)
    context.stderr.write(`${counted(file.leads.length, 'lead')} written to ${options.out}.\n`);
}

async function deliver(context: CliContext, options: ExportOptions, text: string): Promise<void> {
  if (options.out === undefined) {
    context.stdout.write(text);
    return;
  }
  try {
    await writeFile(path.resolve(context.workingFolder, options.out), text, { mode: 0o600 });
  } catch (error) {
    throw new HomewardError(
      'HW_OUTPUT_UNWRITABLE',
      `expected to be able to write ${JSON.stringify(options.out)}, received ${error instanceof Error && 'code' in error ? String(error.code) : 'an error'}; choose a folder that exists and is writable`,
      { cause: error },
    );
  }
}

async function importFile(context: CliContext, given: string, options: CommonOptions & { json?: true }): Promise<void> {
  const { config } = await configFor(context, options);
  const bytes = await readBounded(existingPath(context, given, 'a file of dispositions'));
  const rows = await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'alteration', 'leads import'), async () => {
        const imported = await importDispositions(db, bytes);
        const leads = [...new Set(imported.filter((one) => one.outcome === 'recorded').map((one) => one.leadId))];
        return { result: imported, objects: leads.slice(0, 999).map((leadId) => `lead ${leadId}`) };
      }),
  );
  if (options.json)
    printLine(
      context,
      JSON.stringify(
        rows.map(({ decided: _decided, ...rest }) => rest),
        null,
        2,
      ),
    );
  else for (const line of importText(rows)) printLine(context, line);
  if (rows.some((one) => one.outcome === 'refused')) context.exit.code = EXIT.someItemsFailed;
}

async function readBounded(file: string): Promise<Buffer> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    if (size > MOST_DISPOSITION_BYTES) {
      throw new HomewardError(
        'HW_LEAD_FILE',
        `expected a file of dispositions of up to ${MOST_DISPOSITION_BYTES} bytes, received ${size}; divide it`,
      );
    }
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

function importText(rows: readonly ImportedRow[]): string[] {
  const of = (outcome: ImportedRow['outcome']) => rows.filter((one) => one.outcome === outcome);
  return [
    `${counted(of('recorded').length, 'disposition')} recorded, ${of('alreadyRecorded').length} recorded before, ${of('refused').length} refused.`,
    ...of('refused').map((one) => `  row ${one.row}: ${one.reason}: ${neutralise(one.says ?? '')}`),
    ...of('recorded').flatMap((one) => (one.says === null ? [] : [`  lead ${one.leadId}: ${one.says}`])),
  ];
}
