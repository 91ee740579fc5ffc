import { refreshLeads } from '../leads/refresh.ts';
import type { Contradiction } from '../match/bit-evidence.ts';
import type { Db } from '../store/db.ts';
import { holdSeries } from '../store/queries/series-turn.ts';
import { integer, row } from '../store/row-shape.ts';
import { retrying } from '../store/sqlstate.ts';

/**
 * Marks the perceptual evidence in force of these contents as contradicted by a picture of a negative set, where nothing contradicted it
 * before: a negative set that comes later says the same of old evidence as of new. Leads follow. Returns how many contents were touched.
 */
export async function contradictStored(db: Db, contradictions: ReadonlyMap<number, Contradiction>): Promise<number> {
  if (contradictions.size === 0) return 0;
  const found = [...contradictions].sort(([a], [b]) => a - b);
  return await retrying(
    async () =>
      await db.transaction(async (tx) => {
        await holdSeries(tx);
        const touched = await tx.read(
          row({ mediaId: integer }),
          `update match t set contradicted_by_set = n.set_id, contradicted_by_record = n.record_id,
                  contradicted_distance_bits = n.distance_bits
             from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::smallint[]) as n(media_id, set_id, record_id, distance_bits)
            where t.media_id = n.media_id and t.method in ('pdq', 'blockhash') and t.withdrawn_at is null
              and t.contradicted_by_record is null
           returning t.media_id`,
          [
            found.map(([mediaId]) => mediaId),
            found.map(([, one]) => one.setId),
            found.map(([, one]) => one.recordId),
            found.map(([, one]) => one.distanceBits),
          ],
        );
        const mediaIds = [...new Set(touched.map((one) => one.mediaId))];
        if (mediaIds.length > 0) await refreshLeads(tx, { mediaIds });
        return mediaIds.length;
      }),
  );
}
