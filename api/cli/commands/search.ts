import type { Command } from 'commander';
import { withAudit } from '../../../engine/audit/with-audit.ts';
import { acknowledgeSearchAlarms, openSearchAlarms } from '../../../engine/store/queries/search-alarms.ts';
import { EXIT } from '../../../schemas/error.ts';
import { auditActOf } from '../../compose/audit-act.ts';
import { withDatabase } from '../../compose/open-database.ts';
import { checkConfiguredSearch } from '../../compose/open-search.ts';
import { groupDigits } from '../../report/figures.ts';
import { type CliContext, type CommonOptions, configFor, printLine, withCommonOptions } from '../context.ts';
import { positiveInteger } from '../option-values.ts';

interface CheckOptions extends CommonOptions {
  readonly queries: number;
  readonly json?: true;
}

export function registerSearch(program: Command, context: CliContext): void {
  const search = program.command('search').description('the index of known hashes: check it, answer its alarms');
  withCommonOptions(search.command('check'))
    .description(
      'ask the index and the plain scan of the database the same, with hashes drawn anew; any difference is an alarm',
    )
    .option('--queries <number>', 'of each kind of hash', positiveInteger, 20)
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  homeward search check --queries 100')
    .action(async (options: CheckOptions) => await check(context, options));
  withCommonOptions(search.command('alarms'))
    .description('differences that were found and that nobody has answered for')
    .option('--acknowledge', 'take note of them: the cause is known')
    .option('--justification <text>', 'what the cause was, for the audit trail')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  homeward search alarms\n  homeward search alarms --acknowledge --justification "memory module replaced"',
    )
    .action(
      async (options: CommonOptions & { acknowledge?: true; justification?: string; json?: true }) =>
        await alarms(context, options),
    );
}

async function check(context: CliContext, options: CheckOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const done = await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'consultation', 'search check'), async () => ({
        result: await checkConfiguredSearch(db, config, options.queries),
      })),
  );
  if (options.json) printLine(context, JSON.stringify(done, null, 2));
  else {
    printLine(context, done.search);
    if (done.checks.length === 0) printLine(context, '  no perceptual hash is known yet, nothing to check');
    for (const { algorithm, queries, hits, differing } of done.checks)
      printLine(
        context,
        `  ${algorithm}: ${groupDigits(queries)} queries, ${groupDigits(hits)} hits, ${differing === 0 ? 'answered alike by index and scan' : `${groupDigits(differing)} ANSWERED OTHERWISE`}`,
      );
  }
  if (done.checks.some(({ differing }) => differing > 0)) context.exit.code = EXIT.someItemsFailed;
}

async function alarms(
  context: CliContext,
  options: CommonOptions & { acknowledge?: true; justification?: string; json?: true },
): Promise<void> {
  const { config } = await configFor(context, options);
  const operation = options.acknowledge ? 'alteration' : 'consultation';
  const act = auditActOf(
    config,
    operation,
    options.acknowledge ? 'search alarms acknowledge' : 'search alarms',
    options,
  );
  const open = await withDatabase(
    config,
    async (db) =>
      await withAudit(db, act, async () => {
        const found = await openSearchAlarms(db);
        if (options.acknowledge) await acknowledgeSearchAlarms(db, config.actor);
        return { result: found, objects: found.map(({ alarmId }) => `search alarm ${alarmId}`) };
      }),
  );
  if (options.json) printLine(context, JSON.stringify(open, null, 2));
  else if (open.length === 0) printLine(context, 'No open alarms.');
  else
    for (const { at, search, detail } of open)
      printLine(context, `${at} ${detail} (${search})${options.acknowledge ? ', acknowledged' : ''}`);
}
