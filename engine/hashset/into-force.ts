import { SET_PURPOSES, type SetPurpose } from '../../schemas/constants.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { LeadsFollowed } from '../leads/follow-sets.ts';
import { type Db, jsonParam, type Queryable, type Transaction } from '../store/db.ts';
import { byStrongestDigest, STORED_CONTENTS } from '../store/queries/strongest-digest.ts';
import { integer, nullable, oneOf, row, text } from '../store/row-shape.ts';
import { retrying } from '../store/sqlstate.ts';
import { floodOf } from './flood.ts';
import { promote } from './promote.ts';
import { dropStageTables, type StageTables, stageTables } from './stage-tables.ts';

export interface StagedSet {
  readonly setId: number;
  readonly source: string;
  readonly name: string;
  readonly purpose: SetPurpose;
}

/** Brings a staged set into force in the caller's transaction and drops its staging tables. */
export async function bringIntoForce(
  tx: Transaction,
  set: StagedSet,
): Promise<{ readonly records: number; readonly duplicates: number; readonly leads: LeadsFollowed }> {
  const tables = stageTables(set.setId);
  const done = await promote(tx, { ...set, tables });
  await dropStageTables(tx, tables);
  return done;
}

/**
 * Why a staged set has to wait for a person: it has ten times as many records as its earlier versions, or its digests hit ten times as
 * many stored contents. Null where neither is so; the first version of a set is measured against the floor alone.
 */
export async function floodOfSet(tx: Queryable, set: StagedSet, tables: StageTables): Promise<string | null> {
  const records = tables.records.table;
  const [usual] = await tx.read(
    row({ records: nullable(integer), contents: integer, staged: integer }),
    `select (select round(avg(record_count))::bigint from hash_set
              where source = $1 and name = $2 and set_id <> $3 and state in ('active', 'superseded')) as records,
            (select count(distinct t.media_id) from match t join hash_set s on s.set_id = t.set_id
              where s.source = $1 and s.name = $2 and s.state = 'active' and t.withdrawn_at is null
                and t.method in ('md5', 'sha1', 'sha256')) as contents,
            (select count(*) from ${records}) as staged`,
    [set.source, set.name, set.setId],
  );
  if (usual === undefined) return null;
  // A first version has no usual size, and a national set is large: only what it hits says something of it.
  const ofRecords = usual.records === null ? null : floodOf('recordsOfSet', usual.staged, usual.records);
  // Published software is on every machine: that a list of it hits much says nothing.
  if (set.purpose === 'good') return ofRecords;
  return ofRecords ?? floodOf('contentsHit', await contentsHit(tx, records), usual.contents);
}

/** Stored contents with a digest of these staged records. */
async function contentsHit(tx: Queryable, records: string): Promise<number> {
  const [hit] = await tx.read(
    row({ contents: integer }),
    `select count(distinct media_id) as contents from (${byStrongestDigest('w.media_id', STORED_CONTENTS, records)}) hit`,
  );
  return hit?.contents ?? 0;
}

/** Leaves a staged set waiting; what was counted while it was read is kept for when it comes into force. */
export async function holdBack(
  tx: Transaction,
  set: Pick<StagedSet, 'setId'>,
  reason: string,
  counts: Readonly<Record<string, unknown>>,
): Promise<void> {
  await tx.execute(
    `update hash_set set state = 'held', held_reason = $2, counts = $3::jsonb,
            record_count = (select count(*) from ${stageTables(set.setId).records.table}) where set_id = $1`,
    [set.setId, reason, jsonParam(counts)],
  );
}

const HELD = row({ setId: integer, source: text, name: text, version: integer, purpose: oneOf(SET_PURPOSES) });
type HeldSet = StagedSet & { readonly version: number };

/**
 * Brings a set that waits into force: somebody looked at it.
 * @throws HomewardError HW_SET_NOT_FOUND where none of that name waits, or several do
 */
export async function releaseSet(
  db: Db,
  name: string,
  source: string | undefined,
): Promise<HeldSet & { readonly records: number; readonly leads: LeadsFollowed }> {
  return await retrying(
    async () =>
      await db.transaction(async (tx) => {
        const held = await heldSet(tx, name, source);
        const { records, duplicates, leads } = await bringIntoForce(tx, held);
        await tx.execute(
          `update hash_set set held_reason = null, imported_at = now(),
                  counts = jsonb_set(counts, '{rejected,duplicate}', to_jsonb(coalesce((counts #>> '{rejected,duplicate}')::bigint, 0) + $2::bigint))
            where set_id = $1`,
          [held.setId, duplicates],
        );
        return { ...held, records, leads };
      }),
  );
}

/** Drops a set that waits; nothing of it was ever searched. @throws HomewardError HW_SET_NOT_FOUND */
export async function dropHeld(db: Db, name: string, source: string | undefined): Promise<HeldSet> {
  return await db.transaction(async (tx) => {
    const held = await heldSet(tx, name, source);
    await dropStageTables(tx, stageTables(held.setId));
    await tx.execute('delete from hash_set where set_id = $1', [held.setId]);
    return held;
  });
}

async function heldSet(tx: Transaction, name: string, source: string | undefined): Promise<HeldSet> {
  await tx.execute('lock table hash_set in share row exclusive mode');
  const found = await tx.read(
    HELD,
    `select set_id, source, name, version, purpose from hash_set where state = 'held' and name = $1 and ($2::text is null or source = $2)`,
    [name, source ?? null],
  );
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw new HomewardError(
    'HW_SET_NOT_FOUND',
    found.length > 1
      ? `expected one set named ${JSON.stringify(name)} that waits, found one of each of ${found.map((set) => JSON.stringify(set.source)).join(', ')}; say which with --source`
      : `expected the name of a set that waits for a person, received ${JSON.stringify(name)}; homeward hashset list shows which are held`,
  );
}
