/** How much text is gathered before it is handed out as one buffer. */
const BUFFER_CHARACTERS = 64 * 1024;

/** Joins pieces of text into buffers of a useful size. */
export async function* inBuffers(pieces: AsyncIterable<string>): AsyncGenerator<Buffer, void, undefined> {
  let gathered = '';
  for await (const piece of pieces) {
    gathered += piece;
    if (gathered.length < BUFFER_CHARACTERS) continue;
    yield Buffer.from(gathered, 'utf8');
    gathered = '';
  }
  if (gathered !== '') yield Buffer.from(gathered, 'utf8');
}
