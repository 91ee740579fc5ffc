import type { CopyTarget, Queryable, Transaction } from '../store/db.ts';

/** The tables into which records are loaded before they come into force; their names are ours. */
export interface StageTables {
  readonly records: CopyTarget;
  readonly bits: CopyTarget;
  readonly photoDna: CopyTarget;
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
const PHOTO_DNA_COLUMNS = ['row_no', 'orientation', 'value'] as const;

const tablesOf = (suffix: string): StageTables => ({
  records: { table: `stage_record_${suffix}`, columns: RECORD_COLUMNS },
  bits: { table: `stage_bits_${suffix}`, columns: BITS_COLUMNS },
  photoDna: { table: `stage_photodna_${suffix}`, columns: PHOTO_DNA_COLUMNS },
});

/** Of one set, until it comes into force. */
export function stageTables(setId: number): StageTables {
  if (!Number.isSafeInteger(setId) || setId < 0)
    throw new RangeError(`expected the number of a set for its staging tables, received ${setId}`);
  return tablesOf(String(setId));
}

/** Of one transaction, gone with it: what is added, and what is only named. */
export const TEMPORARY_STAGE = { add: tablesOf('add'), withdraw: tablesOf('withdraw') } as const;

/**
 * Without a single index or key: loading into indexed tables reaches a fifth of the speed. Logged like any other table, since a
 * checkpoint that a crash of the server empties would be none.
 */
export async function createStageTables(tx: Transaction, tables: StageTables): Promise<void> {
  await create(tx, tables, 'table if not exists', '');
}

/** Gone when the transaction ends, however it ends. */
export async function createTemporaryStage(tx: Transaction, tables: StageTables): Promise<void> {
  await create(tx, tables, 'temporary table', 'on commit drop');
}

async function create(tx: Transaction, tables: StageTables, kind: string, end: string): Promise<void> {
  await tx.script(`
    create ${kind} ${tables.records.table} (
      row_no bigint not null, source_key text, md5 bytea, sha1 bytea, sha256 bytea, size_bytes bigint,
      category_code text, series text, tags text, flags smallint not null
    ) ${end};
    create ${kind} ${tables.bits.table} (
      row_no bigint not null, algorithm text not null, bits bit(256) not null, quality smallint
    ) ${end};
    create ${kind} ${tables.photoDna.table} (
      row_no bigint not null, orientation smallint not null, value vector(144) not null
    ) ${end};`);
}

export async function dropStageTables(db: Queryable, tables: StageTables): Promise<void> {
  for (const { table } of [tables.records, tables.bits, tables.photoDna])
    await db.execute(`drop table if exists ${table}`);
}
