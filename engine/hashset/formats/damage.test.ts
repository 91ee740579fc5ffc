import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { generateSet } from '../../../bench/set-generator.ts';
import type { KnownRecord } from '../../../schemas/known-record.ts';
import { arbitraryRecord, cutAt, joined, readOrRefuse, readSet, streamOf } from '../../../test/hash-set-kit.ts';
import { needsShared, requireShared } from '../../../test/shared-data.ts';
import { openSet } from './reader.ts';
import { writeSet } from './writer.ts';

/** One small set of each format, with every kind of member, made here so that the test needs no data beside the checkout. */
const SETS = new Map<string, Buffer>();

before(async () => {
  const records = fc.sample(arbitraryRecord, { numRuns: 3, seed: 20261103 });
  for (const format of ['vics', 'csv', 'ndjson'] as const)
    SETS.set(format, await joined(writeSet(format, streamOf(records), 'vic-us')));
  for (const format of ['vics-photodna', 'vics-1.3', 'csv', 'md5', 'md5sum', 'sha1', 'sha256', 'pdq'] as const) {
    SETS.set(`generated ${format}`, await joined(generateSet({ format, records: 4, seed: 3 })));
  }
});

const bytesOf = (name: string): Buffer => SETS.get(name) ?? assert.fail(`no set ${name}`);
const ALL = [
  'vics',
  'csv',
  'ndjson',
  ...['vics-photodna', 'vics-1.3', 'csv', 'md5', 'md5sum', 'sha1', 'sha256', 'pdq'].map((name) => `generated ${name}`),
];

describe('a truncated set', () => {
  for (const name of ['vics', 'ndjson', 'generated vics-photodna', 'generated vics-1.3']) {
    it(`is never taken: ${name}, cut at every offset`, async () => {
      const bytes = bytesOf(name);
      const wholeBytes = bytes.toString('latin1').trimEnd().length;
      for (let length = 0; length < wholeBytes; length++) {
        const result = await readOrRefuse([bytes.subarray(0, length)]);
        assert.equal(typeof result, 'string', `cut at ${length} of ${bytes.length}`);
      }
    });
  }

  for (const name of [
    'generated md5',
    'generated sha1',
    'generated sha256',
    'generated pdq',
    'generated csv',
    'generated md5sum',
  ]) {
    it(`is refused, or gives no record that the whole one has not: ${name}, cut at every offset`, async () => {
      const bytes = bytesOf(name);
      const hashes = ({ md5, sha1, sha256, bits }: KnownRecord) => [md5, sha1, sha256, bits.map(({ hex }) => hex)];
      // Within the first line nothing tells that a digest is a piece of a longer one.
      const firstLineEnd = bytes.indexOf('\n');
      const whole = (await readSet([bytes], { format: 'auto', name })).records.map(hashes);
      for (let length = firstLineEnd; length < bytes.length; length++) {
        const result = await readOrRefuse([bytes.subarray(0, length)], { format: 'auto', name });
        if (typeof result !== 'string')
          assert.deepEqual(result.records.map(hashes), whole.slice(0, result.records.length), `cut at ${length}`);
      }
    });
  }

  it('is never taken: the BOM sample, cut at 100 places', needsShared, async () => {
    const bytes = readFileSync(requireShared('data/exchange/vics/vics2.0_US_Media_hashset_BOM_min.json'));
    for (let index = 0; index < 100; index++) {
      const length = Math.floor((bytes.length * index) / 100);
      assert.equal(typeof (await readOrRefuse([bytes.subarray(0, length)])), 'string', `cut at ${length}`);
    }
  });

  it('names the byte at which it ends', async () => {
    const bytes = bytesOf('vics').subarray(0, 700);
    await assert.rejects(readSet([bytes]), { code: 'HW_SET_DAMAGED', message: /truncated: it ends at byte 700 / });
  });
});

describe('a mutated set', () => {
  for (const name of ALL) {
    it(`gives records or a coded error, nothing else: ${name}`, async () => {
      const bytes = bytesOf(name);
      const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
      await fc.assert(
        fc.asyncProperty(edits, fc.boolean(), async (changes, grow) => {
          let mutated = Buffer.from(bytes);
          for (const [place, byte] of changes) mutated[place % mutated.length] = byte;
          const [place, byte] = changes[0] ?? [0, 0];
          const at = place % mutated.length;
          if (grow) mutated = Buffer.concat([mutated.subarray(0, at), Buffer.of(byte), mutated.subarray(at)]);
          await readOrRefuse([mutated], { format: 'auto', name });
        }),
        { numRuns: 100 },
      );
    });
  }

  it('of random bytes after a good head gives records or a coded error', async () => {
    const heads = [
      '{"odata.metadata":"projectvic","value":[',
      'md5,series\n',
      `${'a'.repeat(32)}\n`,
      '{"homeward":"known-records","formatVersion":"1","categoryScheme":"x"}\n',
    ];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...heads), fc.uint8Array({ maxLength: 400 }), async (head, noise) => {
        await readOrRefuse([Buffer.from(head), noise]);
      }),
      { numRuns: 300 },
    );
  });
});

describe('the way a set is cut into chunks', () => {
  for (const name of ALL) {
    it(`does not matter: ${name}`, async () => {
      const bytes = bytesOf(name);
      const whole = await readSet([bytes], { format: 'auto', name });
      assert.ok(whole.records.length >= 3);
      await fc.assert(
        fc.asyncProperty(fc.array(fc.nat(), { maxLength: 40 }), async (places) => {
          assert.deepEqual(await readSet(cutAt(bytes, places), { format: 'auto', name }), whole);
        }),
        { numRuns: 40 },
      );
      assert.deepEqual(
        await readSet(
          Array.from(bytes, (byte) => Uint8Array.of(byte)),
          { format: 'auto', name },
        ),
        whole,
      );
    });
  }

  it('does not matter for sets larger than a batch and a slice', async () => {
    for (const format of ['vics', 'md5', 'csv'] as const) {
      const bytes = await joined(generateSet({ format, records: 6000, seed: 5 }));
      const whole = await readSet([bytes]);
      assert.equal(whole.records.length, 6000);
      assert.deepEqual(await readSet(cutAt(bytes, [1, 4097, 65_537, 262_145, 300_001])), whole);
    }
  });
});

describe('a reader', () => {
  it('lets go of its source when it is closed, left early or refused', async () => {
    let open = 0;
    async function* source(bytes: Buffer) {
      open++;
      try {
        for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
      } finally {
        open--;
      }
    }
    const bytes = await joined(generateSet({ format: 'md5', records: 20_000, seed: 1 }));
    const closed = await openSet(source(bytes), { format: 'auto' });
    await closed.close();
    const left = await openSet(source(bytes), { format: 'auto' });
    for await (const batch of left.batches()) if (batch.rowCount > 0) break;
    await assert.rejects(openSet(source(bytes), { format: 'vics' }), { code: 'HW_SET_FORMAT' });
    assert.equal(open, 0);
  });
});
