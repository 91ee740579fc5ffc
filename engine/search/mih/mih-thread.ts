// Entry of a thread that searches, builds and moves segments: it sees hashes and numbers of records, and nothing else.
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { collectGarbage } from './collect-garbage.ts';
import { MihKernel } from './mih-kernel.ts';
import { RecordIntervals } from './record-intervals.ts';
import type { SharedSegment } from './segment.ts';
import { HASH_BYTES, HASHES_AT, type SegmentLayout } from './segment-layout.ts';

export interface ThreadNumber {
  readonly thread: number;
}

/** Given to every thread, no answer. */
export type SegmentNews =
  | { readonly kind: 'attach'; readonly segment: SharedSegment }
  | { readonly kind: 'detach'; readonly key: number };

export type MihTask =
  /** 32 bytes a query; answered by triples of number of the query, position, distance. */
  | { readonly kind: 'search'; readonly key: number; readonly radiusBits: number; readonly queries: Uint8Array }
  | { readonly kind: 'buildBand'; readonly key: number; readonly band: number }
  /** Copies what is not withdrawn of the sources, as [first, last] record numbers each, into an empty segment; answered by the count. */
  | {
      readonly kind: 'gather';
      readonly target: number;
      readonly sources: readonly { readonly key: number; readonly withdrawn: readonly (readonly [number, number])[] }[];
    }
  /** A part of a segment's memory to or from a file; answered by its SHA-256. */
  | (FilePart & { readonly kind: 'write' })
  | (FilePart & { readonly kind: 'read' });

interface FilePart {
  readonly key: number;
  readonly file: string;
  /** The same in memory and in the file. */
  readonly at: number;
  readonly sizeBytes: number;
}

export interface MihRequest {
  readonly id: number;
  readonly task: MihTask;
}

export type MihAnswer = { readonly id: number } & ({ readonly result: MihResult } | { readonly failed: string });
export type MihResult = Int32Array<ArrayBuffer> | string | number | null;

const { thread }: ThreadNumber = workerData;
const segments = new Map<number, { readonly shared: SharedSegment; readonly kernel: MihKernel }>();

function segment(key: number) {
  const found = segments.get(key);
  if (found === undefined) throw new RangeError(`expected segment ${key} to be attached`);
  return found;
}

function run(task: MihTask): MihResult {
  switch (task.kind) {
    case 'search':
      return segment(task.key).kernel.within(task.queries, task.radiusBits);
    case 'buildBand':
      segment(task.key).kernel.buildBand(task.band);
      return null;
    case 'gather':
      return gather(task);
    case 'write':
      return write(task);
    case 'read':
      return read(task);
  }
}

function gather(task: Extract<MihTask, { kind: 'gather' }>): number {
  const target = columnsOf(segment(task.target).shared);
  let count = 0;
  for (const { key, withdrawn } of task.sources) {
    const source = columnsOf(segment(key).shared);
    const gone = RecordIntervals.of(withdrawn);
    for (let position = 0; position < source.layout.count; position += 1) {
      const recordId = source.recordIds[position] ?? 0;
      if (gone.has(recordId)) continue;
      for (let word = 0; word < 4; word += 1)
        target.hashes[count * 4 + word] = source.hashes[position * 4 + word] ?? 0n;
      target.recordIds[count] = recordId;
      target.qualities[count] = source.qualities[position] ?? -1;
      count += 1;
    }
  }
  return count;
}

function columnsOf({ memory, layout }: { readonly memory: WebAssembly.Memory; readonly layout: SegmentLayout }) {
  return {
    layout,
    hashes: new BigUint64Array(memory.buffer, HASHES_AT, (layout.count * HASH_BYTES) / 8),
    recordIds: new Float64Array(memory.buffer, layout.recordIdsAt, layout.count),
    qualities: new Int8Array(memory.buffer, layout.qualitiesAt, layout.count),
  };
}

function partOf({ key, at, sizeBytes }: FilePart): Uint8Array {
  return new Uint8Array(segment(key).shared.memory.buffer, at, sizeBytes);
}

function write(task: FilePart): string {
  const part = partOf(task);
  const file = openSync(task.file, 'r+');
  try {
    for (let done = 0; done < part.length; ) done += writeSync(file, part, done, part.length - done, task.at + done);
  } finally {
    closeSync(file);
  }
  return createHash('sha256').update(part).digest('hex');
}

function read(task: FilePart): string {
  const part = partOf(task);
  const file = openSync(task.file, 'r');
  try {
    if (fstatSync(file).size < task.at + task.sizeBytes) return 'short';
    for (let done = 0; done < part.length; ) {
      const more = readSync(file, part, done, part.length - done, task.at + done);
      if (more === 0) return 'short';
      done += more;
    }
  } finally {
    closeSync(file);
  }
  return createHash('sha256').update(part).digest('hex');
}

parentPort?.on('message', (message: SegmentNews | MihRequest) => {
  if ('kind' in message) {
    if (message.kind === 'detach') {
      segments.delete(message.key);
      collectGarbage();
    } else
      segments.set(message.segment.key, {
        shared: message.segment,
        kernel: new MihKernel(message.segment, thread),
      });
    return;
  }
  let answer: MihAnswer;
  try {
    answer = { id: message.id, result: run(message.task) };
  } catch (error) {
    answer = { id: message.id, failed: error instanceof Error ? error.message : String(error) };
  }
  const moved = 'result' in answer && answer.result instanceof Int32Array ? [answer.result.buffer] : [];
  parentPort?.postMessage(answer, moved);
});
