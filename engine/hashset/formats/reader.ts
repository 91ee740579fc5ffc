import { BatchBuilder } from './batch-builder.ts';
import { ByteWindow } from './byte-window.ts';
import { CsvParser } from './csv/reader.ts';
import { formatNotRecognised, recogniseSet } from './detect.ts';
import { DigestListParser } from './digest-list/reader.ts';
import { NdjsonParser } from './ndjson/reader.ts';
import { NistNonRdsParser, requirePublished } from './nist-non-rds/reader.ts';
import { PdqListParser } from './pdq-list/reader.ts';
import type { RecordBatch } from './record-batch.ts';
import type { RecordParser } from './record-parser.ts';
import type { SetFormat, SetHead } from './set-head.ts';
import { SourceBytes } from './source-bytes.ts';
import { VicsParser } from './vics/reader.ts';

export interface OpenSetOptions {
  readonly format: 'auto' | SetFormat;
  /** Name of the file, which may tell a list of PDQ from one of SHA-256. */
  readonly name?: string;
}

export interface SetReader {
  /** What the head of the file says. */
  readonly description: SetHead;
  /** As the source numbers its versions, where the file says it. */
  readonly sourceVersion: string | null;
  /**
   * The records in the order of the file; to be called once. Memory does not grow with the file.
   * Throws HomewardError HW_SET_DAMAGED, after some batches perhaps, when the file is truncated or not well-formed:
   * whoever took them has to drop them all. The last batch may have no rows, only counts.
   */
  batches(): AsyncGenerator<RecordBatch, void, undefined>;
  /** Lets go of the source; needed only when `batches` is not read to its end or left by break or error. */
  close(): Promise<void>;
}

/** How much of a larger chunk is parsed at once, so that the window stays in the processor's cache. */
const SLICE_BYTES = 256 * 1024;

/**
 * Reads the head of a hash set and says what it is. A chunk is used up when the next one is asked for.
 * Throws HomewardError HW_SET_FORMAT when it is not recognised, or is not what `options.format` names.
 */
export async function openSet(chunks: AsyncIterable<Uint8Array>, options: OpenSetOptions): Promise<SetReader> {
  const source = new SourceBytes(chunks);
  try {
    const head = await source.head();
    const description = recogniseSet(head, options.name ?? '', options.format);
    if (description === undefined) throw formatNotRecognised(head, options.format);
    const parser = parserFor(description, head);
    return {
      description,
      sourceVersion: null,
      batches: () =>
        description.format === 'nist-non-rds'
          ? publishedOnly(readBatches(source, head, parser))
          : readBatches(source, head, parser),
      close: () => source.close(),
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}

function parserFor(description: SetHead, head: Uint8Array): RecordParser {
  switch (description.format) {
    case 'vics':
      return new VicsParser(description.documentKind ?? 'media');
    case 'nist-non-rds':
      return new NistNonRdsParser();
    case 'csv':
    case 'nsrl':
      return new CsvParser(head);
    case 'digest-list':
      return new DigestListParser();
    case 'pdq-list':
      return new PdqListParser();
    case 'ndjson':
      return new NdjsonParser();
  }
}

/** Takes nothing of a file that a single record shows to be known material. */
async function* publishedOnly(batches: AsyncIterable<RecordBatch>): AsyncGenerator<RecordBatch, void, undefined> {
  for await (const batch of batches) {
    requirePublished(batch);
    yield batch;
  }
}

async function* readBatches(
  source: SourceBytes,
  head: Uint8Array,
  parser: RecordParser,
): AsyncGenerator<RecordBatch, void, undefined> {
  const window = new ByteWindow(source.markBytes);
  const builder = new BatchBuilder();
  try {
    let wantedBytes = 0;
    for (let chunk: Uint8Array | undefined = head; chunk !== undefined; chunk = await source.next()) {
      for (let at = 0; at < chunk.length; at += SLICE_BYTES) {
        window.append(chunk.subarray(at, at + SLICE_BYTES));
        if (window.length < wantedBytes) continue;
        while (parser.parse(window, builder) === 'full') yield builder.take(source.bytesRead);
        // A record longer than a slice is tried again only when twice as much is there: otherwise its cost would be quadratic.
        wantedBytes = window.length * 2;
      }
    }
    window.final = true;
    window.append(new Uint8Array(0));
    while (parser.parse(window, builder) === 'full') yield builder.take(source.bytesRead);
    yield builder.take(source.bytesRead, 0);
  } finally {
    await source.close();
  }
}
