import { type Command, Option } from 'commander';
import { addApiKey, type ListedKey, listApiKeys, revokeApiKey } from '../../../engine/access/credentials.ts';
import { findOrAddPrincipal } from '../../../engine/access/principals.ts';
import { ROLES, type Role, type StandingReason } from '../../../schemas/access.ts';
import { HomewardError } from '../../../schemas/error.ts';
import { neutralise } from '../../report/neutralise.ts';
import { type CliContext, type CommonOptions, printLine, withCommonOptions } from '../context.ts';
import { positiveInteger } from '../option-values.ts';
import { actOnAccess, registerAccessList } from '../run-access.ts';

interface AddOptions extends CommonOptions {
  readonly label: string;
  readonly role: readonly Role[];
  readonly days: number;
  readonly standingPurpose?: string;
  readonly standingJustification?: string;
}

export function registerKey(program: Command, context: CliContext): void {
  const key = program.command('key').description('API keys: add, revoke, list');
  withCommonOptions(key.command('add'))
    .description('make a key for a caller, who is added where he is not there yet; it is printed once')
    .argument('<organisation-id>')
    .requiredOption('--label <text>', 'whose it is, as the audit trail names it')
    .addOption(new Option('--role <role...>', 'what it may be used for').choices(ROLES).makeOptionMandatory())
    .option('--days <n>', 'days that it is valid', positiveInteger, 90)
    .option(
      '--standing-purpose <code>',
      'for a lab tool that cannot state why it asks: recorded with all that it hands in below /vics',
    )
    .option('--standing-justification <text>', 'the same, in a sentence')
    .addHelpText('after', '\nExample:\n  homeward key add lab-north --label "intake station" --role lab --days 180')
    .action(async (organisationId: string, options: AddOptions) => await add(context, organisationId, options));
  withCommonOptions(key.command('revoke'))
    .description('end a key; it stops answering within a second')
    .argument('<key-id>', 'the part between the two _')
    .addHelpText('after', '\nExample:\n  homeward key revoke 0123456789abcdef')
    .action(async (keyId: string, options: CommonOptions) => {
      await actOnAccess(context, options, 'alteration', 'key revoke', async (db, by) => {
        await revokeApiKey(db, keyId, by);
        return { result: undefined, objects: [`key ${keyId}`] };
      });
      printLine(context, `Revoked ${keyId}.`);
    });
  registerAccessList(key, context, {
    action: 'key list',
    description: 'keys and whose they are, never their secrets',
    read: listApiKeys,
    lineOf: textOf,
    none: 'There is no key; homeward admin init makes the first one.',
  });
}

async function add(context: CliContext, organisationId: string, options: AddOptions): Promise<void> {
  const made = await actOnAccess(context, options, 'alteration', 'key add', async (db, by) => {
    const { label, role: roles, days: validDays } = options;
    const principalId = await findOrAddPrincipal(db, { organisationId, kind: 'key', label, roles }, by);
    const result = await addApiKey(
      db,
      { principalId, roles, validDays, standingReason: standingReasonOf(options) },
      by,
    );
    return { result, objects: [`organisation ${organisationId}`, `principal ${principalId}`, `key ${result.keyId}`] };
  });
  printLine(context, `Key of ${neutralise(options.label)}, valid until ${made.expiresAt}, shown this once:`);
  printLine(context, made.presented);
}

function standingReasonOf({ standingPurpose, standingJustification }: AddOptions): StandingReason | null {
  if (standingPurpose === undefined && standingJustification === undefined) return null;
  if (standingPurpose === undefined || standingJustification === undefined)
    throw new HomewardError(
      'HW_USAGE',
      'expected --standing-purpose and --standing-justification together, received one of them; give both or none',
    );
  return { purpose: standingPurpose, justification: standingJustification };
}

function textOf({ keyId, organisationId, label, roles, standingPurpose, expiresAt, revokedAt }: ListedKey): string {
  const until = revokedAt === null ? `until ${expiresAt}` : `revoked ${revokedAt}`;
  const standing = standingPurpose === null ? '' : `, of a tool for ${standingPurpose}`;
  return `${keyId}: ${neutralise(label)} of ${organisationId}, ${roles.join(', ')}${standing}, ${until}`;
}
