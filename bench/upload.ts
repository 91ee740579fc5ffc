/**
 * An upload of ten gigabytes through the API (received, digested, sealed, made durable), beside the same bytes written to the same disk by a
 * plain program: how fast, and how much memory the server takes meanwhile. A bench of `npm run bench`.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { openServer } from '../engine/store/adapters/pg.ts';
import { addCaller, startServer } from './api-server.ts';
import { type Bench, type BenchOptions, type BenchResult, figure, judged } from './harness.ts';
import { withServerDatabase } from './real-server.ts';

const CHUNK_BYTES = 1024 * 1024;
const SAMPLE_EVERY_MS = 250;

/** Bytes that do not repeat within what any buffer holds, made without work of their own. */
function* chunks(count: number): Generator<Buffer> {
  const noise = randomBytes(2 * CHUNK_BYTES);
  for (let at = 0; at < count; at += 1) {
    const from = (at * 4099) % CHUNK_BYTES;
    yield noise.subarray(from, from + CHUNK_BYTES);
  }
}

async function plainWrite(folder: string, parts: readonly Buffer[], count: number): Promise<number> {
  const file = await open(path.join(folder, 'plain'), 'w');
  const started = performance.now();
  for (let at = 0; at < count; at += 1) await file.write(parts[at % parts.length] ?? Buffer.alloc(0));
  await file.datasync();
  const seconds = (performance.now() - started) / 1000;
  await file.close();
  await rm(path.join(folder, 'plain'));
  return (count * CHUNK_BYTES) / seconds;
}

interface Sent {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

async function send(
  port: number,
  method: string,
  at: string,
  headers: Readonly<Record<string, string>>,
  body: Readable,
): Promise<Sent> {
  return await new Promise((resolve, reject) => {
    const sent = request({ port, host: '127.0.0.1', method, path: at, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => {
        const told: unknown = JSON.parse(Buffer.concat(parts).toString());
        resolve({
          status: response.statusCode ?? 0,
          body: typeof told === 'object' && told !== null ? { ...told } : {},
        });
      });
    });
    sent.on('error', reject);
    body.pipe(sent);
  });
}

async function run({ quick, databaseUrl, say }: BenchOptions): Promise<BenchResult> {
  const gigabytes = quick ? 1 : 10;
  const count = gigabytes * 1024;
  const sizeBytes = count * CHUNK_BYTES;
  return await withServerDatabase(databaseUrl, async (url) => {
    const db = await openServer({ url });
    const { headers } = await addCaller(db).finally(async () => await db.close());
    const parts = [...chunks(64)];
    say('the digest of what is sent');
    const hash = createHash('sha256');
    for (let at = 0; at < count; at += 1) hash.update(parts[at % parts.length] ?? '');
    const sha256 = hash.digest('hex');
    const folder = await mkdtemp(path.join(tmpdir(), 'homeward-bench-upload-'));
    const server = await startServer(url);
    const memory: number[] = [];
    try {
      say('a plain write');
      const before = await plainWrite(folder, parts, count);
      const begin = JSON.stringify({ name: 'disk.bin', sizeBytes, sha256 });
      const begun = await send(
        server.api,
        'POST',
        '/uploads',
        { ...headers, 'content-type': 'application/json', 'idempotency-key': randomUUID() },
        Readable.from([begin]),
      );
      const upload = `/uploads/${String(begun.body['uploadId'])}`;
      const idleBytes = await server.memoryBytes();
      let asking: Promise<unknown> = Promise.resolve();
      const sampling = setInterval(() => {
        asking = asking.then(async () => memory.push(await server.memoryBytes()));
      }, SAMPLE_EVERY_MS);
      say(`an upload of ${gigabytes} GB`);
      const started = performance.now();
      const sent = await send(
        server.api,
        'PATCH',
        upload,
        {
          ...headers,
          'content-type': 'application/octet-stream',
          'content-length': String(sizeBytes),
          'upload-offset': '0',
        },
        Readable.from(
          (function* () {
            for (let at = 0; at < count; at += 1) yield parts[at % parts.length];
          })(),
          { objectMode: false, highWaterMark: 4 * CHUNK_BYTES },
        ),
      );
      const seconds = (performance.now() - started) / 1000;
      clearInterval(sampling);
      await asking;
      if (sent.body['state'] !== 'complete')
        throw new Error(`expected a whole upload, received ${JSON.stringify(sent)}`);
      const empty = Readable.from([]);
      await send(
        server.api,
        'POST',
        `${upload}/cancel`,
        { ...headers, 'idempotency-key': randomUUID(), 'content-length': '0' },
        empty,
      );
      say('a plain write again');
      const after = await plainWrite(folder, parts, count);
      const rate = sizeBytes / seconds;
      const early = memory.slice(0, Math.ceil(memory.length / 4));
      const late = memory.slice(-Math.ceil(memory.length / 4));
      return {
        measures: [
          judged('upload / plain write of the same bytes', rate / ((before + after) / 2), '', '>=', 0.5),
          figure('upload', rate / 1e6, 'MB/s'),
          figure('plain write before', before / 1e6, 'MB/s'),
          figure('plain write after', after / 1e6, 'MB/s'),
          judged(
            'memory of the server, last quarter / first quarter',
            Math.max(...late) / Math.max(...early),
            '',
            '<=',
            1.1,
          ),
          figure('memory of the server, most', Math.max(...memory) / 1e6, 'MB'),
          figure('memory of the server before', idleBytes / 1e6, 'MB'),
        ],
        tables: [],
        parameters: { gigabytes, samples: memory.length },
        notes: [
          'Client and server share two cores; the client does nothing but send.',
          'Received means: over HTTP, its SHA-256 compared, sealed with AES-256-GCM, on the disk (fdatasync each 64 MiB), and recorded.',
        ],
      };
    } finally {
      server.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });
}

export const bench: Bench = { name: 'upload', run };
