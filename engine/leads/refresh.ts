import { Type } from 'typebox';
import { jsonParam, type Queryable, type Transaction } from '../store/db.ts';
import { integer, json, nullable, oneOf, real, row, text, timestamp } from '../store/row-shape.ts';
import { DecidedEvidence } from './decided-evidence.ts';
import { fuse, LEAST_LOG10_OF_LEAD, newsOf } from './fuse.ts';
import { evidenceInForce, type LeadEvidence, mergedSeries, pairKey } from './lead-evidence.ts';
import { isPaused, pausedMethods } from './pauses.ts';
import { BASES, type Decision, LEAD_STATES, type LeadState, stateOf, VERDICTS } from './verdicts.ts';

const MEDIA_AT_ONCE = 500;

/** Whose leads to look at again: after a scan its media, after a change of series those. */
export type RefreshScope = { readonly mediaIds: readonly number[] } | { readonly seriesIds: readonly number[] };

export interface Refreshed {
  readonly opened: number;
  /** Weight or state changed. */
  readonly changed: number;
  readonly withdrawn: number;
}

/**
 * Brings leads in line with the evidence in force. The caller holds the series (holdSeries, lockSeriesChanges).
 * - A lead is made where the calibrated evidence of methods that are not paused comes to ten to one.
 * - A lead that is there follows its evidence in weight and keeps its decisions; while nobody closed it, it is withdrawn when nothing in
 *   force is left, and comes back as its decisions say when evidence does.
 * - A pair that was rejected stays rejected, whatever evidence arrives: somebody looked at the pictures themselves, and another algorithm
 *   reading the same pixels knows no more than that. Only a person takes it up again, by deciding anew. Likewise a confirmed one.
 */
export async function refreshLeads(tx: Transaction, scope: RefreshScope): Promise<Refreshed> {
  const total = { opened: 0, changed: 0, withdrawn: 0 };
  const mediaIds = 'mediaIds' in scope ? [...new Set(scope.mediaIds)] : await mediaOfSeries(tx, scope.seriesIds);
  // In one order for everybody, so that two who refresh do not wait for each other in a circle.
  mediaIds.sort((a, b) => a - b);
  for (let at = 0; at < mediaIds.length; at += MEDIA_AT_ONCE) {
    const part = await refreshMedia(tx, mediaIds.slice(at, at + MEDIA_AT_ONCE));
    total.opened += part.opened;
    total.changed += part.changed;
    total.withdrawn += part.withdrawn;
  }
  return total;
}

interface StoredLead {
  readonly leadId: number;
  readonly mediaId: number;
  readonly seriesId: number;
  readonly log10LikelihoodRatio: number;
  readonly state: LeadState;
}

async function refreshMedia(tx: Transaction, mediaIds: readonly number[]): Promise<Refreshed> {
  const paused = await pausedMethods(tx);
  const { evidence, knownMedia, heldBySeries } = await evidenceInForce(tx, mediaIds);
  const byPair = Map.groupBy(evidence, (one) => pairKey(one.mediaId, one.seriesId));
  const leads = new Map((await storedLeads(tx, mediaIds)).map((lead) => [pairKey(lead.mediaId, lead.seriesId), lead]));
  const decisions = await decisionsOf(
    tx,
    [...leads.values()].map((lead) => lead.leadId),
  );

  const made: { mediaId: number; seriesId: number; weight: number }[] = [];
  const updated: { leadId: number; weight: number; state: LeadState }[] = [];
  let withdrawn = 0;
  const newsFor = (mediaId: number, key: string): LeadEvidence[] =>
    newsOf(byPair.get(key) ?? [], { bySeries: heldBySeries.has(key), anywhere: knownMedia.has(mediaId) });

  for (const [key, [first]] of byPair) {
    if (first === undefined || leads.has(key)) continue;
    const news = newsFor(first.mediaId, key);
    if (fuse(news.filter((one) => !isPaused(paused, one))).log10LikelihoodRatio < LEAST_LOG10_OF_LEAD) continue;
    made.push({ mediaId: first.mediaId, seriesId: first.seriesId, weight: fuse(news).log10LikelihoodRatio });
  }
  for (const [key, lead] of leads) {
    const news = newsFor(lead.mediaId, key);
    const closed = lead.state === 'confirmed' || lead.state === 'rejected';
    const state = closed ? lead.state : news.length === 0 ? 'withdrawn' : stateOf(decisions.get(lead.leadId) ?? []);
    // The last weight stays readable where nothing is in force any more.
    const weight = news.length === 0 ? lead.log10LikelihoodRatio : fuse(news).log10LikelihoodRatio;
    if (state === lead.state && weight === lead.log10LikelihoodRatio) continue;
    updated.push({ leadId: lead.leadId, weight, state });
    if (state === 'withdrawn' && lead.state !== 'withdrawn') withdrawn += 1;
  }
  const opened = await insertLeads(tx, made);
  await updateLeads(tx, updated);
  return { opened, changed: updated.length - withdrawn, withdrawn };
}

async function insertLeads(
  tx: Transaction,
  made: readonly { mediaId: number; seriesId: number; weight: number }[],
): Promise<number> {
  if (made.length === 0) return 0;
  return await tx.execute(
    `insert into lead (media_id, series_id, log10_likelihood_ratio)
     select "mediaId", "seriesId", weight
       from jsonb_to_recordset($1::jsonb) as r("mediaId" bigint, "seriesId" bigint, weight float8)
      order by 1, 2
     on conflict do nothing`,
    [jsonParam(made)],
  );
}

async function updateLeads(
  tx: Transaction,
  updated: readonly { leadId: number; weight: number; state: LeadState }[],
): Promise<void> {
  if (updated.length === 0) return;
  await tx.execute(
    `update lead l set log10_likelihood_ratio = r.weight, state = r.state, updated_at = now()
       from jsonb_to_recordset($1::jsonb) as r("leadId" bigint, weight float8, state text)
      where l.lead_id = r."leadId"`,
    [jsonParam(updated)],
  );
}

/** Held until the transaction ends: a decision on one of them waits, and is not overwritten by a state computed without it. */
async function storedLeads(tx: Transaction, mediaIds: readonly number[]): Promise<StoredLead[]> {
  return await tx.read(
    row({
      leadId: integer,
      mediaId: integer,
      seriesId: integer,
      log10LikelihoodRatio: real,
      state: oneOf(LEAD_STATES),
    }),
    `select lead_id, media_id, series_id, log10_likelihood_ratio, state from lead
      where media_id = any($1::bigint[]) order by lead_id for update`,
    [mediaIds],
  );
}

export interface StoredDecision extends Decision {
  readonly note: string | null;
  readonly decidedAt: string;
  /** What the lead rested on then. */
  readonly evidence: readonly DecidedEvidence[];
}

/** Decisions by lead, the earliest first. */
export async function decisionsOf(db: Queryable, leadIds: readonly number[]): Promise<Map<number, StoredDecision[]>> {
  if (leadIds.length === 0) return new Map();
  const found = await db.read(
    row({
      leadId: integer,
      verdict: oneOf(VERDICTS),
      basis: nullable(oneOf(BASES)),
      note: nullable(text),
      decidedBy: text,
      decidedAt: timestamp,
      evidence: json(Type.Array(DecidedEvidence)),
    }),
    `select lead_id, verdict, basis, note, decided_by, decided_at, evidence from disposition where lead_id = any($1::bigint[]) order by disposition_id`,
    [leadIds],
  );
  return Map.groupBy(found, (one) => one.leadId);
}

async function mediaOfSeries(tx: Transaction, seriesIds: readonly number[]): Promise<number[]> {
  const rootOf = await mergedSeries(tx);
  const roots = new Set(seriesIds.map(rootOf));
  const merged = await tx.read(
    row({ seriesId: integer }),
    'select series_id from series where merged_into is not null order by series_id',
  );
  const all = [
    ...new Set([...seriesIds, ...roots, ...merged.map((one) => one.seriesId).filter((id) => roots.has(rootOf(id)))]),
  ];
  const found = await tx.read(
    row({ mediaId: integer }),
    `select media_id from match where series_id = any($1::bigint[])
     union select media_id from model_match where series_id = any($1::bigint[])
     union select media_id from lead where series_id = any($1::bigint[])`,
    [all],
  );
  return found.map((one) => one.mediaId);
}
