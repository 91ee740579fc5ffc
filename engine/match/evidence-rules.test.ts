import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Examination, ORIENTATIONS, type PdqFlavour } from '../../schemas/fingerprint.ts';
import { examinedPicture } from '../../test/batch-kit.ts';
import { addRecord, addSet, type KnownHash, turned } from '../../test/known-set-kit.ts';
import { openTestDb } from '../../test/pglite-template.ts';
import { PgvectorScan } from '../search/pgvector-scan.ts';
import type { Db } from '../store/db.ts';
import { type BitEvidence, findBitEvidence } from './bit-evidence.ts';
import { BIT_POLICY } from './policy.ts';

/** Hashes of no picture, each about 128 bits from every other. */
const hashOf = (seed: number) =>
  Uint8Array.from({ length: 32 }, (_, at) => Math.imul(seed * 32 + at + 1, 0x9e3779b1) >>> 24);
const hexOf = (hash: Uint8Array) => Buffer.from(hash).toString('hex');
/** The first `count` bits turned. */
const near = (hash: Uint8Array, count: number) =>
  turned(
    hash,
    Array.from({ length: count }, (_, bit) => bit),
  );

interface PictureHashes {
  readonly pdq512?: readonly Uint8Array[];
  readonly pdqFull?: readonly Uint8Array[];
  readonly blockhash?: Uint8Array;
  readonly quality?: number;
}

/** An examined picture with these hashes in the order of ORIENTATIONS; what is not given is unlike everything. */
function picture({ pdq512 = [], pdqFull = [], blockhash, quality = 90 }: PictureHashes): Examination {
  const pdq = (flavour: PdqFlavour, hashes: readonly Uint8Array[], seed: number) => {
    const dihedral = ORIENTATIONS.map((_, at) => hexOf(hashes[at] ?? hashOf(seed + at)));
    return { flavour, hex: dihedral[0] ?? '', quality, dihedral };
  };
  return {
    ...examinedPicture({
      pdq: [pdq('pdq-512', pdq512, 1_000), pdq('pdq-full', pdqFull, 2_000)],
      blockhash: blockhash === undefined ? null : { variant: 'blockhash-256-r512', hex: hexOf(blockhash) },
    }),
    sizeBytes: 1,
    digests: null,
    trailingBytes: null,
    capture: null,
  };
}

describe('the rules of perceptual evidence', () => {
  let db: Db;
  let setId: number;
  let seed = 0;
  before(async () => {
    db = await openTestDb();
    setId = await addSet(db);
  });
  after(async () => await db.close());

  const known = async (...hashes: KnownHash[]) => await addRecord(db, setId, hashes);
  const pdq = (bits: Uint8Array, quality: number | null = 90, algorithm = 'pdq'): KnownHash => ({
    algorithm,
    bits,
    quality,
  });
  const fresh = () => hashOf(++seed);
  async function evidenceFor(...pictures: Examination[]): Promise<Map<number, BitEvidence[]>> {
    return await findBitEvidence(new PgvectorScan(db), pictures);
  }
  async function soleEvidence(examination: Examination): Promise<BitEvidence> {
    const found = (await evidenceFor(examination)).get(0) ?? [];
    assert.equal(found.length, 1);
    return found[0] ?? assert.fail();
  }

  it('is the nearest of all flavours and orientations, once for each record', async () => {
    const hash = fresh();
    const recordId = await known(pdq(hash));
    const found = await soleEvidence(
      picture({ pdq512: [near(hash, 9), near(hash, 7)], pdqFull: [near(hash, 8), near(hash, 5)] }),
    );
    assert.deepEqual(
      [
        found.recordId,
        found.method,
        found.algorithm,
        found.distanceBits,
        found.thresholdBits,
        found.orientation,
        found.flavour,
      ],
      [recordId, 'pdq', 'pdq-full/1', 5, 31, 'rot90', 'pdq-full'],
    );
  });

  it('names the picture as it lies before a turned one at the same distance, then the first flavour', async () => {
    const hash = fresh();
    await known(pdq(hash));
    const found = await soleEvidence(picture({ pdq512: [near(hash, 4), hash], pdqFull: [hash, hash] }));
    assert.deepEqual([found.distanceBits, found.orientation, found.flavour], [0, 'original', 'pdq-full']);
    const both = await soleEvidence(picture({ pdq512: [hash], pdqFull: [hash] }));
    assert.equal(both.flavour, 'pdq-512');
  });

  it('is found in each of the eight orientations', async () => {
    const hash = fresh();
    await known(pdq(hash));
    for (const [at, orientation] of ORIENTATIONS.entries()) {
      const pdq512 = ORIENTATIONS.map((_, other) => (other === at ? near(hash, 2) : hashOf(3_000 + other)));
      assert.equal((await soleEvidence(picture({ pdq512 }))).orientation, orientation);
    }
  });

  it('reaches to 31 bits and no further', async () => {
    const hash = fresh();
    await known(pdq(hash));
    assert.equal((await soleEvidence(picture({ pdq512: [near(hash, 31)] }))).distanceBits, 31);
    assert.equal((await evidenceFor(picture({ pdq512: [near(hash, 32)] }))).size, 0);
  });

  it('names every record within the radius, not only the nearest', async () => {
    const hash = fresh();
    const records = [await known(pdq(hash)), await known(pdq(near(hash, 20))), await known(pdq(near(hash, 31)))];
    const found = (await evidenceFor(picture({ pdq512: [hash] }))).get(0) ?? [];
    assert.deepEqual(
      found.map((one) => [one.recordId, one.distanceBits]).sort((a, b) => (a[1] ?? 0) - (b[1] ?? 0)),
      [
        [records[0], 0],
        [records[1], 20],
        [records[2], 31],
      ],
    );
  });

  it('gives PDQ and blockhash evidence side by side', async () => {
    const [hash, block] = [fresh(), fresh()];
    await known(pdq(hash), { algorithm: 'blockhash-256-r512', bits: block, quality: null });
    const radius = BIT_POLICY['blockhash-256-r512'].thresholdBits;
    const found = (await evidenceFor(picture({ pdq512: [hash], blockhash: near(block, radius) }))).get(0) ?? [];
    assert.deepEqual(
      found.map((one) => [one.method, one.algorithm, one.distanceBits, one.orientation, one.flavour]).sort(),
      [
        ['blockhash', 'blockhash-256-r512/1', radius, 'original', null],
        ['pdq', 'pdq-512/1', 0, 'original', 'pdq-512'],
      ],
    );
    assert.equal((await evidenceFor(picture({ blockhash: near(block, radius + 1) }))).size, 0);
  });

  it('is never made of a flat picture, by PDQ or by blockhash', async () => {
    const [hash, block] = [fresh(), fresh()];
    await known(pdq(hash), { algorithm: 'blockhash-256-r512', bits: block, quality: null });
    const hashes = { pdq512: [hash], pdqFull: [hash], blockhash: block };
    assert.equal((await evidenceFor(picture({ ...hashes, quality: 49 }))).size, 0);
    assert.equal((await evidenceFor(picture({ ...hashes, quality: 50 }))).get(0)?.length, 2);
  });

  it('is never made with a known picture that its source calls flat, and believes one whose quality is not given', async () => {
    const [flat, unsaid] = [fresh(), fresh()];
    await known(pdq(flat, 49));
    const recordId = await known(pdq(unsaid, null));
    assert.equal((await evidenceFor(picture({ pdq512: [flat], pdqFull: [flat] }))).size, 0);
    assert.equal((await soleEvidence(picture({ pdq512: [unsaid] }))).recordId, recordId);
  });

  it('belongs to the picture it was found for', async () => {
    const hashes = [fresh(), fresh()];
    const records = [await known(pdq(hashes[0] ?? fresh())), await known(pdq(hashes[1] ?? fresh()))];
    const notAPicture: Examination = { ...picture({}), outcome: 'notExamined', picture: null };
    const found = await evidenceFor(
      picture({ pdq512: hashes.slice(1) }),
      notAPicture,
      picture({}),
      picture({ pdq512: hashes.slice(0, 1) }),
    );
    assert.deepEqual([...found].map(([at, of]) => [at, of.map((one) => one.recordId)]).sort(), [
      [0, [records[1]]],
      [3, [records[0]]],
    ]);
  });

  it('expects more false matches the more is known', async () => {
    const hash = fresh();
    await known(pdq(hash));
    const expected = async () =>
      (await soleEvidence(picture({ pdq512: [hash] }))).expectedFalseMatches ?? assert.fail();
    const before = await expected();
    for (let more = 0; more < 5; more += 1) await known(pdq(fresh()));
    const now = await expected();
    assert.ok(before > 0 && now > before, `${before} before, ${now} after`);
  });
});
