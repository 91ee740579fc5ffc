import { type Command, Option } from 'commander';
import { withAudit } from '../../../engine/audit/with-audit.ts';
import { SET_FORMATS, type SetFormat } from '../../../engine/hashset/formats/set-head.ts';
import { type UpdateResult, updateSetFile } from '../../../engine/hashset/update.ts';
import { EXIT } from '../../../schemas/error.ts';
import { auditActOf } from '../../compose/audit-act.ts';
import { withDatabase } from '../../compose/open-database.ts';
import { groupDigits } from '../../report/figures.ts';
import {
  type CliContext,
  type CommonOptions,
  configFor,
  existingPath,
  printLine,
  withCommonOptions,
} from '../context.ts';
import { countsText, leadObjects, leadsText, objectOf } from '../hashset-text.ts';
import { rematchObjects, rematchText } from '../rematch-text.ts';
import { runRematch } from '../run-rematch.ts';

interface UpdateOptions extends CommonOptions {
  readonly source: string;
  readonly name?: string;
  readonly format: 'auto' | SetFormat;
  readonly justification?: string;
  readonly json?: true;
}

export function registerHashsetUpdate(hashset: Command, context: CliContext): void {
  withCommonOptions(hashset.command('update'))
    .description('bring a delta into the set in force: records to add, to correct, to take back; whole or not at all')
    .argument('<file>')
    .requiredOption('--source <name>', 'who the set comes from')
    .option('--name <name>', 'name of the set, where its source has several')
    .addOption(new Option('--format <format>', 'format of the file').choices(['auto', ...SET_FORMATS]).default('auto'))
    .option('--justification <text>', 'lets a delta in that is ten times as large as usual; recorded')
    .option('--json', 'print the outcome as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  homeward hashset update national-delta-12.ndjson --source "Project VIC" --name national\n\nWithdrawals need NDJSON (docs/formats.md, Changes to a set); any other format adds and corrects.',
    )
    .action(async (file: string, options: UpdateOptions) => await update(context, file, options));
}

async function update(context: CliContext, file: string, options: UpdateOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const found = existingPath(context, file, 'a delta to a hash set');
  const { source, name, format, justification } = options;
  const result = await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'alteration', 'hashset update', options), async () => {
        const done = await updateSetFile(db, {
          file: found,
          source,
          ...(name === undefined ? {} : { name }),
          format,
          acceptFlood: justification !== undefined,
          appliedBy: config.actor,
          signal: context.stopSignal,
        });
        const rematched = done.state === 'interrupted' ? null : await runRematch(context, config, db);
        return {
          result: { ...done, rematched },
          objects: [
            `${objectOf(done)} revision ${done.revision}`,
            ...leadObjects(done.leads),
            ...(rematched === null ? [] : rematchObjects(rematched)),
          ],
          outcome: done.state === 'interrupted' ? 'interrupted' : 'done',
        };
      }),
  );
  if (options.json) printLine(context, JSON.stringify(result, null, 2));
  else
    for (const line of [...updateText(result), ...(result.rematched === null ? [] : rematchText(result.rematched))])
      printLine(context, line);
  if (result.state === 'interrupted') context.exit.code = EXIT.interrupted;
}

function updateText(result: UpdateResult): string[] {
  const { version, revision } = result;
  if (result.state === 'unchanged') return [`Unchanged: this delta is revision ${revision} of version ${version}.`];
  if (result.state === 'interrupted') return ['Stopped; nothing was changed.'];
  const { added, recategorised, replaced, withdrawn, notFound } = result;
  return [
    `Version ${version} is now at revision ${revision}: ${groupDigits(added)} records added, ${groupDigits(recategorised)} corrected, ${groupDigits(replaced)} given further hashes, ${groupDigits(withdrawn)} withdrawn.`,
    ...(notFound > 0
      ? [
          `  ${groupDigits(notFound)} withdrawals name no record of the set; ask its source whether a delta before this one is missing`,
        ]
      : []),
    ...countsText(result.rejected, result.notes),
    ...leadsText(result.leads),
  ];
}
