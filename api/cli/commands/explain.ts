import type { Command } from 'commander';
import { withAudit } from '../../../engine/audit/with-audit.ts';
import { explainMatch } from '../../../engine/leads/explain.ts';
import { auditActOf } from '../../compose/audit-act.ts';
import { modelFacts } from '../../compose/model-facts.ts';
import { withDatabase } from '../../compose/open-database.ts';
import { type CliContext, type CommonOptions, configFor, printLine, withCommonOptions } from '../context.ts';

interface ExplainOptions extends CommonOptions {
  readonly hashes?: true;
}

export function registerExplain(program: Command, context: CliContext): void {
  withCommonOptions(program.command('explain'))
    .description('everything another tool needs to compute a match again, as JSON')
    .argument('<match>', 'm12: by digest or perceptual hash; v45: by model')
    .option('--hashes', 'perceptual hashes of both sides too (recorded)')
    .addHelpText('after', '\nNever a vector. Ids stand in homeward leads list.\n\nExample:\n  homeward explain v45')
    .action(async (match: string, options: ExplainOptions) => await explain(context, match, options));
}

async function explain(context: CliContext, match: string, options: ExplainOptions): Promise<void> {
  const { config } = await configFor(context, options);
  const hashes = options.hashes ?? false;
  const models = await modelFacts(config);
  const explained = await withDatabase(
    config,
    async (db) =>
      await withAudit(
        db,
        auditActOf(config, 'consultation', hashes ? 'explain with perceptual hashes' : 'explain'),
        async () => ({
          result: await explainMatch(db, match, { models, hashes }),
          objects: [`match ${match.slice(0, 20)}`],
        }),
      ),
  );
  printLine(context, JSON.stringify(explained, null, 2));
}
