import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DigestDelta } from './digest-filter.ts';
import { DIGEST_KINDS, DigestKeys, highOfHex, lowOfHex } from './digest-key.ts';
import { buildDigestFilter, type KeySource } from './filter-builder.ts';
import { buildFuseFilter, mayHold } from './fuse-filter.ts';

type Key = readonly [low: number, high: number];

const word = fc.integer({ min: 0, max: 0xffff_ffff });
/** Many alike in one of their words, as digests of one prefix and hostile ones are, and repeated ones. */
const key: fc.Arbitrary<Key> = fc.oneof(
  fc.tuple(word, word),
  fc.tuple(word, fc.constantFrom(0, 1, 0xffff_ffff)),
  fc.tuple(fc.constantFrom(0, 1, 0xffff_ffff), word),
  fc.tuple(fc.nat(3), fc.nat(3)),
);

function keysOf(keys: readonly Key[]): DigestKeys {
  const found = new DigestKeys(4);
  for (const [low, high] of keys) found.add(low, high);
  return found;
}

/** The generator of Park and Miller: the same keys in every run. */
function* randomWords(seed: number): Generator<number> {
  for (let value = seed; ; ) {
    value = (value * 48_271) % 0x7fff_ffff;
    const high = value;
    value = (value * 48_271) % 0x7fff_ffff;
    yield ((high << 8) ^ value) >>> 0;
  }
}

function randomKeys(count: number, seed: number): Key[] {
  const words = randomWords(seed);
  const next = () => words.next().value ?? 0;
  return Array.from({ length: count }, () => [next(), next()]);
}

const sourceOf =
  (keys: readonly Key[], asked: number[] = []): KeySource =>
  async ({ first, last }, add) => {
    asked.push(last - first + 1);
    for (const [low, high] of keys) if (high >>> 24 >= first && high >>> 24 <= last) add(low, high);
  };
const never = new AbortController().signal;

describe('a fuse filter', () => {
  it('says yes to every key, however many and however alike', () => {
    fc.assert(
      fc.property(fc.array(key, { maxLength: 400 }), (keys) => {
        const { words, count } = keysOf(keys);
        const filter = buildFuseFilter(words, count);
        assert.ok(keys.every(([low, high]) => mayHold(filter, low, high)));
      }),
    );
  });

  it('says yes to one key in 256 that is not in it, with 1.16 bytes a key', () => {
    const { words, count } = keysOf(randomKeys(200_000, 7));
    const filter = buildFuseFilter(words, count);
    const strangers = randomKeys(200_000, 11);
    const wrong = strangers.filter(([low, high]) => mayHold(filter, low, high)).length;
    // 781 are expected, with a standard deviation of 28.
    assert.ok(wrong > 600 && wrong < 960, `${wrong} of 200,000`);
    assert.ok(filter.fingerprints.length / filter.keys < 1.2);
  });

  it('counts a key that came twice once', () => {
    const { words, count } = keysOf([
      [1, 2],
      [3, 4],
      [1, 2],
    ]);
    assert.equal(buildFuseFilter(words, count).keys, 2);
  });
});

describe('a filter of digests', () => {
  it('says yes to every key, read in one pass or in many', async () => {
    const keys = randomKeys(30_000, 3);
    for (const keysPerPass of [100_000, 10_000, 100]) {
      const asked: number[] = [];
      const filter = await buildDigestFilter(keys.length, sourceOf(keys, asked), never, keysPerPass);
      assert.ok(keys.every(([low, high]) => filter.mayHold(low, high)));
      assert.equal(
        asked.reduce((sum, range) => sum + range, 0),
        256,
      );
      assert.ok(filter.keys > 29_990);
    }
  });

  it('says yes to every key where all begin alike and there are more of them than expected', async () => {
    const keys = randomKeys(5_000, 5).map(([low]): Key => [low, 0x0000_0001]);
    const filter = await buildDigestFilter(10, sourceOf(keys), never, 1_000);
    assert.ok(keys.every(([low, high]) => filter.mayHold(low, high)));
  });

  it('passes on what the source throws, and ends its thread', async () => {
    const failing: KeySource = async () => {
      throw new RangeError('the connection was lost');
    };
    await assert.rejects(buildDigestFilter(10, failing, never), { message: 'the connection was lost' });
  });

  it('ends when it is told to', async () => {
    const stop = new AbortController();
    const stopping: KeySource = async () => stop.abort();
    await assert.rejects(buildDigestFilter(1_000, stopping, stop.signal, 100), { name: 'AbortError' });
  });
});

describe('the delta of a filter', () => {
  it('holds what was added and nothing else', () => {
    fc.assert(
      fc.property(fc.array(key, { maxLength: 300 }), fc.array(key, { maxLength: 300 }), (added, asked) => {
        const delta = new DigestDelta();
        const model = new Set<string>();
        for (const [low, high] of added) {
          delta.add(low, high);
          model.add(`${low} ${high}`);
        }
        for (const [low, high] of [...added, ...asked])
          assert.equal(delta.holds(low, high), model.has(`${low} ${high}`));
      }),
    );
  });

  it('goes on when it grows', () => {
    const keys = randomKeys(20_000, 13);
    const delta = new DigestDelta();
    for (const [low, high] of keys) delta.add(low, high);
    assert.ok(keys.every(([low, high]) => delta.holds(low, high)));
    assert.equal(delta.count, new Set(keys.map(([low, high]) => `${low} ${high}`)).size);
  });
});

describe('the key of a digest', () => {
  it('is another for each kind of the same digits', () => {
    const lows = DIGEST_KINDS.map((kind) => lowOfHex(kind, '0123456789abcdef'));
    assert.equal(new Set(lows).size, DIGEST_KINDS.length);
  });

  it('has the first four bytes as its high word', () => {
    assert.equal(highOfHex('fedcba9876543210'), 0xfedc_ba98);
  });
});
