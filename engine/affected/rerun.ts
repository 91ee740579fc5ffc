import { refreshLeads } from '../leads/refresh.ts';
import type { Db } from '../store/db.ts';
import { noteSearchedAgain } from '../store/queries/known-changes.ts';
import { lockSeriesChanges } from '../store/queries/series-turn.ts';
import { integer, row } from '../store/row-shape.ts';
import { retrying } from '../store/sqlstate.ts';
import { type AffectedVersion, relationsOf } from './version.ts';

/**
 * Withdraws what a hash set in force matched and has its records compared anew with all stored media: by the rematch that follows, or,
 * where that is interrupted, by the next one. Evidence that is found again is in force again, and so are leads, with their decisions.
 *
 * @returns false where the set is not in force: its evidence is withdrawn already, and there is nothing to compare
 */
export async function matchSetAnew(db: Db, setId: number): Promise<boolean> {
  return await retrying(
    async () =>
      await db.transaction(async (tx) => {
        // As a removal does: first, so that it waits for scans that are recording evidence of this set.
        const held = await tx.execute(`update hash_set set state = state where set_id = $1 and state = 'active'`, [
          setId,
        ]);
        if (held === 0) return false;
        await lockSeriesChanges(tx);
        const touched = await tx.read(
          row({ mediaId: integer }),
          `with gone as (
             update match set withdrawn_at = now() where set_id = $1 and withdrawn_at is null returning media_id
           ) select distinct media_id from gone`,
          [setId],
        );
        if (touched.length > 0) await refreshLeads(tx, { mediaIds: touched.map((one) => one.mediaId) });
        const blocks = await tx.read(
          row({ setId: integer, firstRecordId: integer, lastRecordId: integer }),
          'select set_id, first_record_id, last_record_id from known_block where set_id = $1 order by first_record_id',
          [setId],
        );
        for (const block of blocks) await noteSearchedAgain(tx, block);
        return true;
      }),
  );
}

/**
 * Marks the fingerprints that a version made: the next scan of their material makes them anew, withdraws the evidence that rested on
 * them, and finds again what holds. Until then they stay as they are.
 *
 * @returns how many; null where the version makes no fingerprints
 */
export async function markForRemaking(db: Db, version: AffectedVersion): Promise<number | null> {
  const { fingerprints, parameter } = relationsOf(version);
  if (fingerprints === null) return null;
  return await db.execute(
    `update fingerprint f set remake = true where $1::text is not null and ${fingerprints} and not remake`,
    [parameter],
  );
}

/** Contents of a batch whose fingerprints are still to be made anew. */
export async function countToRemake(db: Db, batchId: string): Promise<number> {
  const [found] = await db.read(
    row({ media: integer }),
    `select count(distinct i.media_id) as media
       from item i join batch b on b.batch_id = i.batch_id
       join fingerprint f on f.media_id = i.media_id and f.mode = b.mode and f.remake
      where i.batch_id = $1`,
    [batchId],
  );
  return found?.media ?? 0;
}
