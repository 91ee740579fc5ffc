import type { Command } from 'commander';
import { withAudit } from '../../../engine/audit/with-audit.ts';
import { EXIT } from '../../../schemas/error.ts';
import { auditActOf } from '../../compose/audit-act.ts';
import { withDatabase } from '../../compose/open-database.ts';
import { type CliContext, type CommonOptions, configFor, printLine, withCommonOptions } from '../context.ts';
import { rematchObjects, rematchText } from '../rematch-text.ts';
import { runRematch } from '../run-rematch.ts';

interface RematchOptions extends CommonOptions {
  readonly json?: true;
}

export function registerRematch(program: Command, context: CliContext): void {
  withCommonOptions(program.command('rematch'))
    .description(
      'compare stored material with known records that came after it; imports do so by themselves, this goes on where one was stopped',
    )
    .option('--json', 'print the outcome as JSON')
    .addHelpText('after', '\nExample:\n  homeward rematch')
    .action(async (options: RematchOptions) => await run(context, options));
}

async function run(context: CliContext, options: RematchOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const result = await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'combination', 'rematch'), async () => {
        const done = await runRematch(context, config, db);
        return {
          result: done,
          objects: rematchObjects(done),
          outcome: done.state === 'interrupted' ? 'interrupted' : 'done',
        };
      }),
  );
  if (options.json) printLine(context, JSON.stringify(result, null, 2));
  else for (const line of rematchText(result)) printLine(context, line);
  if (result.state === 'interrupted') context.exit.code = EXIT.interrupted;
}
