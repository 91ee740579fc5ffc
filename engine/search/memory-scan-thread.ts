// Entry of the thread that scans: it sees hashes and nothing else, and shares their memory with the thread that loaded them.
import { parentPort, workerData } from 'node:worker_threads';
import { scanWithin, WORDS } from './memory-scan-kernel.ts';

export interface ScanRequest {
  readonly id: number;
  /** Number of the group of known hashes, as in ScanMemory. */
  readonly group: number;
  readonly radiusBits: number;
  /** WORDS words a query. */
  readonly queries: Uint32Array;
}

/** Triples of query number, position in the group, distance. */
export interface ScanAnswer {
  readonly id: number;
  readonly hits: Int32Array;
}

/** The known hashes by group, WORDS words each. */
export type ScanMemory = readonly Uint32Array[];

const memory: ScanMemory = workerData;

parentPort?.on('message', (request: ScanRequest) => {
  const known = memory[request.group] ?? new Uint32Array(0);
  const hits: number[] = [];
  for (let query = 0; query * WORDS < request.queries.length; query += 1) {
    const found: number[] = [];
    scanWithin(
      known,
      known.length / WORDS,
      request.queries.subarray(query * WORDS, (query + 1) * WORDS),
      request.radiusBits,
      found,
    );
    for (let at = 0; at < found.length; at += 2) hits.push(query, found[at] ?? 0, found[at + 1] ?? 0);
  }
  const answer: ScanAnswer = { id: request.id, hits: Int32Array.from(hits) };
  parentPort?.postMessage(answer);
});
