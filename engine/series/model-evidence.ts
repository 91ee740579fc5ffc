import { refreshLeads } from '../leads/refresh.ts';
import type { Transaction } from '../store/db.ts';

/**
 * Whether evidence `r` still rests on something that series `s` holds: the camera, the face of a subject, the picture of a place or
 * of the series that it was found by.
 */
const restsIn = (series: string): string => `
case
  when r.camera_id is not null then exists (select from camera c where c.camera_id = r.camera_id and c.series_id = ${series})
  when r.known_face_id is not null then exists (
    select from subject_face f join subject b on b.subject_id = f.subject_id
     where f.face_id = r.known_face_id and b.series_id = ${series})
  when r.place_id is not null then
    exists (select from place p where p.place_id = r.place_id and p.series_id = ${series})
    and (r.known_media_id is null
         or exists (select from place_media m where m.place_id = r.place_id and m.media_id = r.known_media_id))
  when r.known_media_id is not null then
    exists (select from series_media m where m.series_id = ${series} and m.media_id = r.known_media_id)
    or exists (select from place_media m join place p on p.place_id = m.place_id
                where p.series_id = ${series} and m.media_id = r.known_media_id)
  when r.subject_id is not null then exists (select from subject b where b.subject_id = r.subject_id and b.series_id = ${series})
  else true
end`;

/** Which series a series counts with: itself and those merged into it, at any depth. Columns root, series_id. */
const TREES = `
trees(root, series_id) as (
  select series_id, series_id from series where series_id = any($1::bigint[])
  union
  select t.root, s.series_id from trees t join series s on s.merged_into = t.series_id
)`;

/** Whether anything in force ties media of lead `l` to the tree of series `s`; a merged series has no tree of its own. */
const evidenceIn = (series: string): string => `(
  exists (select from series o where o.series_id = ${series} and o.merged_into is null)
  and (exists (select from model_match e join trees t on t.series_id = e.series_id
                where t.root = ${series} and e.media_id = l.media_id and e.withdrawn_at is null)
       or exists (select from match e join trees t on t.series_id = e.series_id
                   where t.root = ${series} and e.media_id = l.media_id and e.withdrawn_at is null)))`;

export interface EvidenceFollowed {
  /** Went along with what it rests on to another series. */
  readonly moved: number;
  readonly withdrawn: number;
  readonly leadsMoved: number;
  readonly leadsWithdrawn: number;
}

/**
 * After something of these series was taken out or moved between them: evidence by faces, pictures and cameras follows what it rests on
 * to the series that has it now, and is withdrawn where none of them has; leads follow their evidence, and an open lead with none left
 * is withdrawn. Leads that somebody decided on keep their state. Evidence never comes back by itself: the next search finds it again.
 */
export async function withdrawModelEvidence(tx: Transaction, seriesIds: readonly number[]): Promise<EvidenceFollowed> {
  const moved = await tx.execute(
    `update model_match m
        set series_id = found.target,
            subject_id = case when m.known_face_id is null then m.subject_id
                              else (select f.subject_id from subject_face f where f.face_id = m.known_face_id) end
       from (select r.match_id, o.series_id as target
               from model_match r
               join series o on o.series_id = any($1::bigint[]) and o.series_id <> r.series_id
              where r.series_id = any($1::bigint[]) and r.withdrawn_at is null
                and not (${restsIn('r.series_id')}) and (${restsIn('o.series_id')})) as found
      where found.match_id = m.match_id
        and not exists (
          select from model_match d
           where d.withdrawn_at is null and d.series_id = found.target and d.media_id = m.media_id and d.method = m.method
             and d.algorithm = m.algorithm and coalesce(d.face_id, 0) = coalesce(m.face_id, 0)
             and coalesce(d.known_face_id, 0) = coalesce(m.known_face_id, 0)
             and coalesce(d.known_media_id, 0) = coalesce(m.known_media_id, 0)
             and coalesce(d.camera_id, 0) = coalesce(m.camera_id, 0))`,
    [seriesIds],
  );
  const withdrawn = await tx.execute(
    `update model_match r set withdrawn_at = now()
      where series_id = any($1::bigint[]) and withdrawn_at is null and not (${restsIn('r.series_id')})`,
    [seriesIds],
  );
  const leadsMoved = await moveLeads(tx, seriesIds);
  const leads = await refreshLeads(tx, { seriesIds });
  return { moved, withdrawn, leadsMoved, leadsWithdrawn: leads.withdrawn };
}

/** With its decisions, so that a pair that was rejected is not offered again under another name. @returns how many */
async function moveLeads(tx: Transaction, seriesIds: readonly number[]): Promise<number> {
  // At most one lead of a media may end in one series, and of several targets the first is taken.
  return await tx.execute(
    `with recursive ${TREES}, targets as (
       select distinct on (l.media_id, o.series_id) l.lead_id, o.series_id as target
         from lead l join series o on o.series_id = any($1::bigint[]) and o.series_id <> l.series_id
        where l.series_id = any($1::bigint[]) and not ${evidenceIn('l.series_id')} and ${evidenceIn('o.series_id')}
          and not exists (select from lead d where d.media_id = l.media_id and d.series_id = o.series_id)
        order by l.media_id, o.series_id, l.lead_id)
     update lead m set series_id = one.target, updated_at = now()
       from (select lead_id, min(target) as target from targets group by lead_id) as one where one.lead_id = m.lead_id`,
    [seriesIds],
  );
}
