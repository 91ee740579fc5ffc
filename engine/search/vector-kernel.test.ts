import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { clusteredVectors } from '../../test/vector-kit.ts';
import { type ScanHit, VectorKernel } from './vector-kernel.ts';

const wasm = new WebAssembly.Module(readFileSync(new URL('wasm/similarity.wasm', import.meta.url)));

interface Case {
  readonly rows: readonly Float32Array[];
  readonly queries: readonly Float32Array[];
  readonly mediaOf: (position: number) => number;
}

const flat = (vectors: readonly Float32Array[], dimensions: number): Float32Array => {
  const all = new Float32Array(vectors.length * dimensions);
  for (const [at, vector] of vectors.entries()) all.set(vector, at * dimensions);
  return all;
};

function kernelWith({ rows, mediaOf }: Case, dimensions: number): VectorKernel {
  const kernel = new VectorKernel(wasm, dimensions);
  // In two pieces, the second of which makes it grow.
  const half = rows.length >> 1;
  for (const [from, to] of [
    [0, half],
    [half, rows.length],
  ] as const) {
    const media = Float64Array.from({ length: to - from }, (_, at) => mediaOf(from + at));
    kernel.append(flat(rows.slice(from, to), dimensions), media);
  }
  return kernel;
}

/** One product after the other, in double precision. */
function plainly(
  { rows, queries, mediaOf }: Case,
  options: { limit: number; minimumSimilarity: number; allowed: (position: number) => boolean; except: number | null },
): ScanHit[][] {
  return queries.map((query) =>
    rows
      .map((row, position) => ({
        position,
        similarity: row.reduce((sum, value, at) => sum + value * (query[at] ?? 0), 0),
      }))
      .filter(({ position }) => options.allowed(position) && mediaOf(position) !== options.except)
      .filter((hit) => hit.similarity >= options.minimumSimilarity)
      .sort((a, b) => b.similarity - a.similarity || a.position - b.position)
      .slice(0, options.limit),
  );
}

describe('vector kernel', () => {
  it('R9: finds exactly what comparing one by one finds, whatever the dimensions, filter and number of queries', () => {
    fc.assert(
      fc.property(
        fc.record({
          dimensions: fc.integer({ min: 1, max: 40 }),
          rows: fc.integer({ min: 0, max: 300 }),
          queries: fc.integer({ min: 1, max: 9 }),
          limit: fc.integer({ min: 1, max: 12 }),
          minimumSimilarity: fc.double({ min: -1, max: 1, noNaN: true }),
          every: fc.option(fc.integer({ min: 1, max: 7 })),
          except: fc.option(fc.integer({ min: 0, max: 9 })),
          seed: fc.integer(),
        }),
        ({ dimensions, limit, minimumSimilarity, every, except, ...sizes }) => {
          const made = (count: number, seed: number): Float32Array[] => [
            ...clusteredVectors({ count, dimensions, clusters: 5, spread: 0.5, seed }),
          ];
          const sample: Case = {
            rows: made(sizes.rows, sizes.seed),
            queries: made(sizes.queries, sizes.seed + 1),
            mediaOf: (position) => position % 10,
          };
          const allowed = (position: number): boolean => every === null || position % every === 0;
          const found = kernelWith(sample, dimensions).scan({
            limit,
            minimumSimilarity,
            queries: flat(sample.queries, dimensions),
            positions: every === null ? null : Int32Array.from([...sample.rows.keys()].filter(allowed)),
            exceptMediaIds: Float64Array.from(sample.queries, () => except ?? Number.NaN),
          });
          assert.deepEqual(found, plainly(sample, { limit, minimumSimilarity, allowed, except }));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('R9: answers more queries than it lays out at once, over more rows than a tile holds', () => {
    const dimensions = 130;
    const made = (count: number, seed: number): Float32Array[] => [
      ...clusteredVectors({ count, dimensions, clusters: 40, spread: 0.8, seed }),
    ];
    const sample: Case = { rows: made(1500, 1), queries: made(70, 2), mediaOf: (position) => position };
    const request = { limit: 5, minimumSimilarity: 0.2, positions: null, exceptMediaIds: null };
    const found = kernelWith(sample, dimensions).scan({ ...request, queries: flat(sample.queries, dimensions) });
    assert.deepEqual(found, plainly(sample, { ...request, allowed: () => true, except: null }));
  });

  it('ranks equal vectors by where they stand and keeps to the limit', () => {
    const row = Float32Array.of(1, 0);
    const kernel = kernelWith({ rows: Array.from({ length: 600 }, () => row), queries: [], mediaOf: () => 1 }, 2);
    const [found] = kernel.scan({
      limit: 3,
      minimumSimilarity: 1,
      queries: row,
      positions: null,
      exceptMediaIds: null,
    });
    assert.deepEqual(
      found,
      [0, 1, 2].map((position) => ({ position, similarity: 1 })),
    );
  });
});
