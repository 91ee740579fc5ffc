import type { Command } from 'commander';
import type { Actor } from '../../engine/access/access-error.ts';
import { type Audited, withAudit } from '../../engine/audit/with-audit.ts';
import type { Db } from '../../engine/store/db.ts';
import type { AuditOperation } from '../../schemas/audit.ts';
import type { Config } from '../../schemas/config.ts';
import { auditActOf } from '../compose/audit-act.ts';
import { withDatabase } from '../compose/open-database.ts';
import { type CliContext, type CommonOptions, configFor, printLine, withCommonOptions } from './context.ts';

/** Runs one act upon who may do what, recorded before and after, in the name of whoever is at the machine. */
export async function actOnAccess<T>(
  context: CliContext,
  options: CommonOptions,
  operation: AuditOperation,
  action: string,
  work: (db: Db, by: Actor, config: Config) => Promise<Audited<T>>,
): Promise<T> {
  const { config } = await configFor(context, options);
  return await withDatabase(
    config,
    async (db) =>
      await withAudit(
        db,
        auditActOf(config, operation, action),
        async () => await work(db, { label: config.actor, principalId: null }, config),
      ),
  );
}

/** A `list` command: what is there, a line each or as JSON. */
export function registerAccessList<T>(
  command: Command,
  context: CliContext,
  list: {
    readonly action: string;
    readonly description: string;
    readonly read: (db: Db) => Promise<readonly T[]>;
    readonly lineOf: (one: T) => string;
    readonly none: string;
  },
): void {
  withCommonOptions(command.command('list'))
    .description(list.description)
    .option('--json', 'as JSON')
    .addHelpText('after', `\nExample:\n  homeward ${list.action} --json`)
    .action(async (options: CommonOptions & { readonly json?: true }) => {
      const found = await actOnAccess(context, options, 'consultation', list.action, async (db) => ({
        result: await list.read(db),
      }));
      if (options.json) printLine(context, JSON.stringify(found, null, 2));
      else if (found.length === 0) printLine(context, list.none);
      else for (const one of found) printLine(context, list.lineOf(one));
    });
}
