import type { CopyTarget, Queryable, Transaction } from '../store/db.ts';

/** The tables into which one set is loaded before it comes into force; named by its number, which we gave. */
export interface StageTables {
  readonly records: CopyTarget;
  readonly bits: CopyTarget;
}

const RECORD_COLUMNS = [
  'row_no',
  'source_key',
  'md5',
  'sha1',
  'sha256',
  'size_bytes',
  'category_code',
  'series',
  'tags',
  'flags',
] as const;
const BITS_COLUMNS = ['row_no', 'algorithm', 'bits', 'quality'] as const;

export function stageTables(setId: number): StageTables {
  if (!Number.isSafeInteger(setId) || setId < 0)
    throw new RangeError(`expected the number of a set for its staging tables, received ${setId}`);
  return {
    records: { table: `stage_record_${setId}`, columns: RECORD_COLUMNS },
    bits: { table: `stage_bits_${setId}`, columns: BITS_COLUMNS },
  };
}

/**
 * Without a single index or key: loading into indexed tables reaches a fifth of the speed. Logged like any other table, since a
 * checkpoint that a crash of the server empties would be none.
 */
export async function createStageTables(tx: Transaction, tables: StageTables): Promise<void> {
  await tx.script(`
    create table if not exists ${tables.records.table} (
      row_no bigint not null, source_key text, md5 bytea, sha1 bytea, sha256 bytea, size_bytes bigint,
      category_code text, series text, tags text, flags smallint not null
    );
    create table if not exists ${tables.bits.table} (
      row_no bigint not null, algorithm text not null, bits bit(256) not null, quality smallint
    );`);
}

export async function dropStageTables(db: Queryable, tables: StageTables): Promise<void> {
  await db.execute(`drop table if exists ${tables.records.table}`);
  await db.execute(`drop table if exists ${tables.bits.table}`);
}
