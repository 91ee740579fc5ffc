import { BatchBuilder } from './batch-builder.ts';
import { ByteWindow } from './byte-window.ts';
import { CsvParser } from './csv/reader.ts';
import { formatNotRecognised, recogniseSet } from './detect.ts';
import { DigestListParser } from './digest-list/reader.ts';
import { ChangesParser, describeChanges, startsAsChanges } from './ndjson/changes.ts';
import { NdjsonParser } from './ndjson/reader.ts';
import { NistNonRdsParser, requirePublished } from './nist-non-rds/reader.ts';
import { PdqListParser } from './pdq-list/reader.ts';
import type { RecordBatch } from './record-batch.ts';
import type { ParseStop, RecordParser } from './record-parser.ts';
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
  return await opened(chunks, (source, head) => readerOf(source, head, options));
}

/** Some thousand records to add (or to correct, by their hashes), or to withdraw. Of a withdrawal the `tags` are the reason. */
export interface ChangeBatch {
  readonly kind: 'add' | 'withdraw';
  readonly records: RecordBatch;
}

/** Changes to a set. All withdrawals of a file come before all its additions, wherever in it they stand. */
export interface ChangeReader {
  readonly description: SetHead;
  /** As SetReader.batches. */
  batches(): AsyncGenerator<ChangeBatch, void, undefined>;
  close(): Promise<void>;
}

/**
 * Reads a file of changes. Any other hash set is read as records to add.
 * Throws HomewardError HW_SET_FORMAT as openSet does.
 */
export async function openChanges(chunks: AsyncIterable<Uint8Array>, options: OpenSetOptions): Promise<ChangeReader> {
  return await opened(chunks, (source, head) => {
    const text = Buffer.from(head.subarray(0, 65536)).toString('utf8');
    if (startsAsChanges(text)) {
      const description = describeChanges(text);
      return { description, batches: () => readChanges(source, head), close: () => source.close() };
    }
    const { description, batches, close } = readerOf(source, head, options);
    return {
      description,
      async *batches() {
        for await (const records of batches()) yield { kind: 'add', records };
      },
      close,
    };
  });
}

/** Lets go of the source where nothing can be made of its head. */
async function opened<Reader>(
  chunks: AsyncIterable<Uint8Array>,
  open: (source: SourceBytes, head: Uint8Array) => Reader,
): Promise<Reader> {
  const source = new SourceBytes(chunks);
  try {
    return open(source, await source.head());
  } catch (error) {
    await source.close();
    throw error;
  }
}

function readerOf(source: SourceBytes, head: Uint8Array, options: OpenSetOptions): SetReader {
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
  const builder = new BatchBuilder();
  for await (const _full of windows(source, head, (window) => parser.parse(window, builder)))
    yield builder.take(source.bytesRead);
  yield builder.take(source.bytesRead, 0);
}

async function* readChanges(source: SourceBytes, head: Uint8Array): AsyncGenerator<ChangeBatch, void, undefined> {
  const parser = new ChangesParser();
  const builders = { add: new BatchBuilder(), withdraw: new BatchBuilder() };
  for await (const _full of windows(source, head, (window) => parser.parse(window, builders))) {
    const kind = builders.add.full ? 'add' : 'withdraw';
    yield { kind, records: builders[kind].take(source.bytesRead) };
  }
  yield { kind: 'withdraw', records: builders.withdraw.take(source.bytesRead, 0) };
  yield { kind: 'add', records: builders.add.take(source.bytesRead, 0) };
}

/** Goes through the source; yields whenever `parse` is full, and goes on with what it left. */
async function* windows(
  source: SourceBytes,
  head: Uint8Array,
  parse: (window: ByteWindow) => ParseStop,
): AsyncGenerator<void, void, undefined> {
  const window = new ByteWindow(source.markBytes);
  try {
    let wantedBytes = 0;
    for (let chunk: Uint8Array | undefined = head; chunk !== undefined; chunk = await source.next()) {
      for (let at = 0; at < chunk.length; at += SLICE_BYTES) {
        window.append(chunk.subarray(at, at + SLICE_BYTES));
        if (window.length < wantedBytes) continue;
        while (parse(window) === 'full') yield;
        // A record longer than a slice is tried again only when twice as much is there: otherwise its cost would be quadratic.
        wantedBytes = window.length * 2;
      }
    }
    window.final = true;
    window.append(new Uint8Array(0));
    while (parse(window) === 'full') yield;
  } finally {
    await source.close();
  }
}
