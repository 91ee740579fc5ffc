import type { FileHandle } from 'node:fs/promises';
import type { Gunzip, InflateRaw } from 'node:zlib';

const CHUNK_BYTES = 64 * 1024;
/** What a decompressor gives at a time; zlib's own 16 KiB would cost four times the writes. */
export const INFLATED_CHUNK_BYTES = 64 * 1024;

/** The bytes of a file from `start` up to `end`; ends early where the file does. */
export async function* fileRange(file: FileHandle, start: number, end: number): AsyncGenerator<Buffer> {
  for (let at = start; at < end; ) {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, end - at));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Exactly `length` bytes at `position`, or fewer where the file ends. */
export async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/**
 * Decompresses, giving on everything that came out before an error, and only then the error: a stream read in the usual way would drop
 * what it had buffered, and with it the end of a damaged picture. One chunk in gives at most 64 MiB out (deflate's limit is 1 to 1032).
 */
export async function* decompressed(
  engine: InflateRaw | Gunzip,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer> {
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
