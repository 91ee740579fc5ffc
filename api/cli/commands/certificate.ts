import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type Command, Option } from 'commander';
import {
  addCertificate,
  type ListedCertificate,
  listCertificates,
  revokeCertificate,
} from '../../../engine/access/credentials.ts';
import { findOrAddPrincipal } from '../../../engine/access/principals.ts';
import { ROLES, type Role } from '../../../schemas/access.ts';
import { HomewardError } from '../../../schemas/error.ts';
import { neutralise } from '../../report/neutralise.ts';
import { type CliContext, type CommonOptions, printLine, withCommonOptions } from '../context.ts';
import { actOnAccess, registerAccessList } from '../run-access.ts';

interface AddOptions extends CommonOptions {
  readonly label: string;
  readonly role: readonly Role[];
}

export function registerCertificate(program: Command, context: CliContext): void {
  const certificate = program.command('certificate').description('client certificates: add, revoke, list');
  withCommonOptions(certificate.command('add'))
    .description('let a client certificate in for a caller, who is added where he is not there yet')
    .argument('<organisation-id>')
    .argument('<file>', 'the certificate, PEM or DER; never its key')
    .requiredOption('--label <text>', 'whose it is, as the audit trail names it')
    .addOption(new Option('--role <role...>', 'what it may be used for').choices(ROLES).makeOptionMandatory())
    .addHelpText(
      'after',
      '\nExample:\n  homeward certificate add lab-north station.pem --label "intake station" --role lab',
    )
    .action(
      async (organisationId: string, file: string, options: AddOptions) =>
        await add(context, organisationId, file, options),
    );
  withCommonOptions(certificate.command('revoke'))
    .description('end a certificate; it stops answering within a second')
    .argument('<sha256>', 'as homeward certificate list shows it')
    .addHelpText('after', `\nExample:\n  homeward certificate revoke ${'0123456789abcdef'.repeat(4)}`)
    .action(async (sha256: string, options: CommonOptions) => {
      if (!/^[0-9a-f]{64}$/i.test(sha256))
        throw new HomewardError(
          'HW_USAGE',
          `expected 64 hexadecimal characters, received ${sha256.length}; homeward certificate list shows them`,
        );
      await actOnAccess(context, options, 'alteration', 'certificate revoke', async (db, by) => {
        await revokeCertificate(db, Buffer.from(sha256, 'hex'), by);
        return { result: undefined, objects: [`certificate ${sha256.toLowerCase()}`] };
      });
      printLine(context, `Revoked ${sha256.toLowerCase()}.`);
    });
  registerAccessList(certificate, context, {
    action: 'certificate list',
    description: 'client certificates and whose they are',
    read: listCertificates,
    lineOf: textOf,
    none: 'There is no client certificate; homeward certificate add lets one in.',
  });
}

async function add(context: CliContext, organisationId: string, file: string, options: AddOptions): Promise<void> {
  const certificate = await readCertificate(path.resolve(context.workingFolder, file));
  const sha256 = Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex');
  const expiresAt = new Date(certificate.validTo).toISOString();
  await actOnAccess(context, options, 'alteration', 'certificate add', async (db, by) => {
    const { label, role: roles } = options;
    const principalId = await findOrAddPrincipal(db, { organisationId, kind: 'certificate', label, roles }, by);
    await addCertificate(db, { principalId, sha256, expiresAt }, by);
    return {
      result: undefined,
      objects: [`organisation ${organisationId}`, `principal ${principalId}`, `certificate ${sha256.toString('hex')}`],
    };
  });
  printLine(context, `Let in ${sha256.toString('hex')} of ${neutralise(options.label)}, until ${expiresAt}.`);
}

async function readCertificate(file: string): Promise<X509Certificate> {
  try {
    return new X509Certificate(await readFile(file));
  } catch (error) {
    throw new HomewardError(
      'HW_USAGE',
      `expected a certificate in PEM or DER in ${file}, received something else or nothing; name the certificate of the client, not its key`,
      { cause: error },
    );
  }
}

function textOf({ sha256, organisationId, label, expiresAt, revokedAt }: ListedCertificate): string {
  const until = revokedAt === null ? `until ${expiresAt}` : `revoked ${revokedAt}`;
  return `${sha256}: ${neutralise(label)} of ${organisationId}, ${until}`;
}
