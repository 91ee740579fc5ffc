/**
 * The thread PGlite runs in. A statement blocks the thread it runs in for as long as it takes: in the thread of the supervisor
 * it would stop the watch over limits of time and memory, which looks every 20 ms.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite, type Results } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { READ_TYPES } from '../wire-types.ts';
import type { ThreadData, ThreadFailure, ThreadReply, ThreadRequest, ThreadResult } from './pglite-messages.ts';
import { EMBEDDED_SETTINGS } from './pglite-settings.ts';
import { SyncedFolder } from './synced-files.ts';

/** PGlite never makes a checkpoint by itself while it runs: without ours the log would grow for ever. */
const LOG_BYTES_PER_CHECKPOINT = 64 * 1024 * 1024;

if (parentPort === null) throw new Error('expected to be started as a worker thread');
const port = parentPort;
const data: ThreadData = workerData;
const asText = (text: string): string => text;
const textParsers = Object.fromEntries(READ_TYPES.concat(1082, 1114).map((typeId) => [typeId, asText]));

let logBytes = 0;
let insideTransaction = false;

const say = (reply: ThreadReply, transfer: ArrayBuffer[] = []): void => port.postMessage(reply, transfer);

async function open(): Promise<PGlite> {
  const startParams = [
    ...PGlite.defaultStartParams.filter((param) => param !== '-F' || !data.durable),
    ...EMBEDDED_SETTINGS,
  ];
  const fs = new SyncedFolder(data.dataFolder, (byteCount) => {
    logBytes += byteCount;
  });
  // Parameters arrive as text already; PGlite's own serializer of bytea would refuse that.
  return await PGlite.create({ fs, extensions: { vector }, startParams, serializers: { 17: asText } });
}

async function run(pg: PGlite, request: ThreadRequest): Promise<ThreadResult> {
  switch (request.kind) {
    case 'query':
      return resultOf(await pg.query(request.sql, [...request.params], { rowMode: 'array', parsers: textParsers }));
    case 'script':
      await pg.exec(request.sql);
      return NOTHING;
    case 'copyIn':
      return resultOf(await pg.query(request.sql, [], { blob: new Blob([new Uint8Array(request.bytes)]) }));
    case 'copyOut': {
      const { blob } = await pg.query(request.sql);
      return { ...NOTHING, bytes: blob === undefined ? null : new Uint8Array(await blob.arrayBuffer()) };
    }
    case 'close':
      await pg.close();
      return NOTHING;
  }
}

const NOTHING: ThreadResult = { columns: [], typeIds: [], rows: [], affectedRows: 0, bytes: null };

function resultOf(results: Results): ThreadResult {
  // rowMode 'array' with text parsers gives arrays of text; the types of PGlite cannot say so.
  const rows = results.rows as unknown as (string | null)[][];
  return {
    columns: results.fields.map((field) => field.name),
    typeIds: results.fields.map((field) => field.dataTypeID),
    rows,
    affectedRows: results.affectedRows ?? 0,
    bytes: null,
  };
}

function failureOf(error: unknown): ThreadFailure {
  // PGlite's error class is minified: its SQLSTATE is all that can be relied on.
  const sqlState = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
  return { sqlState, message: error instanceof Error ? error.message : String(error) };
}

async function serve(pg: PGlite, request: ThreadRequest): Promise<void> {
  try {
    const result = await run(pg, request);
    if (request.kind === 'script') {
      if (request.sql === 'begin') insideTransaction = true;
      else if (request.sql === 'commit' || request.sql === 'rollback') insideTransaction = false;
    }
    if (logBytes > LOG_BYTES_PER_CHECKPOINT && !insideTransaction && request.kind !== 'close') {
      logBytes = 0;
      await pg.exec('checkpoint');
    }
    say({ kind: 'result', id: request.id, result }, result.bytes === null ? [] : [result.bytes.buffer as ArrayBuffer]);
  } catch (error) {
    say({ kind: 'failure', id: request.id, failure: failureOf(error) });
  }
}

try {
  const pg = await open();
  pg.onNotification((channel, payload) => say({ kind: 'notification', channel, payload }));
  let last = Promise.resolve();
  port.on('message', (request: ThreadRequest) => {
    last = last.then(async () => {
      await serve(pg, request);
      if (request.kind === 'close') port.close();
    });
  });
  say({ kind: 'ready' });
} catch (error) {
  say({ kind: 'unopened', failure: failureOf(error) });
  port.close();
}
