import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { FaceName } from '../../schemas/series.ts';
import type { Db } from '../store/db.ts';
import { integer, row } from '../store/row-shape.ts';
import type { ChangedBy } from './change.ts';

/** For tests of series: scanned media with faces and vectors, put straight into the tables. */

export const BY: ChangedBy = { actor: 'A. Examiner', organisation: 'unit' };

export const sha256Of = (name: string): string => createHash('sha256').update(name).digest('hex');
export const face = (media: string, ordinal = 0): FaceName => ({ sha256: sha256Of(media), ordinal });

/** A picture with a vector, and with this many faces beside one another. @returns its number */
export async function addPicture(db: Db, name: string, faces = 0, type = 'image/jpeg'): Promise<number> {
  const digest = (algorithm: string) => createHash(algorithm).update(name).digest();
  const [media] = await db.read(
    row({ mediaId: integer }),
    `insert into media (sha256, sha1, md5, size_bytes, type) values ($1, $2, $3, 1000, $4) returning media_id`,
    [digest('sha256'), digest('sha1'), digest('md5'), type],
  );
  const mediaId = media?.mediaId ?? assert.fail('no media');
  await db.execute(`insert into picture_vector (media_id, space_ref, embedding) values ($1, $2, '[0,1,0]')`, [
    mediaId,
    await space(db, 'copyEmbedding'),
  ]);
  for (let ordinal = 0; ordinal < faces; ordinal += 1) await addFace(db, mediaId, ordinal, 'blazeface');
  return mediaId;
}

/** A face of 100 x 100 pixels, 200 pixels to the right of the one before it, shifted by some. @returns its number */
export async function addFace(
  db: Db,
  mediaId: number,
  ordinal: number,
  detector: string,
  shiftPixels = 0,
): Promise<number> {
  const [made] = await db.read(
    row({ faceId: integer }),
    `insert into face (media_id, detector, detector_version, ordinal, box_x, box_y, box_width, box_height, detection_score,
                       eye_distance_pixels, sharpness, yaw_degrees, pitch_degrees, roll_degrees, quality)
     values ($1, $2, '1.0.0', $3, $4, 10, 100, 100, 0.9, 40, 100, 0, 0, 0, 80) returning face_id`,
    [mediaId, detector, ordinal, ordinal * 200 + shiftPixels],
  );
  const faceId = made?.faceId ?? assert.fail('no face');
  await db.execute(`insert into face_vector (face_id, space_ref, embedding) values ($1, $2, '[1,0,0]')`, [
    faceId,
    await space(db, 'faceEmbedding'),
  ]);
  return faceId;
}

async function space(db: Db, kind: 'faceEmbedding' | 'copyEmbedding'): Promise<number> {
  const [found] = await db.read(
    row({ spaceRef: integer }),
    `insert into embedding_space (pack_id, pack_version, output, kind, dimensions, metric, state)
     values ($1, '1.0.0', 'embedding', $1, 3, 'cosine', 'active')
     on conflict (pack_id, pack_version, output) do update set state = 'active' returning space_ref`,
    [kind],
  );
  return found?.spaceRef ?? assert.fail('no space');
}

export interface EvidenceRow {
  readonly mediaId: number;
  readonly method: 'face' | 'copy' | 'place' | 'camera';
  readonly seriesId: number;
  readonly knownFaceId?: number;
  readonly knownMediaId?: number;
  readonly subjectId?: number;
  readonly placeId?: number;
  readonly cameraId?: number;
}

/** Evidence in force, and an open lead of its media and series. @returns the number of the evidence */
export async function addEvidence(db: Db, evidence: EvidenceRow): Promise<number> {
  const [made] = await db.read(
    row({ matchId: integer }),
    `insert into model_match (media_id, method, algorithm, pipeline_version, distance, threshold, calibrated, log10_likelihood_ratio,
                              gallery_size, known_face_id, known_media_id, series_id, subject_id, place_id, camera_id)
     values ($1, $2, 'test/1', 'test', 0.1, 0.2, true, 3, 10, $3, $4, $5, $6, $7, $8) returning match_id`,
    [
      evidence.mediaId,
      evidence.method,
      evidence.knownFaceId ?? null,
      evidence.knownMediaId ?? null,
      evidence.seriesId,
      evidence.subjectId ?? null,
      evidence.placeId ?? null,
      evidence.cameraId ?? null,
    ],
  );
  await db.execute(
    'insert into lead (media_id, series_id, log10_likelihood_ratio) values ($1, $2, 3) on conflict do nothing',
    [evidence.mediaId, evidence.seriesId],
  );
  return made?.matchId ?? assert.fail('no evidence');
}

/** Every row that a change of a series may touch, one text a row, sorted; the history itself is not among them. */
export async function seriesRows(db: Db): Promise<string[]> {
  const tables = [
    'series',
    'subject',
    'place',
    'camera',
    'series_link',
    'series_media',
    'subject_face',
    'place_media',
    'face_vector',
    'picture_vector',
  ];
  const rows: string[] = [];
  for (const table of tables) {
    const found = await db.query<{ line: string }>(`select to_jsonb(t)::text as line from ${table} t`);
    rows.push(...found.map(({ line }) => `${table} ${line}`).sort());
  }
  return rows;
}

/** Takes every series, what belongs to it and its history away. */
export async function emptySeries(db: Db): Promise<void> {
  for (const table of [
    'lead',
    'model_match',
    'series_change',
    'series_link',
    'subject_face',
    'place_media',
    'series_media',
    'subject',
    'place',
    'camera',
  ]) {
    await db.execute(`delete from ${table}`);
  }
  await db.execute('update series set merged_into = null');
  await db.execute('delete from series');
  await db.execute('update face_vector set in_gallery = false');
  await db.execute('update picture_vector set in_gallery = false');
}
