import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type ConnectionOptions, connect, TLSSocket } from 'node:tls';
import { followTls, readTls } from '../api/compose/tls-files.ts';
import { HTTP_LIMITS } from '../api/http/app.ts';
import { type Caller, HttpUnderTest } from '../api/http/test-http-kit.ts';
import { addCertificate, revokeCertificate } from '../engine/access/credentials.ts';
import { addPrincipal } from '../engine/access/principals.ts';
import { FIRST, isCode, PURPOSE, refusedAfterMs } from '../engine/access/test-access-kit.ts';
import { HomewardError } from '../schemas/error.ts';
import { openTestDb } from './pglite-template.ts';
import { until } from './until.ts';

/** Node makes no certificates; Debian and macOS come with what does. */
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const folder = mkdtempSync(path.join(tmpdir(), 'hw-tls-'));
const at = (name: string): string => path.join(folder, name);
after(() => rmSync(folder, { recursive: true, force: true }));

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', [...args], { cwd: folder, stdio: 'ignore' });
}
/** What a connection came to over which one request was answered. */
async function connection(port: number, options: ConnectionOptions): Promise<Connection> {
  const socket = connect({ port, host: '127.0.0.1', checkServerIdentity: () => undefined, ...options });
  const sessions: Buffer[] = [];
  socket.on('session', (session) => sessions.push(session));
  try {
    await once(socket, 'secureConnect');
    socket.write('GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    await once(socket, 'data');
    const name = socket.getPeerX509Certificate()?.subject ?? '';
    return { sessions, name, isReused: socket.isSessionReused(), protocol: socket.getProtocol() };
  } finally {
    socket.destroy();
  }
}
interface Connection {
  readonly sessions: readonly Buffer[];
  readonly name: string;
  readonly isReused: boolean;
  readonly protocol: string | null;
}
const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

function authority(name: string): void {
  openssl('req', '-x509', ...EC, '-keyout', `${name}.key`, '-out', `${name}.pem`, '-subj', `/CN=${name}`, '-days', '2');
}
function certificate(name: string, of: string): void {
  openssl('req', '-new', ...EC, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
  openssl(
    'x509',
    '-req',
    '-in',
    `${name}.csr`,
    '-CA',
    `${of}.pem`,
    '-CAkey',
    `${of}.key`,
    '-CAcreateserial',
    '-out',
    `${name}.pem`,
    '-days',
    '1',
  );
}

describe('files of TLS', () => {
  it('are refused where they are not there or no PEM, with what to do', async () => {
    writeFileSync(at('text'), 'no certificate');
    chmodSync(at('text'), 0o600);
    for (const file of ['absent', 'text'])
      await assert.rejects(
        readTls({ certificateFile: at(file), keyFile: at(file), clientAuthorityFile: null }),
        isCode('HW_CONFIG_INVALID'),
      );
  });
});

if (hasOpenssl)
  describe('a server with TLS that asks clients for certificates', () => {
    let http: HttpUnderTest;
    let port = 0;
    let lab: Caller;
    before(async () => {
      for (const name of ['server-ca', 'clients-ca', 'strangers-ca']) authority(name);
      certificate('server', 'server-ca');
      certificate('renewed', 'server-ca');
      for (const name of ['station', 'unknown', 'second']) certificate(name, 'clients-ca');
      certificate('stranger', 'strangers-ca');
      for (const name of ['server.key', 'station.key']) chmodSync(at(name), 0o600);
      const tls = await readTls({
        certificateFile: at('server.pem'),
        keyFile: at('server.key'),
        clientAuthorityFile: at('clients-ca.pem'),
      });
      http = await HttpUnderTest.open(openTestDb, HTTP_LIMITS, tls);
      lab = await http.caller();
      await letIn('station', lab.principalId);
      const { organisationId } = lab;
      const second = await addPrincipal(
        http.db,
        { organisationId, kind: 'certificate', label: 'second', roles: ['lab'] },
        FIRST,
      );
      await letIn('second', second);
      await letIn('stranger', lab.principalId);
      port = Number(new URL(await http.app.listen({ host: '127.0.0.1', port: 0 })).port);
    });
    after(async () => await http[Symbol.asyncDispose]());

    const sha256Of = (name: string): Buffer =>
      Buffer.from(new X509Certificate(readFileSync(at(`${name}.pem`))).fingerprint256.replaceAll(':', ''), 'hex');
    const letIn = async (name: string, principalId: string): Promise<void> =>
      await addCertificate(
        http.db,
        { principalId, sha256: sha256Of(name), expiresAt: new Date(Date.now() + 3_600_000).toISOString() },
        FIRST,
      );
    /** Status and code of GET /cases over a connection with this certificate. */
    const ask = async (
      name: string | null,
      headers: Readonly<Record<string, string>> = {},
      toPort = port,
    ): Promise<string> =>
      await new Promise((resolve, reject) => {
        const sent = request(
          {
            port: toPort,
            host: '127.0.0.1',
            path: '/cases',
            agent: false,
            ca: readFileSync(at('server-ca.pem')),
            checkServerIdentity: () => undefined,
            ...(name === null ? {} : { cert: readFileSync(at(`${name}.pem`)), key: readFileSync(at(`${name}.key`)) }),
            headers: {
              'homeward-purpose': PURPOSE,
              'homeward-justification': 'a%20list%20of%20my%20cases',
              ...headers,
            },
          },
          (response) => {
            let text = '';
            response.on('data', (part) => (text += String(part)));
            response.on('end', () =>
              resolve(
                `${response.statusCode} ${/"code":"(\w+)"/.exec(text)?.[1] ?? (text.length < 6 ? text : '')}`.trim(),
              ),
            );
          },
        );
        sent.on('error', reject);
        sent.end();
      });

    it('S5: lets in a certificate that an administrator let in, and no other one', async () => {
      assert.equal(await ask('station'), '200');
      for (const name of [null, 'unknown', 'stranger']) assert.equal(await ask(name), '401 HW_UNAUTHENTICATED');
    });

    it('S5: believes nothing that a header says of a certificate', async () => {
      const sha256 = sha256Of('station').toString('hex');
      assert.equal(
        await ask(null, { 'x-client-cert': sha256, 'ssl-client-verify': 'SUCCESS' }),
        '401 HW_UNAUTHENTICATED',
      );
    });

    it('S5: takes a key with the certificate of the same principal, and of no other one', async () => {
      const { authorization = '' } = lab.stated();
      assert.equal(await ask('station', { authorization }), '200');
      assert.equal(await ask(null, { authorization }), '200');
      assert.equal(await ask('second', { authorization }), '401 HW_UNAUTHENTICATED');
    });

    it('S5: has each connection prove its certificate: none resumes a session of an earlier one', async () => {
      const offered = {
        ca: readFileSync(at('server-ca.pem')),
        cert: readFileSync(at('station.pem')),
        key: readFileSync(at('station.key')),
      };
      const first = await connection(port, offered);
      assert.equal(first.protocol, 'TLSv1.3');
      for (const session of first.sessions)
        assert.equal((await connection(port, { ...offered, session })).isReused, false);
      await assert.rejects(
        connection(port, { ...offered, maxVersion: 'TLSv1.2' }),
        /protocol version|handshake|ECONNRESET/,
      );
    });

    it('S5: lets a revoked certificate in no more within a second', async () => {
      await revokeCertificate(http.db, sha256Of('station'), FIRST);
      const waitedMs = await refusedAfterMs(
        async () => {
          const answer = await ask('station');
          if (answer !== '200') throw new HomewardError('HW_UNAUTHENTICATED', answer);
        },
        'HW_UNAUTHENTICATED',
        1500,
      );
      assert.ok(waitedMs < 1000, `${waitedMs} ms`);
    });

    it('takes renewed files without a restart, of the server and of the authorities of its clients, and keeps those that are good', async () => {
      const files = { certificateFile: at('now.pem'), keyFile: at('now.key'), clientAuthorityFile: at('now-ca.pem') };
      const put = (server: string, authorities: string): void => {
        copyFileSync(at(`${authorities}.pem`), files.clientAuthorityFile);
        copyFileSync(at(`${server}.key`), files.keyFile);
        copyFileSync(at(`${server}.pem`), files.certificateFile);
      };
      put('server', 'clients-ca');
      chmodSync(files.keyFile, 0o600);
      const server = createServer(await readTls(files), ({ socket }, response) =>
        response.end(String(socket instanceof TLSSocket && socket.authorized)),
      );
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const address = server.address();
      assert.ok(typeof address === 'object' && address !== null);
      const told: unknown[] = [];
      try {
        await using following = followTls(server, files, (error) => told.push(error), 20);
        assert.ok(following);
        const nameOf = async (): Promise<string> =>
          (await connection(address.port, { rejectUnauthorized: false })).name;
        assert.equal(await nameOf(), 'CN=server');
        put('renewed', 'strangers-ca');
        await until(async () => (await nameOf()) === 'CN=renewed', 'a renewed certificate');
        assert.equal(await ask('stranger', {}, address.port), '200 true');
        assert.equal(await ask('station', {}, address.port), '200 false');
        writeFileSync(files.certificateFile, 'no certificate');
        const before = told.length;
        await until(() => told.length > before, 'a complaint about a file that is no certificate');
        assert.equal(await nameOf(), 'CN=renewed');
      } finally {
        await new Promise((resolve) => server.close(resolve));
      }
    });

    it('is not begun with a key that others may read, or of another certificate', async () => {
      const files = { certificateFile: at('server.pem'), keyFile: at('station.key'), clientAuthorityFile: null };
      await assert.rejects(readTls(files), /the key of the certificate/);
      chmodSync(at('server.key'), 0o644);
      await assert.rejects(readTls({ ...files, keyFile: at('server.key') }), /its owner alone may read/);
      chmodSync(at('server.key'), 0o600);
    });
  });
