// Entry of the thread that holds vectors and compares: it sees numbers and nothing else. One message, one answer, in order.
import { readFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { type ScanQueries, VectorKernel } from './vector-kernel.ts';

export type MemoryRequest =
  | {
      readonly kind: 'rows';
      readonly key: string;
      readonly dimensions: number;
      readonly rows: Float32Array;
      readonly mediaIds: Float64Array;
    }
  | { readonly kind: 'drop'; readonly key: string }
  | {
      readonly kind: 'scan';
      readonly key: string;
      readonly scan: ScanQueries;
      /** Where each space begins in a row, and the end of the last. */
      readonly partStarts: readonly number[];
    };

/** By query: positions, similarities, and for each hit the products of its parts. */
export interface MemoryAnswer {
  readonly counts: Int32Array;
  readonly positions: Int32Array;
  readonly similarities: Float64Array;
  readonly parts: Float64Array;
}

const module = new WebAssembly.Module(readFileSync(new URL('wasm/similarity.wasm', import.meta.url)));
const kernels = new Map<string, VectorKernel>();

function answer(request: MemoryRequest): MemoryAnswer | null {
  switch (request.kind) {
    case 'rows': {
      const kernel = kernels.get(request.key) ?? new VectorKernel(module, request.dimensions);
      kernels.set(request.key, kernel);
      kernel.append(request.rows, request.mediaIds);
      return null;
    }
    case 'drop':
      kernels.delete(request.key);
      return null;
    case 'scan':
      return scan(request);
  }
}

function scan({ key, scan: queries, partStarts }: Extract<MemoryRequest, { kind: 'scan' }>): MemoryAnswer {
  const kernel = kernels.get(key);
  const hits = kernel?.scan(queries) ?? [];
  const flat = hits.flat();
  const parts = hits.flatMap((of, query) =>
    of.flatMap(({ position }) =>
      partStarts
        .slice(1)
        .map((end, at) => kernel?.part(position, queries.queries, query, partStarts[at] ?? 0, end) ?? 0),
    ),
  );
  return {
    counts: Int32Array.from(hits, (of) => of.length),
    positions: Int32Array.from(flat, (hit) => hit.position),
    similarities: Float64Array.from(flat, (hit) => hit.similarity),
    parts: Float64Array.from(parts),
  };
}

parentPort?.on('message', (request: MemoryRequest) => parentPort?.postMessage(answer(request)));
