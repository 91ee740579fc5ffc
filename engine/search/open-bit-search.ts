import type { Db } from '../store/db.ts';
import { integer, row } from '../store/row-shape.ts';
import type { BitSearch } from './bit-search.ts';
import { MemoryScan } from './memory-scan.ts';
import { PgvectorScan } from './pgvector-scan.ts';

/**
 * Up to this many known hashes the database's own scan answers a group of 200 pictures in well under a second, and starting a thread
 * would cost more than it saves; beyond it the scan in memory is some twenty times quicker on the embedded database.
 */
const MOST_HASHES_IN_DATABASE = 500;

/** The search that suits what is known now. Open it after imports and close it with the batch. */
export async function openBitSearch(db: Db): Promise<BitSearch> {
  const [counted] = await db.read(
    row({ hashes: integer }),
    `select count(*) as hashes from known_bits b join hash_set s on s.set_id = b.set_id where s.state = 'active'`,
  );
  return (counted?.hashes ?? 0) <= MOST_HASHES_IN_DATABASE ? new PgvectorScan(db) : await MemoryScan.load(db);
}
