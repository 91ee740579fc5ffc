import assert from 'node:assert/strict';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TlsOptions } from 'node:tls';
import { assignCase, openCase } from '../../engine/access/cases.ts';
import { openAccess } from '../../engine/access/open-access.ts';
import { FIRST, PURPOSE, seedKey, seedOrganisation, seedPurpose } from '../../engine/access/test-access-kit.ts';
import { clockSteppedBack } from '../../engine/audit/alarms.ts';
import { AuditWriter } from '../../engine/audit/audit-writer.ts';
import { PgvectorScan } from '../../engine/search/pgvector-scan.ts';
import type { Db } from '../../engine/store/db.ts';
import { UploadStore } from '../../engine/upload/upload-store.ts';
import type { Role } from '../../schemas/access.ts';
import type { IdentityProvider } from '../../schemas/config.ts';
import { buildApp, HTTP_LIMITS, type HttpLimits, type LogLine } from './app.ts';
import { IdentityTokens } from './identity-tokens.ts';
import type { TypedApp } from './typed-app.ts';

/** For tests: the whole app over a real database, called without a socket. */

export const CONTACT = 'duty desk, ext. 7';

/** A request to look at material, with what is changed of it. */
export const submission = (changed: object = {}) => ({
  kind: 'seizure',
  urgent: false,
  exhibit: 'E7',
  mode: 'exact',
  models: false,
  source: { kind: 'path', root: 'evidence', path: 'disk-1' },
  ...changed,
});

export type Method = 'GET' | 'POST' | 'PATCH' | 'PUT';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Caller {
  readonly organisationId: string;
  readonly principalId: string;
  readonly caseId: string;
  /** Calls with key, purpose, justification and case; `headers` take their place, undefined leaves one out. */
  call(
    method: Method,
    url: string,
    body?: object,
    headers?: Readonly<Record<string, string | undefined>>,
  ): Promise<Answer>;
  /** What each call carries. */
  stated(): Readonly<Record<string, string>>;
  /** The same with a body as it is sent. */
  raw(
    method: Method,
    url: string,
    payload: string | Buffer | undefined,
    headers: Readonly<Record<string, string | undefined>>,
  ): Promise<Answer>;
}

export class HttpUnderTest implements AsyncDisposable {
  readonly app: TypedApp;
  readonly db: Db;
  readonly log: LogLine[];
  readonly #close: () => Promise<void>;
  wakes = 0;
  #home: string | null = null;

  private constructor(app: TypedApp, db: Db, log: LogLine[], close: () => Promise<void>) {
    this.app = app;
    this.db = db;
    this.log = log;
    this.#close = close;
  }

  static async open(
    openDb: () => Promise<Db>,
    limits: HttpLimits = HTTP_LIMITS,
    tls: TlsOptions | null = null,
    providers: readonly IdentityProvider[] = [],
  ): Promise<HttpUnderTest> {
    const db = await openDb();
    await seedPurpose(db);
    const access = await openAccess(db);
    const audit = new AuditWriter(db);
    const log: LogLine[] = [];
    const uploadFolder = await mkdtemp(path.join(tmpdir(), 'homeward-uploads-'));
    const wake = (): void => {
      opened.wakes += 1;
    };
    const app = await buildApp(
      {
        db,
        access,
        tokens: new IdentityTokens(providers),
        audit,
        chainOf: async (organisationId) => organisationId,
        clockSteppedBack: async () => await clockSteppedBack(db),
        bits: new PgvectorScan(db),
        contact: CONTACT,
        uploads: new UploadStore(db, uploadFolder, generateKeyPairSync('x25519').publicKey),
        uploadBudget: { mostBytes: 10_000_000, mostBytesOfOrganisation: 20_000_000, mostOfOrganisation: 100 },
        wake,
        refuseSource: async () => undefined,
        readiness: async () => [{ part: 'database', ready: true, reason: '' }],
        log: (line) => log.push(line),
      },
      limits,
      tls,
    );
    const opened = new HttpUnderTest(app, db, log, async () => {
      await app.close();
      await audit[Symbol.asyncDispose]();
      await access.close();
      await db.close();
      await rm(uploadFolder, { recursive: true, force: true });
    });
    return opened;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }

  /** The organisation that runs the engine. */
  async home(): Promise<string> {
    this.#home ??= (await seedOrganisation(this.db, 'home')).organisationId;
    return this.#home;
  }

  /** Somebody with a key and an open case. */
  async caller(
    terms: Parameters<typeof seedOrganisation>[1] | { readonly of: string } = {},
    roles: readonly Role[] = ['lab'],
  ): Promise<Caller> {
    const known = typeof terms === 'object' && 'of' in terms ? terms.of : null;
    const organisationId =
      known ??
      (await seedOrganisation(this.db, typeof terms === 'object' && 'of' in terms ? {} : terms)).organisationId;
    const { presented, principalId } = await seedKey(this.db, organisationId, roles);
    const worksOnCases = !roles.includes('auditor') && !roles.includes('administrator');
    const caseRef = `case-${randomUUID()}`;
    const caseId = await openCase(this.db, { organisationId, caseRef, jointUntil: null }, FIRST);
    if (worksOnCases) await assignCase(this.db, { caseId, principalId }, FIRST);
    const stated = () => ({
      authorization: `Bearer ${presented}`,
      'homeward-purpose': PURPOSE,
      'homeward-case': caseId,
      'homeward-justification': encodeURIComponent('Prüfung eines Asservats'),
      'idempotency-key': randomUUID(),
    });
    return {
      organisationId,
      principalId,
      caseId,
      stated,
      call: async (method, url, body, headers = {}) => await this.call(method, url, body, { ...stated(), ...headers }),
      raw: async (method, url, payload, headers) =>
        await this.#inject(method, url, { 'content-type': 'application/json', ...stated(), ...headers }, payload),
    };
  }

  async call(
    method: Method,
    url: string,
    body?: object,
    headers: Readonly<Record<string, string | undefined>> = {},
  ): Promise<Answer> {
    return await this.#inject(method, url, headers, body);
  }

  async #inject(
    method: Method,
    url: string,
    headers: Readonly<Record<string, string | undefined>>,
    payload: object | string | Buffer | undefined,
  ): Promise<Answer> {
    const given = Object.fromEntries(
      Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    );
    const sent = { method, url, headers: given, ...(payload === undefined ? {} : { payload }) };
    const response = await this.app.inject(sent);
    const text = response.payload;
    const isJson = String(response.headers['content-type'] ?? '').includes('json');
    return { status: response.statusCode, headers: response.headers, text, body: isJson ? JSON.parse(text) : {} };
  }
}

export function assertProblem(answer: Answer, status: number, code: string): void {
  assert.deepEqual({ status: answer.status, code: answer.body['code'] }, { status, code }, answer.text);
  assert.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8');
}
