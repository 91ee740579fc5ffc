import { HomewardError } from '../../schemas/error.ts';

/** A line that gives nothing for so long is given up; what came by then is kept. */
const MOST_SILENCE_MS = 30_000;
/** Over each such span at least this much: a caller that gives a byte now and then holds a place and a file for nothing. */
const LEAST_BYTES = 256 * 1024;

/**
 * The chunks of a body as long as they come at a steady rate; ends the request otherwise.
 * @throws HW_REQUEST_INVALID for a body that is no stream of bytes; the stream's own error where the line is cut
 */
export async function* steadyBytes(body: unknown, silenceMs = MOST_SILENCE_MS): AsyncGenerator<Uint8Array> {
  if (!isByteStream(body))
    throw new HomewardError(
      'HW_REQUEST_INVALID',
      'expected bytes as application/octet-stream, received another body; send the file as it is',
    );
  let bytes = 0;
  const watch = setInterval(() => {
    if (bytes < LEAST_BYTES) body.destroy(new Error(`less than ${LEAST_BYTES} bytes in ${silenceMs} ms`));
    bytes = 0;
  }, silenceMs);
  try {
    for await (const chunk of body) {
      bytes += chunk.length;
      yield chunk;
    }
  } finally {
    clearInterval(watch);
  }
}

interface ByteStream extends AsyncIterable<Uint8Array> {
  destroy(error: Error): unknown;
}

function isByteStream(body: unknown): body is ByteStream {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body && 'destroy' in body;
}
