import { Type } from 'typebox';
import { pathAsText } from '../../schemas/path-text.ts';
import type { Db } from '../store/db.ts';
import { bool, bytes, integer, json, nullable, oneOf, real, row, text, timestamp } from '../store/row-shape.ts';
import { CANDIDATE_STATES, type CandidateState, findCandidate } from './candidate.ts';
import { CANDIDATE_METHODS, type CandidateReason } from './pair-evidence.ts';

export interface CandidateSummary {
  readonly candidateId: number;
  readonly state: CandidateState;
  /** Split or merged by a person. */
  readonly shaped: boolean;
  readonly media: number;
  /** Cases that its media are in. */
  readonly cases: readonly string[];
  /** Pairs told as reasons, by method. */
  readonly reasons: readonly { readonly method: string; readonly pairs: number }[];
  readonly seriesId: number | null;
  readonly supersededBy: number | null;
  readonly createdAt: string;
}

const SUMMARY = row({
  candidateId: integer,
  state: oneOf(CANDIDATE_STATES),
  shaped: bool,
  media: integer,
  cases: json(Type.Array(Type.String())),
  reasons: json(Type.Array(Type.Object({ method: Type.String(), pairs: Type.Integer() }))),
  seriesId: nullable(integer),
  supersededBy: nullable(integer),
  createdAt: timestamp,
});

const SUMMARY_SQL = `
select c.candidate_id, c.state, c.shaped, c.series_id, c.superseded_by, c.created_at,
       (select count(*) from candidate_media m where m.candidate_id = c.candidate_id) as media,
       (select coalesce(json_agg(distinct b.case_ref), '[]') from candidate_media m join item i on i.media_id = m.media_id
          join batch b on b.batch_id = i.batch_id where m.candidate_id = c.candidate_id) as cases,
       (select coalesce(json_agg(r order by pairs desc, method), '[]') from (
          select method, count(*) as pairs from candidate_reason where candidate_id = c.candidate_id group by method) r) as reasons
  from candidate_series c`;

/**
 * Proposals in one state, those of most media first.
 * @param options.caseRef only those with a media of that case
 */
export async function listCandidates(
  db: Db,
  options: { readonly state: CandidateState; readonly caseRef?: string | undefined; readonly limit: number },
): Promise<CandidateSummary[]> {
  return await db.read(
    SUMMARY,
    `${SUMMARY_SQL}
      where c.state = $1 and ($2::text is null or exists (
        select from candidate_media m join item i on i.media_id = m.media_id join batch b on b.batch_id = i.batch_id
         where m.candidate_id = c.candidate_id and b.case_ref = $2))
      order by media desc, c.candidate_id limit $3`,
    [options.state, options.caseRef ?? null, options.limit],
  );
}

export interface CandidateDetail extends CandidateSummary {
  readonly members: readonly {
    readonly mediaId: number;
    readonly sha256: string;
    /** Its first item: where the unit's own viewer finds it. */
    readonly caseRef: string | null;
    readonly exhibitRef: string | null;
    readonly path: string | null;
    readonly capturedAt: string | null;
  }[];
  readonly why: readonly CandidateReason[];
  readonly changes: readonly {
    readonly changeId: number;
    readonly action: string;
    readonly doneBy: string;
    readonly doneAt: string;
    readonly undoneBy: string | null;
  }[];
}

/** @throws HomewardError HW_CANDIDATE_NOT_FOUND */
export async function showCandidate(db: Db, candidateId: number): Promise<CandidateDetail> {
  await findCandidate(db, candidateId);
  const [summary] = await db.read(SUMMARY, `${SUMMARY_SQL} where c.candidate_id = $1`, [candidateId]);
  if (summary === undefined) throw new Error('a proposal just found is gone');
  const members = await db.read(
    row({
      mediaId: integer,
      sha256: bytes,
      caseRef: nullable(text),
      exhibitRef: nullable(text),
      path: nullable(bytes),
      capturedAt: nullable(text),
    }),
    `select m.media_id, m.sha256, i.case_ref, i.exhibit_ref, i.path,
            (select f.capture->>'capturedAt' from fingerprint f where f.media_id = m.media_id and f.capture->>'capturedAt' is not null
              order by f.created_at limit 1) as captured_at
       from candidate_media c join media m on m.media_id = c.media_id
       left join lateral (select b.case_ref, b.exhibit_ref, i.path from item i join batch b on b.batch_id = i.batch_id
                           where i.media_id = m.media_id order by i.item_id limit 1) i on true
      where c.candidate_id = $1 order by m.media_id`,
    [candidateId],
  );
  const why = await db.read(
    row({
      mediaId: integer,
      otherMediaId: integer,
      method: oneOf(CANDIDATE_METHODS),
      distance: real,
      log10LikelihoodRatio: real,
    }),
    `select media_id, other_media_id, method, distance, log10_likelihood_ratio from candidate_reason
      where candidate_id = $1 order by log10_likelihood_ratio desc, media_id, other_media_id, method`,
    [candidateId],
  );
  const changes = await db.read(
    row({ changeId: integer, action: text, doneBy: text, doneAt: timestamp, undoneBy: nullable(text) }),
    `select change_id, action, done_by, done_at, undone_by from candidate_change
      where candidate_id = $1 or details @> jsonb_build_object('into', jsonb_build_array($1::bigint))
         or details @> jsonb_build_object('from', jsonb_build_array($1::bigint)) order by change_id`,
    [candidateId],
  );
  return {
    ...summary,
    members: members.map(({ sha256, path, ...one }) => ({
      ...one,
      sha256: sha256.toString('hex'),
      path: path === null ? null : pathAsText(path).path,
    })),
    why,
    changes,
  };
}
