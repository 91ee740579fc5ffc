/** The index over a real store: the scan it is held against, and how soon it is there again after a restart. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { BitQuery } from '../engine/search/bit-search.ts';
import { sameHits } from '../engine/search/check-search.ts';
import { MihSearch } from '../engine/search/mih/mih-search.ts';
import { PgvectorScan } from '../engine/search/pgvector-scan.ts';
import { openServer } from '../engine/store/adapters/pg.ts';
import { CopyEncoder } from '../engine/store/binary-copy.ts';
import type { Db } from '../engine/store/db.ts';
import { noteAdded } from '../engine/store/queries/known-changes.ts';
import { integer, row } from '../engine/store/row-shape.ts';
import { type BenchOptions, figure, judged, type Measure } from './harness.ts';
import { RADIUS_BITS } from './radius-index.ts';
import { HASH_BYTES, WORDS } from './radius-sets.ts';

export const asQuery = (bits: Uint8Array, tag = 0): BitQuery => ({
  tag,
  algorithm: 'pdq-512',
  orientation: 'original',
  bits,
  radiusBits: RADIUS_BITS,
});

/** Puts the hashes into the store as one set of records with a PDQ each, as an import leaves them. */
export async function fillStore(db: Db, words: Uint32Array): Promise<void> {
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  const count = words.length / WORDS;
  const algorithm = Buffer.from('pdq-512');
  await db.transaction(async (tx) => {
    const [set] = await tx.read(
      row({ setId: integer }),
      `insert into hash_set (source, name, version, content_sha256, format, category_scheme, state, record_count, imported_by)
       values ('bench', 'national', 1, sha256('national'), 'csv', 'unspecified', 'active', $1, 'bench') returning set_id`,
      [count],
    );
    const setId = set?.setId ?? 0;
    await tx.script('drop index known_bits_record; drop index known_bits_algorithm;');
    function* bitRows(): Generator<Uint8Array> {
      const encoder = new CopyEncoder();
      for (let at = 0; at < count; at += 1) {
        encoder.beginRow(5);
        encoder.int8(at + 1);
        encoder.int8(setId);
        encoder.bytes(algorithm);
        encoder.bits256(bytes, at * HASH_BYTES);
        encoder.int2(100);
        if (encoder.sizeBytes > 1 << 20) yield encoder.take();
      }
      yield encoder.take();
    }
    await tx.copyIn(
      { table: 'known_bits', columns: ['record_id', 'set_id', 'algorithm', 'bits', 'quality'] },
      bitRows(),
    );
    function* recordRows(): Generator<Uint8Array> {
      const encoder = new CopyEncoder();
      for (let at = 0; at < count; at += 1) {
        encoder.beginRow(2);
        encoder.int8(at + 1);
        encoder.int8(setId);
        if (encoder.sizeBytes > 1 << 20) yield encoder.take();
      }
      yield encoder.take();
    }
    await tx.copyIn({ table: 'known_record', columns: ['record_id', 'set_id'] }, recordRows());
    await tx.script(`create index known_bits_record on known_bits (record_id);
      create index known_bits_algorithm on known_bits (algorithm, set_id);`);
    await noteAdded(tx, { setId, firstRecordId: 1, lastRecordId: count });
  });
  await db.execute('vacuum analyze known_bits');
  await db.execute('vacuum analyze known_record');
}

export async function storeFigures(
  url: string,
  words: Uint32Array,
  queries: readonly Uint8Array[],
  queriesPerSecond: number,
  { quick, say }: BenchOptions,
): Promise<{ readonly measures: readonly Measure[] }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'homeward-bench-index-'));
  const db = await openServer({ url });
  try {
    say('filling the store');
    const filling = performance.now();
    await fillStore(db, words);
    const fillSeconds = (performance.now() - filling) / 1000;
    const options = { threads: 2, snapshotFolder: folder, leastSaved: 1 };
    say('from the store');
    const fromStore = await openedAndAsked(db, options, queries[0]);
    say('saving the snapshot');
    const saving = performance.now();
    await fromStore.search.close();
    const saveSeconds = (performance.now() - saving) / 1000;
    say('from the snapshot');
    const fromSnapshot = await openedAndAsked(db, options, queries[0]);
    const few = queries.slice(0, 10).map((query, tag) => asQuery(query, tag));
    say('the scan of pgvector');
    const scan = new PgvectorScan(db);
    await scan.within(few.slice(0, 1));
    const scanning = performance.now();
    const expected = await scan.within(few);
    const scanPerSecond = (few.length * 1000) / (performance.now() - scanning);
    const found = await fromSnapshot.search.within(few);
    await fromSnapshot.search.close();
    const agrees = sameHits(found, expected) ? 1 : 0;
    const size = `${words.length / WORDS} hashes`;
    const most = quick ? { snapshot: 60, store: 60 } : { snapshot: 5, store: 15 };
    return {
      measures: [
        judged(`${size}: ready from the snapshot`, fromSnapshot.seconds, 's', '<=', most.snapshot),
        judged(`${size}: ready from the store`, fromStore.seconds, 's', '<=', most.store),
        figure(`${size}: writing the snapshot`, saveSeconds, 's'),
        figure(`${size}: filling the store, with indexes`, fillSeconds, 's'),
        judged(`${size}: answers as the pgvector scan does`, agrees, '', '>=', 1),
        figure(`${size}: pgvector scan`, scanPerSecond, 'queries/s'),
        judged(`${size}: index on two threads / pgvector scan`, queriesPerSecond / scanPerSecond, '', '>=', 300),
      ],
    };
  } finally {
    await db.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function openedAndAsked(db: Db, options: Parameters<typeof MihSearch.open>[1], query: Uint8Array | undefined) {
  if (query === undefined) throw new RangeError('expected a query');
  const started = performance.now();
  const search = await MihSearch.open(db, options);
  await search.within([asQuery(query)]);
  return { search, seconds: (performance.now() - started) / 1000 };
}
