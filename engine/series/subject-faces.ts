import { HomewardError } from '../../schemas/error.ts';
import type { FaceName } from '../../schemas/series.ts';
import type { Queryable, Transaction } from '../store/db.ts';
import { integer, row, text } from '../store/row-shape.ts';
import { notFound } from './not-found.ts';

/**
 * Of two detectors, or two versions of one, boxes that overlap by this share of what they cover together are one face: half is what
 * detection benchmarks count as found (PASCAL VOC, WIDER FACE).
 */
const SAME_FACE_OVERLAP = 0.5;

/** Whether faces `one` and `other` of the same picture are the same face, found twice. */
const SAME_FACE = `(
  one.face_id = other.face_id
  or ((one.detector, one.detector_version) <> (other.detector, other.detector_version)
      and overlap.pixels > ${SAME_FACE_OVERLAP} * (one.box_width::float8 * one.box_height + other.box_width::float8 * other.box_height - overlap.pixels)))`;
const OVERLAP = `lateral (select
  greatest(0, least(one.box_x + one.box_width, other.box_x + other.box_width) - greatest(one.box_x, other.box_x))::float8
  * greatest(0, least(one.box_y + one.box_height, other.box_y + other.box_height) - greatest(one.box_y, other.box_y)) as pixels) as overlap`;

/**
 * The faces that a person named. Where several detectors went over a picture, the numbers are those of the one that did so last.
 * @throws HomewardError HW_SERIES_PART_NOT_FOUND
 */
export async function findFaces(db: Queryable, names: readonly FaceName[]): Promise<number[]> {
  const found = await db.read(
    row({ place: integer, faceId: integer }),
    `select given.place, f.face_id
       from unnest($1::bytea[], $2::int[]) with ordinality as given(sha256, ordinal, place)
       join media m on m.sha256 = given.sha256
       join lateral (select detector, detector_version from face where media_id = m.media_id order by face_id desc limit 1) as last on true
       join face f on f.media_id = m.media_id and f.detector = last.detector and f.detector_version = last.detector_version
                  and f.ordinal = given.ordinal`,
    [names.map((one) => Buffer.from(one.sha256, 'hex')), names.map((one) => one.ordinal)],
  );
  const places = new Set(found.map((one) => one.place));
  const missing = names.filter((_, at) => !places.has(at + 1));
  if (missing.length > 0) {
    throw notFound(
      'faces of media that were scanned with faces',
      missing.map((one) => `${one.sha256}#${one.ordinal}`),
      'numbers begin at 0; a scan looks for faces with --faces alone',
    );
  }
  return [...new Set(found.map((one) => one.faceId))];
}

/**
 * @throws HomewardError HW_SERIES_FACES where one of these faces, as any detector found it, is another subject's
 */
export async function refuseFacesOfOthers(
  tx: Transaction,
  subjectId: number | null,
  faceIds: readonly number[],
): Promise<void> {
  const [taken] = await tx.read(
    row({ sha256: text, ordinal: integer, subjectId: integer, seriesId: integer }),
    `select encode(m.sha256, 'hex') as sha256, one.ordinal, b.subject_id, b.series_id
       from face one
       join media m on m.media_id = one.media_id
       join face other on other.media_id = one.media_id
       join subject_face f on f.face_id = other.face_id
       join subject b on b.subject_id = f.subject_id
       cross join ${OVERLAP}
      where one.face_id = any($1::bigint[]) and f.subject_id is distinct from $2::bigint and ${SAME_FACE}
      limit 1`,
    [faceIds, subjectId],
  );
  if (taken === undefined) return;
  throw new HomewardError(
    'HW_SERIES_FACES',
    `expected faces that are nobody else's, received ${taken.sha256}#${taken.ordinal}, which is subject ${taken.subjectId} of series ${taken.seriesId}; a face is one person's: undo the change that gave it, or leave it out`,
  );
}

/**
 * @throws HomewardError HW_SERIES_FACES where a subject has two faces of one picture
 */
export async function refuseTwoFacesOfOnePicture(tx: Transaction, subjectIds: readonly number[]): Promise<void> {
  if (subjectIds.length === 0) return;
  const [pair] = await tx.read(
    row({ sha256: text, first: integer, second: integer, subjectId: integer }),
    `select encode(m.sha256, 'hex') as sha256, one.ordinal as first, other.ordinal as second, f.subject_id
       from subject_face f
       join face one on one.face_id = f.face_id
       join face other on other.media_id = one.media_id and other.face_id > one.face_id
       join subject_face g on g.face_id = other.face_id and g.subject_id = f.subject_id
       join media m on m.media_id = one.media_id
       cross join ${OVERLAP}
      where f.subject_id = any($1::bigint[]) and not ${SAME_FACE}
      limit 1`,
    [subjectIds],
  );
  if (pair === undefined) return;
  throw new HomewardError(
    'HW_SERIES_FACES',
    `expected at most one face of a picture for subject ${pair.subjectId}, received ${pair.sha256}#${pair.first} and #${pair.second}; two faces in one picture are two people: leave one out`,
  );
}
