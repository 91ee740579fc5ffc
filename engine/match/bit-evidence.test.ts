import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { type Examination, ORIENTATIONS } from '../../schemas/fingerprint.ts';
import { openTestDb } from '../../test/pglite-template.ts';
import type { BitSearch } from '../search/bit-search.ts';
import { PgvectorScan } from '../search/pgvector-scan.ts';
import type { Db } from '../store/db.ts';
import { findBitEvidence } from './bit-evidence.ts';
import { expectedFalseMatches, passesQuality } from './policy.ts';

/** Eight hashes that are far from each other. */
const DIHEDRAL = ORIENTATIONS.map((orientation) => createHash('sha256').update(orientation).digest('hex'));

function picture(quality: number, dihedral: readonly string[] = DIHEDRAL): Examination {
  const hex = dihedral[0] ?? '';
  return {
    outcome: 'done',
    reason: null,
    type: 'image/png',
    sizeBytes: 1,
    digests: null,
    trailingBytes: null,
    picture: {
      widthPixels: 100,
      heightPixels: 100,
      decoder: 'test',
      mode: 'exact',
      reductionFactor: 1,
      frames: 1,
      pdq: [
        { flavour: 'pdq-512', hex, quality, dihedral: [...dihedral] },
        { flavour: 'pdq-full', hex, quality, dihedral: [...dihedral] },
      ],
      blockhash: { variant: 'blockhash-256-r512', hex },
    },
    capture: null,
  };
}

function flip(hex: string, bits: number): string {
  const value = Buffer.from(hex, 'hex');
  for (let bit = 0; bit < bits; bit += 1) value[bit % 32] = (value[bit % 32] ?? 0) ^ (1 << Math.floor(bit / 32));
  return value.toString('hex');
}

describe('evidence by perceptual hash', () => {
  let db: Db;
  let search: BitSearch;
  before(async () => {
    db = await openTestDb();
    search = new PgvectorScan(db);
    await db.execute(
      `insert into hash_set (source, name, version, content_sha256, format, category_scheme, state, imported_by)
       values ('unit', 'set', 1, sha256('x'), 'csv', 'unspecified', 'active', 'tester')`,
    );
  });
  after(async () => await db.close());

  const known = async (algorithm: string, hex: string, quality: number | null): Promise<void> => {
    await db.execute('delete from known_record');
    await db.execute('insert into known_record (set_id) select set_id from hash_set');
    await db.execute(
      "insert into known_bits select record_id, set_id, $1, ('x' || $2)::bit(256), $3 from known_record",
      [algorithm, hex, quality],
    );
  };
  const evidenceFor = async (examination: Examination) => (await findBitEvidence(search, [examination])).get(0) ?? [];

  it('finds a picture in each of its eight orientations and says which', async () => {
    for (const [at, orientation] of ORIENTATIONS.entries()) {
      await known('pdq', flip(DIHEDRAL[at] ?? '', 5), 90);
      const [evidence, ...others] = await evidenceFor(picture(100));
      assert.deepEqual(others, []);
      assert.equal(evidence?.orientation, orientation);
      assert.equal(evidence?.distanceBits, 5);
      assert.equal(evidence?.flavour, 'pdq-512');
      assert.equal(evidence?.thresholdBits, 31);
    }
  });

  it('takes distance 31 and leaves 32', async () => {
    await known('pdq', flip(DIHEDRAL[0] ?? '', 31), 90);
    assert.equal((await evidenceFor(picture(100)))[0]?.distanceBits, 31);
    await known('pdq', flip(DIHEDRAL[0] ?? '', 32), 90);
    assert.deepEqual(await evidenceFor(picture(100)), []);
  });

  it('matches nothing of a flat picture, and nothing to a flat record; an unknown quality passes', async () => {
    for (const algorithm of ['pdq', 'blockhash-256-r512']) {
      await known(algorithm, DIHEDRAL[0] ?? '', 90);
      assert.equal((await evidenceFor(picture(50))).length, 1, algorithm);
      assert.deepEqual(await evidenceFor(picture(49)), [], algorithm);
      await known(algorithm, DIHEDRAL[0] ?? '', 49);
      assert.deepEqual(await evidenceFor(picture(100)), [], algorithm);
      await known(algorithm, DIHEDRAL[0] ?? '', null);
      assert.equal((await evidenceFor(picture(100))).length, 1, algorithm);
    }
    assert.equal(passesQuality('pdq-512', null), true);
  });

  it('compares a hash of a named flavour with that flavour only', async () => {
    await known('pdq-full', DIHEDRAL[3] ?? '', 90);
    const [evidence] = await evidenceFor(picture(100));
    assert.equal(evidence?.flavour, 'pdq-full');
    assert.equal(evidence?.algorithm, 'pdq-full/1');
  });

  it('expects false matches in proportion to the search, and hardly any of PDQ', () => {
    const one = expectedFalseMatches('pdq-512', 1_000_000);
    assert.ok(one > 0 && one < 1e-6);
    assert.ok(Math.abs(expectedFalseMatches('pdq-512', 2_000_000) / one - 2) < 1e-9);
    // What the choice of blockhash's radius promises.
    assert.ok(expectedFalseMatches('blockhash-256-r512', 10_000_000) < 1);
  });
});
