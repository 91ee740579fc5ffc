import { type Command, Option } from 'commander';
import { addSubject, type ListedLogin, listSubjects, revokeSubject } from '../../../engine/access/credentials.ts';
import { findOrAddPrincipal } from '../../../engine/access/principals.ts';
import { ROLES, type Role } from '../../../schemas/access.ts';
import { neutralise } from '../../report/neutralise.ts';
import { type CliContext, type CommonOptions, printLine, withCommonOptions } from '../context.ts';
import { actOnAccess, registerAccessList } from '../run-access.ts';

interface AddOptions extends CommonOptions {
  readonly label: string;
  readonly role: readonly Role[];
}

export function registerLogin(program: Command, context: CliContext): void {
  const login = program.command('login').description('people as OpenID Connect issuers name them: add, revoke, list');
  withCommonOptions(login.command('add'))
    .description('let a person in, who is added where he is not there yet; his roles are these, whatever a token says')
    .argument('<organisation-id>')
    .argument('<issuer>', 'one of identityProviders in the configuration')
    .argument('<subject>', 'the claim sub of his tokens')
    .requiredOption('--label <text>', 'who it is, as the audit trail names him')
    .addOption(new Option('--role <role...>', 'what he may do').choices(ROLES).makeOptionMandatory())
    .addHelpText(
      'after',
      '\nExample:\n  homeward login add unit https://sso.example.org 8f14e45f --label "A. Examiner" --role specialist',
    )
    .action(async (organisationId: string, issuer: string, subject: string, options: AddOptions) => {
      await actOnAccess(context, options, 'alteration', 'login add', async (db, by) => {
        const { label, role: roles } = options;
        const principalId = await findOrAddPrincipal(db, { organisationId, kind: 'person', label, roles }, by);
        await addSubject(db, { principalId, issuer, subject }, by);
        return { result: undefined, objects: [`organisation ${organisationId}`, `principal ${principalId}`] };
      });
      printLine(context, `Let in ${neutralise(options.label)} by ${neutralise(issuer)}.`);
    });
  withCommonOptions(login.command('revoke'))
    .description('end a login; it stops answering within a second')
    .argument('<issuer>')
    .argument('<subject>')
    .addHelpText('after', '\nExample:\n  homeward login revoke https://sso.example.org 8f14e45f')
    .action(async (issuer: string, subject: string, options: CommonOptions) => {
      await actOnAccess(context, options, 'alteration', 'login revoke', async (db, by) => {
        await revokeSubject(db, { issuer, subject }, by);
        return { result: undefined, objects: [`login ${subject.slice(0, 100)}`] };
      });
      printLine(context, 'Revoked.');
    });
  registerAccessList(login, context, {
    action: 'login list',
    description: 'logins and whose they are',
    read: listSubjects,
    lineOf: textOf,
    none: 'There is no login; homeward login add lets somebody in.',
  });
}

function textOf({ issuer, subject, organisationId, label, revokedAt }: ListedLogin): string {
  const state = revokedAt === null ? 'in force' : `revoked ${revokedAt}`;
  return `${neutralise(issuer)} ${neutralise(subject)}: ${neutralise(label)} of ${organisationId}, ${state}`;
}
