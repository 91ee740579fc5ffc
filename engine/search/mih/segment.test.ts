import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { MOST_HASHES_OF_SEGMENT } from '../../../schemas/constants.ts';
import { collectGarbage } from './collect-garbage.ts';
import { gatherSegments, segmentsToGather } from './gather-segments.ts';
import { MihThreads } from './mih-threads.ts';
import { RecordIntervals } from './record-intervals.ts';
import { type Segment, SegmentFiller } from './segment.ts';
import { layoutOf, MOST_PAGES, mostHitsOf, PAGE_BYTES } from './segment-layout.ts';

/** Numbers that look random and are the same in every run (a linear congruential generator). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function anyHash(next: () => number): Buffer {
  return Buffer.from(Array.from({ length: 32 }, () => Math.floor(next() * 256)));
}

function near(hash: Buffer, flips: number, next: () => number): Buffer {
  const made = Buffer.from(hash);
  for (let flip = 0; flip < flips; flip += 1) {
    const bit = Math.floor(next() * 256);
    made[bit >> 3] = (made[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  }
  return made;
}

function distanceBits(a: Uint8Array, b: Uint8Array): number {
  let distance = 0;
  for (const [at, byte] of a.entries()) for (let left = byte ^ (b[at] ?? 0); left > 0; left >>= 1) distance += left & 1;
  return distance;
}

describe('a segment of the index', () => {
  let threads: MihThreads;
  before(() => {
    threads = new MihThreads(2);
  });
  after(async () => await threads.close());

  async function segmentOf(hashes: readonly Uint8Array[], firstRecordId = 1): Promise<Segment> {
    const filler = new SegmentFiller();
    for (const [at, hash] of hashes.entries()) filler.add(firstRecordId + at, hash, 0, at % 3 === 0 ? null : at % 101);
    const segment = filler.finish(threads.count);
    threads.attach(segment);
    await threads.build(segment, 'now');
    return segment;
  }

  async function found(segment: Segment, queries: readonly Uint8Array[], radiusBits: number): Promise<string[]> {
    const hits = await threads.within(segment, Buffer.concat(queries), radiusBits);
    const told: string[] = [];
    for (const part of hits)
      for (let at = 0; at < part.length; at += 3) told.push(`${part[at]} ${part[at + 1]} ${part[at + 2]}`);
    return told.sort();
  }

  function expected(hashes: readonly Uint8Array[], queries: readonly Uint8Array[], radiusBits: number): string[] {
    return queries
      .flatMap((query, number) =>
        hashes.flatMap((hash, position) => {
          const distance = distanceBits(hash, query);
          return distance <= radiusBits ? [`${number} ${position} ${distance}`] : [];
        }),
      )
      .sort();
  }

  it('R9: finds exactly what is within the radius, each once, in clusters and alone, at any size and radius', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.constantFrom(1, 20, 1023, 1024, 3000),
        fc.constantFrom(0, 5, 12, 31, 48, 90, 140),
        fc.constantFrom(0, 10, 40),
        async (seed, count, radiusBits, spread) => {
          const next = numbers(seed);
          const centres = Array.from({ length: 5 }, () => anyHash(next));
          const hashes = Array.from({ length: count }, (_, at) =>
            at % 2 === 0 ? anyHash(next) : near(centres[at % 5] ?? anyHash(next), next() * spread, next),
          );
          const queries = [...centres, ...hashes.slice(0, 3)].map((hash) => near(hash, next() * radiusBits, next));
          const segment = await segmentOf(hashes);
          assert.deepEqual(await found(segment, queries, radiusBits), expected(hashes, queries, radiusBits));
          threads.detach(segment);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('R9: finds all copies of a cluster, however many, and says each once', async () => {
    const next = numbers(5);
    const centre = anyHash(next);
    const hashes = Array.from({ length: mostHitsOf(0) + 500 }, () => near(centre, 3, next));
    const segment = await segmentOf(hashes);
    assert.equal((await found(segment, [centre], 31)).length, hashes.length);
  });

  it('R9: finds the copies of each of many pictures, query after query, though copies share most of their buckets', async () => {
    const next = numbers(9);
    const centres = Array.from({ length: 200 }, () => anyHash(next));
    const hashes = centres.flatMap((centre) => Array.from({ length: 200 }, () => near(centre, 24, next)));
    const some = centres.slice(0, 15);
    const queries = [...some, ...some].map((centre) => near(centre, 8, next));
    assert.deepEqual(await found(await segmentOf(hashes), queries, 31), expected(hashes, queries, 31));
  });

  it('R9: finds what is in a bucket that holds nearly everything', async () => {
    // Flat pictures: all hashes agree in the first half, so that every bucket of its bands overflows.
    const next = numbers(6);
    const hashes = Array.from({ length: 4000 }, () => Buffer.concat([Buffer.alloc(16), anyHash(next).subarray(16)]));
    const queries = hashes.slice(0, 20).map((hash) => near(hash, 31, next));
    assert.deepEqual(await found(await segmentOf(hashes), queries, 31), expected(hashes, queries, 31));
  });

  it('keeps the record and the quality of each hash', async () => {
    const next = numbers(7);
    const segment = await segmentOf([anyHash(next), anyHash(next)], 2 ** 40);
    assert.equal(segment.recordIdAt(1), 2 ** 40 + 1);
    assert.equal(segment.qualityAt(0), null);
    assert.equal(segment.qualityAt(1), 1);
  });

  it('gathers what is not withdrawn of several segments, with record and quality', async () => {
    const next = numbers(8);
    const hashes = Array.from({ length: 3000 }, () => anyHash(next));
    const parts = [await segmentOf(hashes.slice(0, 1000), 1), await segmentOf(hashes.slice(1000), 1001)];
    parts[0]?.withdraw([[11, 20]]);
    const made = await gatherSegments(threads, parts);
    assert.ok(made !== null);
    assert.equal(made.count, 2990);
    const told = await threads.within(made, Buffer.concat(hashes), 0);
    const records = told.flatMap((part) =>
      Array.from({ length: part.length / 3 }, (_, hit) => made.recordIdAt(part[hit * 3 + 1] ?? -1)),
    );
    assert.deepEqual(
      records.toSorted((a, b) => a - b),
      Array.from({ length: 3000 }, (_, at) => at + 1).filter((id) => id < 11 || id > 20),
    );
  });

  it('makes one of many small segments, and anew one of which much is withdrawn', async () => {
    const next = numbers(9);
    const large = await segmentOf(Array.from({ length: 2000 }, () => anyHash(next)));
    const small = [];
    for (let at = 0; at < 5; at += 1) small.push(await segmentOf([anyHash(next)], 10_000 + at));
    assert.deepEqual(segmentsToGather([large]), []);
    assert.deepEqual(segmentsToGather([large, ...small]), small);
    large.withdraw([[1, 600]]);
    assert.deepEqual(segmentsToGather([large]), [large]);
  });

  it('fits into the memory that addresses reach, with at most 130 bytes a hash from a million on', () => {
    for (const count of [1_000_000, 3_000_000, 10_000_000, MOST_HASHES_OF_SEGMENT]) {
      const { totalBytes } = layoutOf(count, 8);
      assert.ok(totalBytes < MOST_PAGES * PAGE_BYTES, `${count} hashes take ${totalBytes} bytes`);
      assert.ok(totalBytes / count <= 130, `${count} hashes take ${totalBytes / count} bytes each`);
    }
  });
});

describe('intervals of records', () => {
  it('hold what was added and nothing else, each interval as long as can be', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 60 }), fc.nat({ max: 9 }))), (added) => {
        const intervals = new RecordIntervals();
        const kept = new Set<number>();
        for (const [first, more] of added) {
          intervals.add(first, first + more);
          for (let id = first; id <= first + more; id += 1) kept.add(id);
        }
        for (let id = 0; id < 75; id += 1) assert.equal(intervals.has(id), kept.has(id), `${id}`);
        const pairs = intervals.toPairs();
        for (const [at, [first, last]] of pairs.entries()) {
          assert.ok(first <= last);
          const before = pairs[at - 1];
          if (before !== undefined) assert.ok(before[1] + 1 < first);
        }
      }),
    );
  });
});

describe('memory of the index', () => {
  it('is returned when a segment goes out of use', async () => {
    const threads = new MihThreads(2);
    try {
      const next = numbers(4);
      const hash = anyHash(next);
      const residentBytes = () => process.memoryUsage.rss();
      const detached = async (): Promise<number> => {
        const filler = new SegmentFiller();
        for (let at = 0; at < 1_000_000; at += 1) filler.add(at, hash, 0, null);
        const segment = filler.finish(threads.count);
        threads.attach(segment);
        await threads.within(segment, hash, 0);
        const held = residentBytes();
        threads.detach(segment);
        return held;
      };
      const held = await detached();
      // Two rounds: every thread has then gone through the message before.
      for (let round = 0; round < 20 && residentBytes() > held - 30_000_000; round += 1) {
        collectGarbage();
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      assert.ok(residentBytes() < held - 30_000_000, `${residentBytes()} bytes stay of ${held}`);
    } finally {
      await threads.close();
    }
  });
});
