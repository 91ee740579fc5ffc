import { createInflateRaw, type InflateRaw } from 'node:zlib';
import type { ReadableFile } from './readable-file.ts';

const CHUNK_BYTES = 64 * 1024;
/** zlib's own least. */
const SMALLEST_CHUNK_BYTES = 64;
const LONGEST_REPEATED_BYTES = 4 * 1024 * 1024;

/** The bytes of a file from `start` up to `end`; ends early where the file does. */
export async function* fileRange(file: ReadableFile, start: number, end: number): AsyncGenerator<Buffer> {
  for (let at = start; at < end; ) {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, end - at));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Exactly `length` bytes at `position`, or fewer where the file ends. */
export async function readAt(file: ReadableFile, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/** Deflated data, and where it ended. */
export interface Inflation {
  readonly content: AsyncIterable<Buffer>;
  /** Compressed bytes that belonged to it; to be asked when the content has ended. */
  consumedBytes(): number;
}

/**
 * Inflates what `source` gives anew at each call. When the data is damaged, zlib keeps back what it had made of it since the last full
 * chunk, which may be a whole small picture: then it is done once more in tiny chunks, so that all up to the damage comes out.
 */
export function inflate(source: () => AsyncIterable<Uint8Array>): Inflation {
  const engine = createInflateRaw({ chunkSize: CHUNK_BYTES });
  const content = async function* (): AsyncGenerator<Buffer> {
    let given = 0;
    try {
      for await (const chunk of decompressed(engine, source())) {
        given += chunk.length;
        yield chunk;
      }
    } catch (error) {
      if (given <= LONGEST_REPEATED_BYTES) yield* remainder(source(), given);
      throw error;
    }
  };
  return { content: content(), consumedBytes: () => engine.bytesWritten };
}

async function* remainder(source: AsyncIterable<Uint8Array>, given: number): AsyncGenerator<Buffer> {
  let at = 0;
  try {
    for await (const chunk of decompressed(createInflateRaw({ chunkSize: SMALLEST_CHUNK_BYTES }), source)) {
      if (at + chunk.length > given) yield chunk.subarray(Math.max(0, given - at));
      at += chunk.length;
    }
  } catch {
    // The same damage again; it is already known.
  }
}

/**
 * Decompresses, giving on everything that came out before an error, and only then the error: a stream read in the usual way would drop
 * what it had buffered, and with it the end of a damaged picture. One chunk in gives at most 64 MiB out (deflate's limit is 1 to 1032).
 */
async function* decompressed(engine: InflateRaw, source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let ready: Buffer[] = [];
  let failure: unknown = null;
  let ended = false;
  let wake = (): void => undefined;
  engine.on('data', (chunk: Buffer) => ready.push(chunk));
  engine.on('error', (error) => {
    failure = error;
    wake();
  });
  engine.on('end', () => {
    ended = true;
    wake();
  });
  const step = async (act: (done: () => void) => void): Promise<Buffer[]> => {
    await new Promise<void>((resolve) => {
      wake = resolve;
      act(resolve);
    });
    const out = ready;
    ready = [];
    return out;
  };
  try {
    for await (const chunk of source) {
      yield* await step((done) => engine.write(chunk, () => done()));
      // Compressed data may end before its source does; what follows is not its own.
      if (ended || failure !== null) break;
    }
    if (!ended && failure === null) {
      yield* await step((done) => {
        if (ended) done();
        else engine.end();
      });
    }
    if (failure !== null) throw failure;
  } finally {
    engine.destroy();
  }
}
