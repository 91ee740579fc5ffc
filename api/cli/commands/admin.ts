import type { Command } from 'commander';
import { initAdministrator } from '../../../engine/access/init-administrator.ts';
import { neutralise } from '../../report/neutralise.ts';
import { type CliContext, type CommonOptions, printLine, withCommonOptions } from '../context.ts';
import { positiveInteger } from '../option-values.ts';
import { actOnAccess } from '../run-access.ts';

interface InitOptions extends CommonOptions {
  readonly label: string;
  readonly days: number;
}

export function registerAdmin(program: Command, context: CliContext): void {
  const admin = program.command('admin').description('the first administrator of an installation');
  withCommonOptions(admin.command('init'))
    .description(
      'make the organisation that runs the engine (its name is the --organisation) and its first administrator; once',
    )
    .argument('<organisation-id>', 'short, such as unit-7')
    .option('--label <text>', 'of the administrator, for the audit trail', 'local administrator')
    .option('--days <n>', 'days that the key is valid', positiveInteger, 90)
    .addHelpText(
      'after',
      '\nExample:\n  homeward admin init unit-7 --organisation "Regional unit 7" --label "on-call administrator"',
    )
    .action(async (organisationId: string, options: InitOptions) => await init(context, organisationId, options));
}

async function init(context: CliContext, organisationId: string, options: InitOptions): Promise<void> {
  const { made, name } = await actOnAccess(
    context,
    options,
    'alteration',
    'admin init',
    async (db, _by, { organisation }) => {
      const { label, days: validDays } = options;
      const made = await initAdministrator(db, { organisationId, name: organisation, label, validDays });
      return { result: { made, name: organisation }, objects: [`organisation ${organisationId}`, `key ${made.keyId}`] };
    },
  );
  printLine(
    context,
    `Organisation ${organisationId} (${neutralise(name)}) runs this engine; ${made.batches} batches are its own.`,
  );
  printLine(context, `Key of ${neutralise(options.label)}, valid until ${made.expiresAt}, shown this once:`);
  printLine(context, made.presented);
}
