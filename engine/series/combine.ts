import { HomewardError } from '../../schemas/error.ts';
import { type SeriesChanged, SUBJECT_KINDS } from '../../schemas/series.ts';
import type { Db, Transaction } from '../store/db.ts';
import { integer, oneOf, row, text } from '../store/row-shape.ts';
import { findParts } from './add.ts';
import { type ChangedBy, changeSeries, type SeriesDraft } from './change.ts';
import { insertSeries } from './create.ts';
import { type FoundSeries, type SeriesName, seriesToChange } from './find-series.ts';
import { findMedia } from './known-media.ts';
import { notFound } from './not-found.ts';
import { freeReference } from './references.ts';

const PART_TABLES = ['subject', 'place', 'camera'] as const;

/** Two subjects that a person holds to be one: by their references, in the series that goes and in the one that stays. */
export interface SameSubject {
  readonly from: string;
  readonly into: string;
}

/**
 * Merges a series into another of the same source. Its media, subjects, places and cameras move; its name stays and leads there, with
 * the records that hash sets have under it. References that both use are told apart by the number of the series they come from; two
 * subjects become one only where a person says so, and never where two of their faces are in one picture.
 * @throws HomewardError HW_SERIES_SOURCES for series of different sources, HW_SERIES_FACES, HW_SERIES_PART_NOT_FOUND and those of
 *   seriesToChange
 */
export async function mergeSeries(
  db: Db,
  by: ChangedBy,
  from: SeriesName,
  into: SeriesName,
  sameSubjects: readonly SameSubject[] = [],
): Promise<SeriesChanged> {
  return await changeSeries(db, by, 'merge', async (draft) => {
    const target = await seriesToChange(draft.tx, into, by.organisation);
    const gone = await seriesToChange(draft.tx, from, by.organisation);
    refuseMerge(gone, target);
    draft.concerns(target.seriesId);
    draft.concerns(gone.seriesId);
    draft.takesContents(gone.seriesId);
    const media = await moveMedia(draft, gone.seriesId, target.seriesId);
    const faces = await joinSubjects(draft, gone.seriesId, target.seriesId, sameSubjects);
    for (const table of PART_TABLES) await moveParts(draft, table, gone.seriesId, target.seriesId);
    await draft.set('series', [gone.seriesId], 'merged_into', { before: null, after: target.seriesId });
    return { partId: gone.seriesId, changed: media + faces };
  });
}

function refuseMerge(from: FoundSeries, into: FoundSeries): void {
  if (from.seriesId === into.seriesId) {
    throw new HomewardError(
      'HW_USAGE',
      `expected two series to merge, received ${JSON.stringify(from.name)} twice; name another one`,
    );
  }
  if (from.source !== into.source) {
    throw new HomewardError(
      'HW_SERIES_SOURCES',
      `expected two series of one source to merge, received one of ${JSON.stringify(from.source)} and one of ${JSON.stringify(into.source)}; what different sources say stays apart: link them with homeward series link`,
    );
  }
}

/** Media that both have stay with the one that stays. @returns how many moved */
async function moveMedia(draft: SeriesDraft, from: number, into: number): Promise<number> {
  const media = await draft.tx.read(
    row({ mediaId: integer, both: integer }),
    `select m.media_id, (select count(*) from series_media o where o.series_id = $2 and o.media_id = m.media_id) as both
       from series_media m where m.series_id = $1`,
    [from, into],
  );
  const moving = media.filter((one) => one.both === 0).map((one) => one.mediaId);
  const both = media.filter((one) => one.both > 0).map((one) => one.mediaId);
  await draft.remove('series_media', from, both);
  await draft.set('series_media', moving, 'series_id', { before: from, after: into });
  return moving.length;
}

/** @returns how many faces moved to another subject */
async function joinSubjects(
  draft: SeriesDraft,
  from: number,
  into: number,
  pairs: readonly SameSubject[],
): Promise<number> {
  let moved = 0;
  for (const pair of pairs) {
    const gone = await subjectOf(draft.tx, from, pair.from);
    const target = await subjectOf(draft.tx, into, pair.into);
    if (gone.kind !== target.kind) {
      throw new HomewardError(
        'HW_SERIES_FACES',
        `expected two subjects of one kind to be one person, received ${pair.from} as ${gone.kind} and ${pair.into} as ${target.kind}; correct the one that is wrong first`,
      );
    }
    const faces = await draft.tx.read(
      row({ faceId: integer }),
      'select face_id from subject_face where subject_id = $1',
      [gone.subjectId],
    );
    draft.takesForGranted('subject', target.subjectId);
    await draft.set(
      'subject_face',
      faces.map((one) => one.faceId),
      'subject_id',
      { before: gone.subjectId, after: target.subjectId },
    );
    await draft.remove('subject', null, [gone.subjectId]);
    moved += faces.length;
  }
  return moved;
}

async function subjectOf(tx: Transaction, seriesId: number, reference: string) {
  const [found] = await tx.read(
    row({ subjectId: integer, kind: oneOf(SUBJECT_KINDS) }),
    'select subject_id, kind from subject where series_id = $1 and reference = $2',
    [seriesId, reference],
  );
  if (found === undefined) throw notFound('a subject of the series', [reference], 'homeward series show lists them');
  return found;
}

/** Moves parts of a series with what belongs to them, all of them or those given. */
async function moveParts(
  draft: SeriesDraft,
  table: (typeof PART_TABLES)[number],
  from: number,
  into: number,
  only?: readonly number[],
): Promise<void> {
  const found = await draft.tx.read(
    row({ id: integer, seriesId: integer, reference: text }),
    `select ${table}_id as id, series_id, reference from ${table} where series_id = any($1::bigint[]) order by ${table}_id`,
    [[from, into]],
  );
  const referencesOf = (seriesId: number) =>
    new Set(found.filter((one) => one.seriesId === seriesId).map((one) => one.reference));
  const taken = { here: referencesOf(into), there: referencesOf(from) };
  const moving = found.filter((one) => one.seriesId === from && (only === undefined || only.includes(one.id)));
  for (const part of moving) {
    const reference = freeReference(part.reference, taken, from);
    taken.here.add(reference);
    if (reference !== part.reference)
      await draft.set(table, [part.id], 'reference', { before: part.reference, after: reference });
  }
  await draft.set(
    table,
    moving.map((one) => one.id),
    'series_id',
    { before: from, after: into },
  );
}

/** What is to leave a series: media by SHA-256, the rest by reference. */
export interface SplitParts {
  readonly media: readonly string[];
  readonly subjects: readonly string[];
  readonly places: readonly string[];
  readonly cameras: readonly string[];
}

/**
 * Moves a part of a series to a new one of the same source. Faces go with their subject and pictures of a place with the place.
 * @throws HomewardError HW_SERIES_PART_NOT_FOUND where the series does not have one of them, HW_SERIES_EXISTS, HW_USAGE and those of
 *   seriesToChange
 */
export async function splitSeries(
  db: Db,
  by: ChangedBy,
  asked: SeriesName,
  newName: string,
  parts: SplitParts,
): Promise<SeriesChanged> {
  return await changeSeries(db, by, 'split', async (draft) => {
    const { seriesId, source } = await seriesToChange(draft.tx, asked, by.organisation);
    draft.concerns(seriesId);
    const media = await mediaOfSeries(draft.tx, seriesId, parts.media);
    const moving = {
      subject: await findParts(draft.tx, 'subject', seriesId, parts.subjects),
      place: await findParts(draft.tx, 'place', seriesId, parts.places),
      camera: await findParts(draft.tx, 'camera', seriesId, parts.cameras),
    };
    if (media.length + moving.subject.length + moving.place.length + moving.camera.length === 0) {
      throw new HomewardError(
        'HW_USAGE',
        'expected media, subjects, places or cameras to split from a series, received none; say which',
      );
    }
    const made = await insertSeries(draft, newName, source);
    await draft.set('series_media', media, 'series_id', { before: seriesId, after: made });
    for (const table of PART_TABLES) await moveParts(draft, table, seriesId, made, moving[table]);
    return { partId: made, created: true, changed: media.length };
  });
}

async function mediaOfSeries(tx: Transaction, seriesId: number, sha256: readonly string[]): Promise<number[]> {
  const mediaIds = await findMedia(tx, sha256);
  const [missing] = await tx.read(
    row({ sha256: text }),
    `select encode(m.sha256, 'hex') as sha256 from media m
      where m.media_id = any($1::bigint[])
        and not exists (select from series_media s where s.series_id = $2 and s.media_id = m.media_id)
      limit 1`,
    [mediaIds, seriesId],
  );
  if (missing !== undefined)
    throw notFound('media of the series', [missing.sha256], 'homeward series show counts what it holds');
  return mediaIds;
}
