import { HomewardError } from '../../schemas/error.ts';
import { type FaceName, type SeriesChanged, SUBJECT_KINDS, type SubjectKind } from '../../schemas/series.ts';
import type { Db, Transaction } from '../store/db.ts';
import { integer, oneOf, row, text } from '../store/row-shape.ts';
import { type ChangedBy, changeSeries, type SeriesDraft } from './change.ts';
import { type SeriesName, seriesToChange } from './find-series.ts';
import { type BatchName, findMedia, mediaOfBatches } from './known-media.ts';
import { notFound } from './not-found.ts';
import { checkReference } from './references.ts';
import { findFaces, refuseFacesOfOthers } from './subject-faces.ts';

/**
 * Adds media that were scanned, by SHA-256 in hexadecimal, to the unit's own material of a series.
 * @throws HomewardError HW_SERIES_PART_NOT_FOUND, HW_SERIES_TOO_LARGE and those of seriesToChange
 */
export async function addMedia(
  db: Db,
  by: ChangedBy,
  asked: SeriesName,
  sha256: readonly string[],
): Promise<SeriesChanged> {
  return await adding(db, by, asked, 'add media', async (draft, seriesId) => {
    const mediaIds = await findMedia(draft.tx, sha256);
    const added = await draft.attach('series_media', seriesId, mediaIds);
    return { changed: added.length, unchanged: mediaIds.length - added.length };
  });
}

/**
 * Adds every picture and video of a batch: a unit's own known material, scanned. Other contents (texts, archives, system files) are in
 * every folder and would tie everything to the series; they are left out and counted.
 * @throws HomewardError as addMedia
 */
export async function addBatch(db: Db, by: ChangedBy, asked: SeriesName, batch: BatchName): Promise<SeriesChanged> {
  return await adding(db, by, asked, 'add batch', async (draft, seriesId) => {
    const { mediaIds, leftOut } = await mediaOfBatches(draft.tx, batch);
    const added = await draft.attach('series_media', seriesId, mediaIds);
    return { changed: added.length, unchanged: mediaIds.length - added.length, leftOut };
  });
}

/**
 * Adds a subject, or faces to a subject that is there.
 * @throws HomewardError HW_SERIES_EXISTS where it is there with another kind, HW_SERIES_PART_NOT_FOUND where it is not and no kind is
 *   given, HW_SERIES_FACES, HW_SERIES_REFERENCE and those of seriesToChange
 */
export async function addSubject(
  db: Db,
  by: ChangedBy,
  asked: SeriesName,
  subject: { readonly reference: string; readonly kind?: SubjectKind | undefined; readonly faces: readonly FaceName[] },
): Promise<SeriesChanged> {
  const action = subject.faces.length > 0 && subject.kind === undefined ? 'add faces' : 'add subject';
  return await adding(db, by, asked, action, async (draft, seriesId) => {
    checkReference('subject', subject.reference);
    const faceIds = await findFaces(draft.tx, subject.faces);
    const [there] = await draft.tx.read(
      row({ subjectId: integer, kind: oneOf(SUBJECT_KINDS) }),
      'select subject_id, kind from subject where series_id = $1 and reference = $2',
      [seriesId, subject.reference],
    );
    await refuseFacesOfOthers(draft.tx, there?.subjectId ?? null, faceIds);
    if (there !== undefined && subject.kind !== undefined && subject.kind !== there.kind) {
      throw new HomewardError(
        'HW_SERIES_EXISTS',
        `expected subject ${subject.reference} as the ${there.kind} that it is, received --kind ${subject.kind}; leave --kind out to add to it, or choose another reference`,
      );
    }
    if (there === undefined && subject.kind === undefined) {
      throw notFound('a subject of the series', [subject.reference], 'to make it, say --kind as well');
    }
    const subjectId =
      there?.subjectId ??
      (await draft.insert('subject', {
        series_id: seriesId,
        kind: subject.kind ?? 'unknown',
        reference: subject.reference,
      }));
    if (there !== undefined) draft.takesForGranted('subject', subjectId);
    const added = await draft.attach('subject_face', subjectId, faceIds);
    return {
      partId: subjectId,
      created: there === undefined,
      changed: added.length,
      unchanged: faceIds.length - added.length,
    };
  });
}

/** Gives faces to a subject that is there. @throws HomewardError as addSubject */
export async function addFaces(
  db: Db,
  by: ChangedBy,
  asked: SeriesName,
  reference: string,
  faces: readonly FaceName[],
): Promise<SeriesChanged> {
  return await addSubject(db, by, asked, { reference, faces });
}

/**
 * Adds a place with pictures of it, or pictures to a place that is there.
 * @throws HomewardError HW_SERIES_PART_NOT_FOUND, HW_SERIES_REFERENCE and those of seriesToChange
 */
export async function addPlace(
  db: Db,
  by: ChangedBy,
  asked: SeriesName,
  place: { readonly reference: string; readonly media: readonly string[] },
): Promise<SeriesChanged> {
  return await adding(db, by, asked, 'add place', async (draft, seriesId) => {
    checkReference('place', place.reference);
    const mediaIds = await findMedia(draft.tx, place.media);
    const [there] = await draft.tx.read(
      row({ placeId: integer }),
      'select place_id from place where series_id = $1 and reference = $2',
      [seriesId, place.reference],
    );
    const placeId =
      there?.placeId ?? (await draft.insert('place', { series_id: seriesId, reference: place.reference }));
    if (there !== undefined) draft.takesForGranted('place', placeId);
    const added = await draft.attach('place_media', placeId, mediaIds);
    return {
      partId: placeId,
      created: there === undefined,
      changed: added.length,
      unchanged: mediaIds.length - added.length,
    };
  });
}

/** One change of a series that this unit may change. */
export async function adding(
  db: Db,
  by: ChangedBy,
  asked: SeriesName,
  action: string,
  work: (draft: SeriesDraft, seriesId: number) => ReturnType<Parameters<typeof changeSeries>[3]>,
): Promise<SeriesChanged> {
  return await changeSeries(db, by, action, async (draft) => {
    const { seriesId } = await seriesToChange(draft.tx, asked, by.organisation);
    draft.concerns(seriesId);
    return await work(draft, seriesId);
  });
}

/** The numbers of parts of a series by their references, in the order asked. @throws HomewardError HW_SERIES_PART_NOT_FOUND */
export async function findParts(
  tx: Transaction,
  table: 'subject' | 'place' | 'camera',
  seriesId: number,
  references: readonly string[],
): Promise<number[]> {
  const found = await tx.read(
    row({ id: integer, reference: text }),
    `select ${table}_id as id, reference from ${table} where series_id = $1 and reference = any($2::text[])`,
    [seriesId, references],
  );
  const byReference = new Map(found.map((one) => [one.reference, one.id]));
  const missing = references.filter((reference) => !byReference.has(reference));
  if (missing.length > 0) throw notFound(`${table}s of the series`, missing, 'homeward series show lists them');
  return [...new Set(references.flatMap((reference) => byReference.get(reference) ?? []))];
}
