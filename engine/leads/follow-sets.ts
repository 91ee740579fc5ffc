import type { Transaction } from '../store/db.ts';
import { integer, row } from '../store/row-shape.ts';
import { type Refreshed, refreshLeads } from './refresh.ts';

/** What became of leads when hash sets went out of force. */
export interface LeadsFollowed extends Refreshed {
  /** Of all that were opened, changed or withdrawn. */
  readonly leadIds: readonly number[];
}

export const NO_LEADS_FOLLOWED: LeadsFollowed = { opened: 0, changed: 0, withdrawn: 0, leadIds: [] };

/**
 * After these sets went out of force in the caller's transaction: leads lose the evidence that was withdrawn with them, and an undecided
 * one that has none left is withdrawn; what somebody decided stays decided. Leads are opened too, where only a digest of such a set
 * made a content known. To be called once the sets that come in their place are in force.
 */
export async function followSets(tx: Transaction, setIds: readonly number[]): Promise<LeadsFollowed> {
  // The time of the transaction is the time of the withdrawal: what earlier ones withdrew is long followed.
  const touched = await tx.read(
    row({ mediaId: integer }),
    `select distinct t.media_id from match t
      where t.set_id = any($1::bigint[]) and t.withdrawn_at = now()
        and (exists (select from lead l where l.media_id = t.media_id)
             or exists (select from model_match v where v.media_id = t.media_id and v.withdrawn_at is null)
             or exists (select from match o where o.media_id = t.media_id and o.withdrawn_at is null and o.series_id is not null))`,
    [setIds],
  );
  return await followMedia(
    tx,
    touched.map((one) => one.mediaId),
  );
}

/** Leads of these media, whose evidence was changed in the caller's transaction. The caller holds the series. */
export async function followMedia(tx: Transaction, mediaIds: readonly number[]): Promise<LeadsFollowed> {
  if (mediaIds.length === 0) return NO_LEADS_FOLLOWED;
  const refreshed = await refreshLeads(tx, { mediaIds });
  const leads = await tx.read(
    row({ leadId: integer }),
    'select lead_id from lead where media_id = any($1::bigint[]) and updated_at = now() order by lead_id',
    [mediaIds],
  );
  return { ...refreshed, leadIds: leads.map((one) => one.leadId) };
}
