import assert from 'node:assert/strict';
import type { SET_STATES } from '../engine/hashset/set-states.ts';
import type { Db } from '../engine/store/db.ts';
import { noteAdded } from '../engine/store/queries/known-changes.ts';
import { integer, row } from '../engine/store/row-shape.ts';

/** For tests of search and match: known records put straight into the tables, past the import and its refusals. */

export interface KnownHash {
  /** A value of known_bits.algorithm. */
  readonly algorithm: string;
  readonly bits: Uint8Array;
  readonly quality: number | null;
}

export interface KnownDigests {
  readonly md5?: string;
  readonly sha1?: string;
  readonly sha256?: string;
}

let sets = 0;

export async function addSet(db: Db, state: (typeof SET_STATES)[number] = 'active'): Promise<number> {
  sets += 1;
  const [set] = await db.read(
    row({ setId: integer }),
    `insert into hash_set (source, name, version, content_sha256, format, category_scheme, state, imported_by)
     values ('test', $1, 1, $2, 'ndjson', 'vic-us', $3, 'tester') returning set_id`,
    [`set ${sets}`, Buffer.alloc(32, sets), state],
  );
  return set?.setId ?? assert.fail('no set');
}

export async function addRecord(
  db: Db,
  setId: number,
  hashes: readonly KnownHash[],
  digests: KnownDigests = {},
): Promise<number> {
  const bytes = (hex: string | undefined) => (hex === undefined ? null : Buffer.from(hex, 'hex'));
  const [record] = await db.read(
    row({ recordId: integer }),
    `insert into known_record (set_id, md5, sha1, sha256, category_code) values ($1, $2, $3, $4, '1') returning record_id`,
    [setId, bytes(digests.md5), bytes(digests.sha1), bytes(digests.sha256)],
  );
  if (record === undefined) assert.fail('no record');
  await db.execute(
    `insert into known_bits (record_id, set_id, algorithm, bits, quality)
     select $1, $2, algorithm, ('x' || hex)::bit(256), quality from unnest($3::text[], $4::text[], $5::smallint[]) as t(algorithm, hex, quality)`,
    [
      record.recordId,
      setId,
      hashes.map((one) => one.algorithm),
      hashes.map((one) => Buffer.from(one.bits).toString('hex')),
      hashes.map((one) => one.quality),
    ],
  );
  const { recordId } = record;
  await db.transaction(async (tx) => await noteAdded(tx, { setId, firstRecordId: recordId, lastRecordId: recordId }));
  return recordId;
}

/** The hash with these bits turned; bit 0 is the first. */
export function turned(hash: Uint8Array, bits: readonly number[]): Uint8Array {
  const changed = Uint8Array.from(hash);
  for (const bit of bits) changed[bit >>> 3] = (changed[bit >>> 3] ?? 0) ^ (0x80 >>> (bit & 7));
  return changed;
}
