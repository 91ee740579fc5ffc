import { pathAsText } from '../../schemas/path-text.ts';
import type { Queryable } from '../store/db.ts';
import { bytes, integer, nullable, oneOf, real, row, text, timestamp } from '../store/row-shape.ts';
import { leadNotFound } from './decide.ts';
import { type DecidedEvidence, stillInForce } from './decided-evidence.ts';
import { fuse, isUncorroborated, newsOf } from './fuse.ts';
import { type EvidenceInForce, evidenceInForce, type LeadMethod, pairKey } from './lead-evidence.ts';
import { isPaused, type MethodPause, pausedMethods } from './pauses.ts';
import { decisionsOf, type StoredDecision } from './refresh.ts';
import { sentenceOf } from './sentences.ts';
import { type Decision, LEAD_STATES, type LeadState, personOf, QUEUED_STATES } from './verdicts.ts';

export interface LeadFilter {
  readonly caseRef?: string;
  readonly series?: string;
  /** As `viewer` may know them; what waits for somebody where none is given. */
  readonly states?: readonly LeadState[];
  readonly leadId?: number;
  /** Who asks: what others decided on a lead is kept from those who have not. */
  readonly viewer: string;
  readonly most: number;
}

export interface LeadReason {
  /** For `homeward explain`. */
  readonly matchId: string;
  readonly method: LeadMethod;
  readonly sentence: string;
  /** Part of the weight; the others say the same thing again, or may not count. */
  readonly counted: boolean;
  readonly paused: boolean;
  /** The face of the lead's media that it is about; null for what is not about a face. */
  readonly faceId: number | null;
}

export interface LeadSummary {
  readonly leadId: number;
  readonly state: LeadState;
  readonly log10LikelihoodRatio: number;
  readonly source: string;
  readonly series: string;
  readonly sha256: string;
  readonly cases: readonly { readonly caseRef: string; readonly exhibitRef: string; readonly items: number }[];
  readonly decidedByYou: boolean;
  /** A face is part of it. */
  readonly adultsOnly: boolean;
  /** All of its evidence is of one family of methods. */
  readonly uncorroborated: boolean;
  readonly reasons: readonly LeadReason[];
  readonly createdAt: string;
  readonly updatedAt: string;
}

const LEAD = row({
  leadId: integer,
  mediaId: integer,
  seriesId: integer,
  log10LikelihoodRatio: real,
  state: oneOf(LEAD_STATES),
  source: text,
  series: text,
  sha256: bytes,
  createdAt: timestamp,
  updatedAt: timestamp,
});

// To somebody who has not decided, a lead with decisions that close nothing needs a second opinion; which ones they are is not said.
const LEADS_SQL = `
with shown as (
  select l.*, case when l.state in ('unsure', 'needsSecondOpinion') and not exists (
                          select from disposition d where d.lead_id = l.lead_id and d.decided_by = any($1::text[]))
                   then 'needsSecondOpinion' else l.state end as shown_state
    from lead l
)
select l.lead_id, l.media_id, l.series_id, l.log10_likelihood_ratio, l.shown_state as state, s.source, s.name as series, m.sha256,
       l.created_at, l.updated_at
  from shown l join series s on s.series_id = l.series_id join media m on m.media_id = l.media_id
 where l.shown_state = any($2::text[])
   and ($3::bigint is null or l.lead_id = $3)
   and ($4::text is null or exists (
         select from item i join batch b on b.batch_id = i.batch_id where i.media_id = l.media_id and b.case_ref = $4))
   and ($5::text is null or s.name = $5)
 order by exists (select from disposition d where d.lead_id = l.lead_id and d.decided_by = any($1::text[])),
          l.log10_likelihood_ratio desc, l.lead_id
 limit $6`;

/** Leads with their reasons: those the viewer has not decided on first, the heaviest first among them. */
export async function listLeads(db: Queryable, filter: LeadFilter): Promise<LeadSummary[]> {
  const names = await namesOf(db, filter.viewer);
  const found = await db.read(LEAD, LEADS_SQL, [
    names,
    filter.states ?? QUEUED_STATES,
    filter.leadId ?? null,
    filter.caseRef ?? null,
    filter.series ?? null,
    filter.most,
  ]);
  const mediaIds = [...new Set(found.map((lead) => lead.mediaId))];
  const inForce = await evidenceInForce(db, mediaIds);
  const paused = await pausedMethods(db);
  const cases = await casesOf(db, mediaIds);
  const decisions = await decisionsOf(
    db,
    found.map((lead) => lead.leadId),
  );
  return found.map(({ mediaId, seriesId, sha256, ...lead }) => {
    const reasons = reasonsOf(inForce, mediaId, seriesId, paused);
    return {
      ...lead,
      sha256: sha256.toString('hex'),
      cases: (cases.get(mediaId) ?? []).map(({ caseRef, exhibitRef, items }) => ({ caseRef, exhibitRef, items })),
      decidedByYou: hasDecided(decisions.get(lead.leadId) ?? [], filter.viewer),
      adultsOnly: reasons.some((reason) => reason.method === 'face'),
      uncorroborated: isUncorroborated(
        inForce.evidence.filter((one) => one.mediaId === mediaId && one.seriesId === seriesId),
        inForce.heldBySeries.has(pairKey(mediaId, seriesId)),
      ),
      reasons,
    };
  });
}

/** The evidence of a pair in sentences, what counts first. */
function reasonsOf(
  { evidence, heldBySeries, knownMedia }: EvidenceInForce,
  mediaId: number,
  seriesId: number,
  paused: readonly MethodPause[],
): LeadReason[] {
  const key = pairKey(mediaId, seriesId);
  const of = evidence.filter((one) => one.mediaId === mediaId && one.seriesId === seriesId);
  const news = newsOf(of, { bySeries: heldBySeries.has(key), anywhere: knownMedia.has(mediaId) });
  const counted = new Set(fuse(news).counted);
  return of
    .toSorted(
      (a, b) =>
        Number(counted.has(b)) - Number(counted.has(a)) ||
        b.log10LikelihoodRatio - a.log10LikelihoodRatio ||
        a.distance - b.distance,
    )
    .map((one) => ({
      matchId: one.id,
      method: one.method,
      sentence: sentenceOf(one),
      counted: counted.has(one),
      paused: isPaused(paused, one),
      faceId: one.faceId,
    }));
}

export interface LeadDetail extends LeadSummary {
  readonly items: readonly {
    readonly caseRef: string;
    readonly exhibitRef: string;
    readonly path: string;
    readonly pathHex: string;
  }[];
  /** Of those the evidence names; pixels of the picture as stored, before EXIF orientation. */
  readonly faces: readonly LeadFace[];
  /** Null where they are kept from the viewer, who has not decided yet. */
  readonly decisions: readonly ShownDecision[] | null;
}

/** What somebody decided, with the evidence as it was then; what was withdrawn since is said to be. */
export interface ShownDecision extends StoredDecision {
  readonly evidence: readonly (DecidedEvidence & { readonly inForce: boolean })[];
}

export interface LeadFace {
  readonly faceId: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * One lead with where its content lies and where in it the faces are. Decisions of others are shown once the viewer has decided, or
 * once the lead is closed and no second opinion is asked for any more.
 * @throws HomewardError HW_LEAD_NOT_FOUND
 */
export async function showLead(db: Queryable, leadId: number, viewer: string): Promise<LeadDetail> {
  const [detail] = await detailedLeads(db, { leadId, viewer, states: LEAD_STATES, most: 1 });
  if (detail === undefined) throw leadNotFound(leadId);
  return detail;
}

export async function detailedLeads(db: Queryable, filter: LeadFilter): Promise<LeadDetail[]> {
  const leads = await listLeads(db, filter);
  const decisions = await decisionsOf(
    db,
    leads.map((lead) => lead.leadId),
  );
  const details: LeadDetail[] = [];
  for (const lead of leads) {
    const open = lead.decidedByYou || lead.state === 'confirmed' || lead.state === 'rejected';
    const of = await withStanding(db, decisions.get(lead.leadId) ?? []);
    details.push({
      ...lead,
      items: await itemsOf(db, lead.sha256, filter.caseRef ?? null),
      faces: await facesOf(
        db,
        lead.reasons.flatMap(({ faceId }) => (faceId === null ? [] : [faceId])),
      ),
      decisions: open || of.length === 0 ? of : null,
    });
  }
  return details;
}

async function withStanding(db: Queryable, decisions: readonly StoredDecision[]): Promise<ShownDecision[]> {
  if (decisions.length === 0) return [];
  const ids = decisions.flatMap((one) => one.evidence.map(({ id }) => id));
  const inForce = await stillInForce(db, ids);
  return decisions.map((one) => ({
    ...one,
    evidence: one.evidence.map((piece) => ({ ...piece, inForce: inForce.has(piece.id) })),
  }));
}

async function itemsOf(db: Queryable, sha256: string, caseRef: string | null): Promise<LeadDetail['items']> {
  const found = await db.read(
    row({ caseRef: text, exhibitRef: text, path: bytes }),
    `select b.case_ref, b.exhibit_ref, i.path from item i join batch b on b.batch_id = i.batch_id join media m on m.media_id = i.media_id
      where m.sha256 = $1 and ($2::text is null or b.case_ref = $2) order by i.item_id`,
    [Buffer.from(sha256, 'hex'), caseRef],
  );
  return found.map(({ path, ...item }) => ({ ...item, path: pathAsText(path).path, pathHex: path.toString('hex') }));
}

async function facesOf(db: Queryable, faceIds: readonly number[]): Promise<LeadFace[]> {
  if (faceIds.length === 0) return [];
  return await db.read(
    row({ faceId: integer, x: integer, y: integer, width: integer, height: integer }),
    `select face_id, box_x as x, box_y as y, box_width as width, box_height as height
       from face where face_id = any($1::bigint[]) order by ordinal`,
    [faceIds],
  );
}

async function casesOf(db: Queryable, mediaIds: readonly number[]) {
  const found = await db.read(
    row({ mediaId: integer, caseRef: text, exhibitRef: text, items: integer }),
    `select i.media_id, b.case_ref, b.exhibit_ref, count(*) as items from item i join batch b on b.batch_id = i.batch_id
      where i.media_id = any($1::bigint[]) group by i.media_id, b.case_ref, b.exhibit_ref order by b.case_ref, b.exhibit_ref`,
    [mediaIds],
  );
  return Map.groupBy(found, (one) => one.mediaId);
}

/** Every spelling under which the viewer decided; compared here, since databases differ in what lower case is. */
async function namesOf(db: Queryable, viewer: string): Promise<string[]> {
  const names = await db.read(row({ decidedBy: nullable(text) }), 'select distinct decided_by from disposition');
  return names.flatMap(({ decidedBy }) =>
    decidedBy !== null && personOf(decidedBy) === personOf(viewer) ? [decidedBy] : [],
  );
}

function hasDecided(decisions: readonly Decision[], viewer: string): boolean {
  return decisions.some((one) => personOf(one.decidedBy) === personOf(viewer));
}
