import { type SeriesDetail, SUBJECT_KINDS, VICTIM_IDENTIFIED } from '../../schemas/series.ts';
import { categoryEntry } from '../hashset/category-schemes.ts';
import type { Db } from '../store/db.ts';
import { integer, nullable, oneOf, row, text, timestamp } from '../store/row-shape.ts';
import { type FoundSeries, seriesOfName } from './find-series.ts';

const MOST_CHANGES = 200;
/** The lowest two bits of known_record.flags: whether the source says that the victim is identified, and what it says. */
const SAID = 1;
const SAID_YES = 3;

/**
 * One series in every source that uses the name: series of different sources are never merged, and what they say of one another's
 * people stays side by side. A series that others were merged into shows their records and evidence too.
 * @throws HomewardError HW_SERIES_NOT_FOUND
 */
export async function showSeries(db: Db, name: string, source: string | undefined): Promise<SeriesDetail[]> {
  const found = await seriesOfName(db, { name, source });
  return await Promise.all(found.map(async (series) => await detail(db, series)));
}

async function detail(db: Db, series: FoundSeries): Promise<SeriesDetail> {
  const { seriesId, createdBy, mergedInto } = series;
  const mergedFrom = await seriesMergedInto(db, seriesId);
  const tree = [seriesId, ...mergedFrom.map((one) => one.seriesId)];
  const [into] = mergedInto === null ? [] : await db.read(NAME, `${SELECT_NAME} where series_id = $1`, [mergedInto]);
  const [own] = await db.read(
    row({ victimIdentified: nullable(oneOf(VICTIM_IDENTIFIED)), media: integer }),
    `select victim_identified, (select count(*) from series_media m where m.series_id = e.series_id) as media
       from series e where series_id = $1`,
    [seriesId],
  );
  return {
    seriesId,
    source: series.source,
    name: series.name,
    createdBy,
    mergedInto: into ?? null,
    mergedFrom,
    victimIdentified: own?.victimIdentified ?? null,
    recordsSay: await recordsSay(db, tree),
    categories: await categories(db, tree),
    media: own?.media ?? 0,
    subjects: await db.read(
      row({ subjectId: integer, reference: text, kind: oneOf(SUBJECT_KINDS), faces: integer, pictures: integer }),
      `select b.subject_id, b.reference, b.kind, count(f.face_id) as faces, count(distinct f.media_id) as pictures
         from subject b left join subject_face s on s.subject_id = b.subject_id left join face f on f.face_id = s.face_id
        where b.series_id = $1 group by b.subject_id order by b.reference`,
      [seriesId],
    ),
    places: await db.read(
      row({ placeId: integer, reference: text, pictures: integer }),
      `select p.place_id, p.reference, (select count(*) from place_media m where m.place_id = p.place_id) as pictures
         from place p where p.series_id = $1 order by p.reference`,
      [seriesId],
    ),
    cameras: await db.read(
      row({
        cameraId: integer,
        reference: text,
        make: nullable(text),
        model: nullable(text),
        bodySerial: nullable(text),
        lensSerial: nullable(text),
      }),
      'select camera_id, reference, make, model, body_serial, lens_serial from camera where series_id = $1 order by reference',
      [seriesId],
    ),
    links: await links(db, tree),
    matches: await matches(db, tree),
    changes: await db.read(
      row({
        changeId: integer,
        action: text,
        reason: nullable(text),
        doneBy: text,
        doneAt: timestamp,
        undoneBy: nullable(text),
        undoneAt: nullable(timestamp),
      }),
      `select change_id, action, reason, done_by, done_at, undone_by, undone_at from series_change
        where exists (select from jsonb_array_elements_text(details->'series') as concerned where concerned::bigint = $1)
        order by change_id desc limit ${MOST_CHANGES}`,
      [seriesId],
    ),
  };
}

const NAME = row({ seriesId: integer, source: text, name: text });
const SELECT_NAME = 'select series_id, source, name from series';

/** Series that were merged into this one, at any depth. */
async function seriesMergedInto(db: Db, seriesId: number): Promise<SeriesDetail['mergedFrom']> {
  return await db.read(
    NAME,
    `with recursive merged(series_id) as (
       select series_id from series where merged_into = $1
       union
       select s.series_id from merged m join series s on s.merged_into = m.series_id)
     ${SELECT_NAME} where series_id in (select series_id from merged) order by series_id`,
    [seriesId],
  );
}

async function recordsSay(db: Db, tree: readonly number[]): Promise<SeriesDetail['recordsSay']> {
  return await db.read(
    row({
      setName: text,
      setVersion: integer,
      victimIdentified: integer,
      victimNotIdentified: integer,
      notSaid: integer,
    }),
    `select s.name as set_name, s.version as set_version,
            count(*) filter (where r.flags & ${SAID_YES} = ${SAID_YES}) as victim_identified,
            count(*) filter (where r.flags & ${SAID_YES} = ${SAID}) as victim_not_identified,
            count(*) filter (where r.flags & ${SAID} = 0) as not_said
       from known_record r join hash_set s on s.set_id = r.set_id
      where r.series_id = any($1::bigint[])
      group by s.set_id, s.name, s.version order by s.name, s.version`,
    [tree],
  );
}

async function categories(db: Db, tree: readonly number[]): Promise<SeriesDetail['categories']> {
  const found = await db.read(
    row({ setName: text, setVersion: integer, scheme: text, code: nullable(text), records: integer }),
    `select s.name as set_name, s.version as set_version, s.category_scheme as scheme, r.category_code as code, count(*) as records
       from known_record r join hash_set s on s.set_id = r.set_id
      where r.series_id = any($1::bigint[])
      group by s.name, s.version, s.category_scheme, r.category_code
      order by records desc`,
    [tree],
  );
  return found.map((one) => ({
    ...one,
    label: one.code === null ? null : categoryEntry(one.scheme, one.code).label,
  }));
}

async function links(db: Db, tree: readonly number[]): Promise<SeriesDetail['links']> {
  const found = await db.read(
    row({
      linkId: integer,
      seriesId: integer,
      source: text,
      name: text,
      victimIdentified: nullable(oneOf(VICTIM_IDENTIFIED)),
      reason: text,
      linkedBy: text,
      linkedAt: timestamp,
    }),
    `select l.link_id, e.series_id, e.source, e.name, e.victim_identified, l.reason, l.linked_by, l.linked_at
       from series_link l
       join series e on e.series_id = case when l.series_id = any($1::bigint[]) then l.other_series_id else l.series_id end
      where (l.series_id = any($1::bigint[]) or l.other_series_id = any($1::bigint[])) and l.withdrawn_at is null
      order by l.link_id`,
    [tree],
  );
  return found.map(({ seriesId, source, name, victimIdentified, ...link }) => ({
    ...link,
    other: { seriesId, source, name },
    otherVictimIdentified: victimIdentified,
  }));
}

async function matches(db: Db, tree: readonly number[]): Promise<SeriesDetail['matches']> {
  return await db.read(
    row({ method: text, media: integer, batches: integer }),
    `select t.method, count(distinct t.media_id) as media, count(distinct i.batch_id) as batches
       from (select method, media_id from match where series_id = any($1::bigint[]) and withdrawn_at is null
             union all
             select method, media_id from model_match where series_id = any($1::bigint[]) and withdrawn_at is null) as t
       join item i on i.media_id = t.media_id
      group by t.method order by media desc, t.method`,
    [tree],
  );
}
