import { constants, createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { Server, TlsOptions } from 'node:tls';
import type { TlsSettings } from '../../schemas/config.ts';
import { HomewardError } from '../../schemas/error.ts';
import { repeatedly } from './repeatedly.ts';

const LOOK_EVERY_MS = 60_000;
/** Permissions of anybody but the owner. */
const OTHERS = 0o077;

/**
 * Reads and checks the files of what a server speaks TLS with, and asks clients for certificates where authorities of theirs are named.
 * @throws HW_CONFIG_INVALID for one that is not there, no PEM, over, a key that others may read, and a key of another certificate
 */
export async function readTls({ certificateFile, keyFile, clientAuthorityFile }: TlsSettings): Promise<TlsOptions> {
  const [cert, key] = [await read(certificateFile), await read(keyFile)];
  if (process.platform !== 'win32' && ((await stat(keyFile)).mode & OTHERS) !== 0)
    throw invalid(`a key that its owner alone may read in ${keyFile}`, 'one that others may read', 'chmod 600 it');
  const certificate = parsed(certificateFile, () => new X509Certificate(cert));
  if (!certificate.checkPrivateKey(parsed(keyFile, () => createPrivateKey(key))))
    throw invalid(`the key of the certificate in ${keyFile}`, 'another key', 'name the two that belong together');
  if (Date.parse(certificate.validTo) <= Date.now())
    throw invalid(
      `a certificate in force in ${certificateFile}`,
      `one that was over on ${certificate.validTo}`,
      'renew it',
    );
  const ca = clientAuthorityFile === null ? null : await read(clientAuthorityFile);
  if (ca !== null && clientAuthorityFile !== null) parsed(clientAuthorityFile, () => new X509Certificate(ca));
  if (ca === null) return { cert, key, minVersion: 'TLSv1.2' };
  return {
    cert,
    key,
    ca,
    requestCert: true,
    // The guard refuses, in the words of every refusal; a connection cut by TLS tells an operator nothing.
    rejectUnauthorized: false,
    // Each connection proves its certificate anew; what OpenSSL understands by this under 1.2 resumes all the same.
    minVersion: 'TLSv1.3',
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

/** Has a server take renewed files without a restart. Some that cannot be used are told again and again, and those before stay in use. */
export function followTls(
  server: Pick<Server, 'setSecureContext'>,
  settings: TlsSettings,
  onError: (error: unknown) => void,
  lookEveryMs = LOOK_EVERY_MS,
): AsyncDisposable {
  return repeatedly(lookEveryMs, async () => server.setSecureContext(await readTls(settings)), onError);
}

async function read(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no answer';
    throw invalid(`a file that can be read at ${file}`, code, 'correct the setting tls or the file');
  }
}

function parsed<T>(file: string, parse: () => T): T {
  try {
    return parse();
  } catch {
    throw invalid(`PEM in ${file}`, 'something else', 'convert it, or name the right file');
  }
}

const invalid = (expected: string, received: string, todo: string): HomewardError =>
  new HomewardError('HW_CONFIG_INVALID', `expected ${expected}, received ${received}; ${todo}`);
