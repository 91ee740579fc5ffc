import type { KnownRecord } from '../../../../schemas/known-record.ts';
import { inBuffers } from '../output-buffer.ts';
import { type EndLine, type HeadLine, NDJSON_VERSION } from './lines.ts';

/** Writes records as our own NDJSON, which loses nothing: a head line, one KnownRecord a line, an end line with their number. */
export function writeNdjson(
  records: AsyncIterable<KnownRecord>,
  categoryScheme: string,
): AsyncGenerator<Buffer, void, undefined> {
  return inBuffers(lines(records, categoryScheme));
}

async function* lines(
  records: AsyncIterable<KnownRecord>,
  categoryScheme: string,
): AsyncGenerator<string, void, undefined> {
  const head: HeadLine = { homeward: 'known-records', formatVersion: NDJSON_VERSION, categoryScheme };
  yield `${JSON.stringify(head)}\n`;
  let count = 0;
  for await (const record of records) {
    count++;
    yield `${JSON.stringify(record)}\n`;
  }
  const end: EndLine = { homeward: 'end', records: count };
  yield `${JSON.stringify(end)}\n`;
}
