import type { Command } from 'commander';
import { withAudit } from '../../../engine/audit/with-audit.ts';
import { listSuspended, resumeRecord, type SuspendedRecord } from '../../../engine/hashset/suspend.ts';
import { auditActOf } from '../../compose/audit-act.ts';
import { withDatabase } from '../../compose/open-database.ts';
import { neutralise } from '../../report/neutralise.ts';
import { type CliContext, type CommonOptions, configFor, printLine, withCommonOptions } from '../context.ts';
import { leadObjects, leadsText } from '../hashset-text.ts';
import { positiveInteger } from '../option-values.ts';
import { rematchObjects, rematchText } from '../rematch-text.ts';
import { runRematch } from '../run-rematch.ts';

export function registerHashsetSuspended(hashset: Command, context: CliContext): void {
  withCommonOptions(hashset.command('suspended'))
    .description('records that hit too many unrelated cases, by source, to be told')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  homeward hashset suspended --json')
    .action(async (options: CommonOptions & { readonly json?: true }) => await suspended(context, options));
  withCommonOptions(hashset.command('resume'))
    .description('take a suspended record into the search again; it is not suspended by the same rule any more')
    .argument('<record>', 'its number', positiveInteger)
    .requiredOption('--justification <text>', 'why, for the audit trail')
    .addHelpText(
      'after',
      '\nExample:\n  homeward hashset resume 4711 --justification "seen: a picture of the series, shared widely"',
    )
    .action(
      async (recordId: number, options: CommonOptions & { readonly justification: string }) =>
        await resume(context, recordId, options),
    );
}

async function suspended(context: CliContext, options: CommonOptions & { readonly json?: true }): Promise<void> {
  const { config } = await configFor(context, options);
  const records = await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'consultation', 'hashset suspended'), async () => ({
        result: await listSuspended(db),
      })),
  );
  if (options.json) printLine(context, JSON.stringify(records, null, 2));
  else if (records.length === 0) printLine(context, 'No record is suspended.');
  else for (const record of records) printLine(context, recordText(record));
}

async function resume(
  context: CliContext,
  recordId: number,
  options: CommonOptions & { readonly justification: string },
): Promise<void> {
  const { config } = await configFor(context, options);
  const { justification } = options;
  const { record, leads, rematched } = await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'alteration', 'hashset resume', options), async () => {
        const result = await resumeRecord(db, { recordId, resumedBy: config.actor, justification });
        const rematched = await runRematch(context, config, db);
        return {
          result: { ...result, rematched },
          objects: [
            `record ${recordId} of ${result.record.setName}`,
            ...leadObjects(result.leads),
            ...rematchObjects(rematched),
          ],
        };
      }),
  );
  printLine(context, `Searched again: ${recordText(record)}`);
  for (const line of [...leadsText(leads), ...rematchText(rematched)]) printLine(context, line);
}

function recordText({
  recordId,
  source,
  setName,
  setVersion,
  sourceKey,
  reason,
  suspendedAt,
}: SuspendedRecord): string {
  const key = sourceKey === null ? '' : `, key ${neutralise(sourceKey)}`;
  return `record ${recordId}${key} of ${neutralise(setName)} version ${setVersion} from ${neutralise(source)}: ${reason} (${suspendedAt})`;
}
