import { open } from 'node:fs/promises';

const CHUNK_BYTES = 1024 * 1024;

/**
 * The bytes of a file in chunks, each valid until the next one is asked for; meanwhile the one after it is read. Always the same two
 * buffers: a read stream takes new memory for each chunk, which costs more than the reading.
 */
export async function* fileChunks(file: string): AsyncGenerator<Buffer, void, undefined> {
  const handle = await open(file);
  let [ahead, spare] = [Buffer.allocUnsafeSlow(CHUNK_BYTES), Buffer.allocUnsafeSlow(CHUNK_BYTES)];
  let reading = handle.read(ahead, 0, CHUNK_BYTES);
  try {
    for (;;) {
      const { bytesRead } = await reading;
      if (bytesRead === 0) return;
      const chunk = ahead.subarray(0, bytesRead);
      [ahead, spare] = [spare, ahead];
      reading = handle.read(ahead, 0, CHUNK_BYTES);
      // Whoever asks for it hears of it; until then, and when nobody does, it must not be an unhandled rejection.
      reading.catch(() => undefined);
      yield chunk;
    }
  } finally {
    await reading.catch(() => undefined);
    await handle.close();
  }
}
