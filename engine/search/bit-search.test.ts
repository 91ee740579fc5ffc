import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import type { Db } from '../store/db.ts';
import { dropBlocks, noteAdded, noteWithdrawn } from '../store/queries/known-changes.ts';
import { integer, row } from '../store/row-shape.ts';
import type { BitHit, BitQuery, BitSearch } from './bit-search.ts';
import { MihSearch } from './mih/mih-search.ts';
import { openBitSearch } from './open-bit-search.ts';
import { PgvectorScan } from './pgvector-scan.ts';

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((value) => Buffer.from(value));
const bitPlaces = fc.uniqueArray(fc.integer({ min: 0, max: 255 }), { minLength: 0, maxLength: 40 });

function flipped(bits: Buffer, places: readonly number[]): Buffer {
  const result = Buffer.from(bits);
  for (const place of places) result[place >> 3] = (result[place >> 3] ?? 0) ^ (0x80 >> (place & 7));
  return result;
}

interface KnownHash {
  readonly algorithm: 'pdq' | 'pdq-512' | 'pdq-full' | 'blockhash-256-r512';
  readonly bits: Buffer;
  readonly quality: number | null;
}

async function addSet(
  db: Db,
  name: string,
  state: 'active' | 'removed',
  hashes: readonly KnownHash[],
): Promise<number[]> {
  return await db.transaction(async (tx) => {
    const [set] = await tx.read(
      row({ setId: integer }),
      `insert into hash_set (source, name, version, content_sha256, format, category_scheme, state, imported_by)
       values ('test', $1, 1, sha256('x'), 'csv', 'unspecified', $2, 'test') returning set_id`,
      [name, state],
    );
    const records = await tx.read(
      row({ recordId: integer }),
      `insert into known_record (set_id, source_key) select $1, place::text from generate_series(1, $2::int) place returning record_id`,
      [set?.setId ?? 0, hashes.length],
    );
    const recordIds = records.map((record) => record.recordId);
    await tx.execute(
      `insert into known_bits (record_id, set_id, algorithm, bits, quality)
       select record_id, $1, algorithm, ('x' || hex)::bit(256), quality
         from unnest($2::bigint[], $3::text[], $4::text[], $5::smallint[]) as k(record_id, algorithm, hex, quality)`,
      [
        set?.setId ?? 0,
        recordIds,
        hashes.map((known) => known.algorithm),
        hashes.map((known) => known.bits.toString('hex')),
        hashes.map((known) => known.quality),
      ],
    );
    const [firstRecordId = 0] = recordIds;
    await noteAdded(tx, { setId: set?.setId ?? 0, firstRecordId, lastRecordId: firstRecordId + hashes.length - 1 });
    return recordIds;
  });
}

async function removeSet(db: Db, name: string): Promise<void> {
  await db.transaction(async (tx) => {
    const [set] = await tx.read(
      row({ setId: integer }),
      `update hash_set set state = 'removed' where name = $1 returning set_id`,
      [name],
    );
    await noteWithdrawn(tx, await dropBlocks(tx, set?.setId ?? 0));
  });
}

const seen = (hits: readonly BitHit[]): string[] =>
  hits
    .map((hit) => `${hit.query.tag} ${hit.query.algorithm} ${hit.recordId} ${hit.distanceBits} ${hit.quality}`)
    .sort();

for (const engine of STORE_ENGINES) {
  describe(`bit search on ${engine.name}`, engine.options, () => {
    let db: Db;
    const base = Buffer.from('1f'.repeat(16) + 'a3'.repeat(16), 'hex');
    const far = Buffer.from('e0'.repeat(16) + '5c'.repeat(16), 'hex');
    const places = (count: number): number[] => Array.from({ length: count }, (_, at) => (at * 7) % 256);
    let recordIds: number[];
    before(async () => {
      db = await engine.open();
      recordIds = await addSet(db, 'in force', 'active', [
        { algorithm: 'pdq', bits: base, quality: 90 },
        { algorithm: 'pdq-512', bits: flipped(base, places(31)), quality: null },
        { algorithm: 'pdq-512', bits: flipped(base, places(32)), quality: 50 },
        { algorithm: 'pdq-full', bits: flipped(base, places(3)), quality: 10 },
        { algorithm: 'blockhash-256-r512', bits: base, quality: null },
        { algorithm: 'pdq', bits: far, quality: 100 },
      ]);
      await addSet(db, 'withdrawn', 'removed', [{ algorithm: 'pdq', bits: base, quality: 90 }]);
    });
    after(async () => await db.close());

    const query = (algorithm: BitQuery['algorithm'], bits: Buffer, tag = 0): BitQuery => ({
      tag,
      algorithm,
      orientation: 'original',
      bits,
      radiusBits: 31,
    });

    for (const [name, open] of [
      ['pgvector', async (of: Db): Promise<BitSearch> => new PgvectorScan(of)],
      ['the index', async (of: Db): Promise<BitSearch> => await MihSearch.open(of, { threads: 2 })],
    ] as const) {
      it(`R9: ${name} finds all within 31 bits and none at 32, of sets in force, of the flavours that compare`, async () => {
        const search = await open(db);
        try {
          const [unknown, at31, , full, block] = recordIds;
          assert.deepEqual(
            seen(await search.within([query('pdq-512', base)])),
            [`0 pdq-512 ${unknown} 0 90`, `0 pdq-512 ${at31} 31 null`].sort(),
          );
          assert.deepEqual(
            seen(await search.within([query('pdq-full', base)])),
            [`0 pdq-full ${unknown} 0 90`, `0 pdq-full ${full} 3 10`].sort(),
          );
          assert.deepEqual(seen(await search.within([query('blockhash-256-r512', base)])), [
            `0 blockhash-256-r512 ${block} 0 null`,
          ]);
          assert.equal(await search.size('pdq-512'), 4);
          assert.deepEqual(await search.within([]), []);
        } finally {
          await search.close();
        }
      });
    }

    it('R9: the index answers as pgvector does, which is the oracle, for a thousand known hashes in clusters', async () => {
      const centres = fc.sample(hash, { numRuns: 20, seed: 11 });
      const hashes = fc
        .sample(
          fc.tuple(
            fc.nat({ max: 19 }),
            bitPlaces,
            fc.constantFrom('pdq', 'pdq-512', 'pdq-full'),
            fc.option(fc.nat({ max: 100 })),
          ),
          { numRuns: 1000, seed: 12 },
        )
        .map(
          ([centre, flips, algorithm, quality]): KnownHash => ({
            algorithm,
            bits: flipped(centres[centre] ?? base, flips),
            quality,
          }),
        );
      await addSet(db, 'clusters', 'active', hashes);
      const queries = centres.flatMap((centre, tag) => [
        query('pdq-512', centre, tag),
        query('pdq-full', flipped(centre, places(9)), tag),
      ]);
      const oracle = seen(await new PgvectorScan(db).within(queries));
      const search = await openBitSearch(db, { threads: 2, queriesBetweenChecks: 1 });
      try {
        assert.match(search.description, /multi-index/);
        assert.deepEqual(seen(await search.within(queries)), oracle);
        assert.match(search.description, /multi-index/, 'every answer was checked and none differed');
        assert.ok(oracle.length > 500, `only ${oracle.length} hits: the clusters are not what they should be`);
      } finally {
        await search.close();
      }
    });

    it('R9: sets that come into force or go out of it while the search is open count from the next query on', async () => {
      const added = Buffer.from('77'.repeat(32), 'hex');
      const search = await openBitSearch(db);
      try {
        assert.deepEqual(await search.within([query('pdq-512', added)]), []);
        const size = await search.size('pdq-512');
        const [record] = await addSet(db, 'late', 'active', [{ algorithm: 'pdq', bits: added, quality: 80 }]);
        assert.deepEqual(seen(await search.within([query('pdq-512', added)])), [`0 pdq-512 ${record} 0 80`]);
        assert.equal(await search.size('pdq-512'), size + 1);
        await removeSet(db, 'late');
        assert.deepEqual(await search.within([query('pdq-512', added)]), []);
      } finally {
        await search.close();
      }
    });
  });
}
