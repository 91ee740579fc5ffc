import { Server } from 'node:https';
import { openAccess } from '../../engine/access/open-access.ts';
import { listOrganisations } from '../../engine/access/organisations.ts';
import { clockSteppedBack } from '../../engine/audit/alarms.ts';
import { AuditWriter } from '../../engine/audit/audit-writer.ts';
import { CheckpointSchedule } from '../../engine/audit/checkpoint-schedule.ts';
import { openDigestSearch } from '../../engine/search/digests/open-digest-search.ts';
import type { Db } from '../../engine/store/db.ts';
import type { Config } from '../../schemas/config.ts';
import { HomewardError } from '../../schemas/error.ts';
import { buildApp, type HttpLimits, type LogLine } from '../http/app.ts';
import { IdentityTokens } from '../http/identity-tokens.ts';
import { codedError } from '../http/problem.ts';
import type { TypedApp } from '../http/typed-app.ts';
import { purgeEndedAgreements } from './agreement-purges.ts';
import { auditKeyFile } from './audit-acts.ts';
import { evidencePath } from './evidence-root.ts';
import { openDatabase } from './open-database.ts';
import { openSearch } from './open-search.ts';
import { repeatedly } from './repeatedly.ts';
import { SubmissionRunner } from './submission-runner.ts';
import { followTls, readTls } from './tls-files.ts';
import { openUploads } from './upload-folder.ts';

/** A part of the service that is not up within this is not ready. */
const READY_WITHIN_MS = 2000;
/** A clock that stepped back stops decisions under agreements within this. */
const CLOCK_LOOK_MS = 500;
/** From the end of an agreement to the beginning of the purge that it names. */
const PURGE_LOOK_MS = 10_000;
const SWEEP_EVERY_MS = 10 * 60_000;

export interface ServeOptions {
  readonly config: Config;
  readonly log: (line: LogLine) => void;
  readonly limits?: HttpLimits;
}

export interface OpenService {
  readonly app: TypedApp;
  /** Refuses new requests, lets those under way end, stops what is scanned so that it goes on later. */
  close(): Promise<void>;
}

/** Everything that one process needs to serve the API and to look at what is handed in; not listening yet. */
export async function openService({ config, log, limits }: ServeOptions): Promise<OpenService> {
  await using opened = new AsyncDisposableStack();
  const tls = config.tls === null ? null : await readTls(config.tls);
  const db = opened.adopt(await openDatabase(config), async (one) => await one.close());
  const access = opened.adopt(await openAccess(db), async (one) => await one.close());
  const audit = opened.use(new AuditWriter(db));
  const checkpoints = opened.use(
    new CheckpointSchedule(db, {
      keyFile: auditKeyFile(config),
      dropFolder: config.auditDropFolder,
      onAlarm: (error, organisation) => log(failureLine('checkpoint', organisation ?? 'none', error)),
    }),
  );
  checkpoints.start();
  const bits = opened.adopt(await openSearch(db, config), async (one) => await one.close());
  const digests = opened.adopt(await openDigestSearch(db), async (one) => await one.close());
  const failed = (submissionId: string, error: unknown): void => log(failureLine('submission', submissionId, error));
  const uploads = await openUploads(db, config);
  opened.use(
    repeatedly(
      SWEEP_EVERY_MS,
      async () => await uploads.store.sweep(config.uploads),
      (error) => log(failureLine('upload sweep', 'none', error)),
    ),
  );
  const runner = new SubmissionRunner({ config, store: { db, bits, digests }, uploads, failed });
  await runner.start();
  opened.defer(async () => await runner.close());
  opened.use(
    repeatedly(
      PURGE_LOOK_MS,
      async () => await purgeEndedAgreements(db, config),
      (error) => log(failureLine('agreement purge', 'none', error)),
    ),
  );
  const app = await buildApp(
    {
      db,
      access,
      tokens: new IdentityTokens(config.identityProviders),
      audit,
      chainOf: chainNames(db, config),
      clockSteppedBack: askedAtMostEvery(CLOCK_LOOK_MS, async () => await clockSteppedBack(db)),
      bits,
      contact: config.contact ?? config.organisation,
      uploads: uploads.store,
      uploadBudget: config.uploads,
      wake: () => runner.wake(),
      refuseSource: async (root, path) => {
        await evidencePath(config.evidenceRoots, root, path);
      },
      readiness: async () => [{ part: 'database', ...(await answers(db)) }],
      log,
    },
    limits,
    tls,
  );
  opened.defer(async () => await app.close());
  if (config.tls !== null && app.server instanceof Server)
    opened.use(followTls(app.server, config.tls, (error) => log(failureLine('tls', 'none', error))));
  const all = opened.move();
  return { app, close: async () => await all.disposeAsync() };
}

/** The unit's own chain is that of its commands, by the name in the configuration; a partner's is its id. */
function chainNames(db: Db, { organisation }: Config): (organisationId: string) => Promise<string> {
  let homeId: string | null = null;
  return async (organisationId) => {
    // It may be entered after this process began.
    homeId ??= (await listOrganisations(db)).find((one) => one.home)?.organisationId ?? null;
    return organisationId === homeId ? organisation : organisationId;
  };
}

/** Many ask at once, and the answer is as good a moment later. */
function askedAtMostEvery<T>(intervalMs: number, ask: () => Promise<T>): () => Promise<T> {
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let asked: Promise<T> | null = null;
  return async () => {
    const nowMs = performance.now();
    if (asked === null || nowMs - askedAtMs > intervalMs) {
      askedAtMs = nowMs;
      asked = ask();
    }
    return await asked;
  };
}

async function answers(db: Db): Promise<{ readonly ready: boolean; readonly reason: string }> {
  const late = new Promise<never>((_resolve, reject) => {
    setTimeout(() => reject(new Error('late')), READY_WITHIN_MS).unref();
  });
  try {
    await Promise.race([db.query('select 1'), late]);
    return { ready: true, reason: '' };
  } catch (error) {
    return { ready: false, reason: error instanceof HomewardError ? error.code : 'it does not answer in time' };
  }
}

function failureLine(route: string, id: string, error: unknown): LogLine {
  const { code, message } = codedError(error);
  return {
    at: new Date().toISOString(),
    requestId: id,
    route,
    status: 0,
    code,
    reference: null,
    message,
  };
}
