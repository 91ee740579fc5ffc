import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Db } from '../engine/store/db.ts';
import { integer, row } from '../engine/store/row-shape.ts';
import type { CaptureMetadata } from '../schemas/fingerprint.ts';

/** For tests of erasure: a case whose every derived value bears bytes that nothing else has, and a search for them in files. */

export interface PlantedCase {
  readonly caseRef: string;
  readonly organisation: string;
  readonly batchId: string;
  readonly mediaId: number;
  /** A media of this case that another may hold too. */
  readonly sha256: Buffer;
  /** What to look for in files: bytes at the front of digests and hashes, a word in texts, a vector. */
  readonly marks: Readonly<Record<'bytes' | 'text' | 'vector', Buffer>>;
}

/**
 * Plants one item, its media and something in every table that is derived from it.
 * @param of `shared`: a media that is there already is its content, and nothing further is made of it
 */
export async function plantCase(
  db: Db,
  of: { readonly caseRef: string; readonly organisation?: string; readonly shared?: PlantedCase },
): Promise<PlantedCase> {
  const organisation = of.organisation ?? 'unit';
  const mark = randomBytes(12);
  const word = `mark${randomBytes(9).toString('hex')}`;
  const bytes = (what: string, length: number): Buffer =>
    Buffer.concat([mark, createHash('shake256', { outputLength: length }).update(what).digest()]).subarray(0, length);
  // Small whole numbers and a few fractions: 16 floats that no other row has.
  const floats = Float32Array.from(randomBytes(16), (value) => value / 256 + 0.001);
  const vector = `[${floats.join(',')}]`;
  const batchId = randomUUID();
  await db.execute(
    `insert into batch (batch_id, identity, case_ref, exhibit_ref, organisation, actor, mode, roots, pipeline_version, started_at, finished_at)
     values ($1, $2, $3, 'E1', $4, 'tester', 'exact', $5, 'p1', now() - interval '1 hour', now())`,
    [batchId, bytes('identity', 32), of.caseRef, organisation, JSON.stringify([`/evidence/${word}`])],
  );
  const mediaId = of.shared?.mediaId ?? (await plantMedia(db, bytes, word, vector));
  await db.execute(
    `insert into item (batch_id, path_key, path, media_id, size_bytes, type, outcome, reason_detail)
     values ($1, $2, $3, $4, 10, 'image/jpeg', 'done', $5)`,
    [batchId, bytes('path key', 32), Buffer.from(`/evidence/${word}/a.jpg`), mediaId, `${word} detail`],
  );
  return {
    caseRef: of.caseRef,
    organisation,
    batchId,
    mediaId,
    sha256: of.shared?.sha256 ?? bytes('sha256', 32),
    marks: { bytes: mark, text: Buffer.from(word), vector: Buffer.from(floats.buffer) },
  };
}

async function plantMedia(
  db: Db,
  bytes: (what: string, length: number) => Buffer,
  word: string,
  vector: string,
): Promise<number> {
  const id = async (sql: string, params: Parameters<Db['execute']>[1]): Promise<number> =>
    (await db.read(row({ id: integer }), sql, params))[0]?.id ?? assert.fail(sql);
  const mediaId = await id(
    `insert into media (sha256, sha1, md5, size_bytes, type) values ($1, $2, $3, 10, 'image/jpeg') returning media_id as id`,
    [bytes('sha256', 32), bytes('sha1', 20), bytes('md5', 16)],
  );
  const capture: CaptureMetadata = {
    make: `${word} make`,
    model: `${word} model`,
    lensModel: null,
    bodySerialNumber: `${word}body`,
    lensSerialNumber: null,
    software: null,
    capturedAt: null,
    gps: null,
    exifOrientation: null,
    thumbnailMismatch: null,
    syntheticTraces: [],
  };
  await db.execute(
    `insert into fingerprint (media_id, pipeline_version, mode, outcome, pdq_512_dihedral, pdq_512_quality, blockhash, capture)
     values ($1, 'p1', 'exact', 'done', $2, 90, ('x' || $3::text)::bit(256), $4)`,
    [mediaId, bytes('pdq', 256), bytes('blockhash', 32).toString('hex'), JSON.stringify(capture)],
  );
  const space = await id(
    `insert into embedding_space (pack_id, pack_version, output, kind, dimensions, metric, state)
     values ('pack', '1', 'out', 'faceEmbedding', 16, 'cosine', 'active')
     on conflict (pack_id, pack_version, output) do update set dimensions = 16 returning space_ref as id`,
    [],
  );
  const face = await id(
    `insert into face (media_id, detector, detector_version, ordinal, box_x, box_y, box_width, box_height, landmarks, detection_score,
                       eye_distance_pixels, sharpness, yaw_degrees, pitch_degrees, roll_degrees, quality)
     values ($1, 'd', '1', 0, 1, 1, 9, 9, $2, 0.9, 40, 100, 0, 0, 0, 80) returning face_id as id`,
    [mediaId, bytes('landmarks', 544)],
  );
  await db.execute('insert into face_vector values ($1, $2, $3::vector, true)', [face, space, vector]);
  await db.execute('insert into picture_vector values ($1, $2, $3::vector, true)', [mediaId, space, vector]);
  await db.execute(`insert into picture_keypoints values ($1, 'kp', 3, $2)`, [mediaId, bytes('keypoints', 402)]);
  await db.execute(`insert into picture_score values ($1, 'p', '1', 0.5)`, [mediaId]);
  await db.execute(`insert into embedding_run (media_id, profile, outcome, provider) values ($1, $2, 'done', 'cpu')`, [
    mediaId,
    bytes('profile', 32),
  ]);
  const series = await id(
    `insert into series (source, name, created_by) values ('unit', $1, 'tester') returning series_id as id`,
    [`${word} series`],
  );
  const subject = await id(
    `insert into subject (series_id, kind, reference) values ($1, 'unknown', $2) returning subject_id as id`,
    [series, `${word}-V1`],
  );
  const place = await id('insert into place (series_id, reference) values ($1, $2) returning place_id as id', [
    series,
    `${word}-P1`,
  ]);
  const serial = `${word}body`.toUpperCase();
  await db.execute('insert into camera (series_id, reference, make, body_serial) values ($1, $2, $3, $4)', [
    series,
    `${word}-C1`,
    `${word} make`,
    serial,
  ]);
  await db.execute(`insert into seen_device values ('body', $1, $2, $3)`, [serial, `${word}make`, `${word}model`]);
  await db.execute(`insert into series_media values ($1, $2, now(), 'tester')`, [series, mediaId]);
  await db.execute(`insert into subject_face values ($1, $2, now(), 'tester')`, [subject, face]);
  await db.execute(`insert into place_media values ($1, $2, now(), 'tester')`, [place, mediaId]);
  await db.execute(
    `insert into model_match (media_id, method, algorithm, pipeline_version, distance, threshold, calibrated, log10_likelihood_ratio,
                              gallery_size, face_id, known_face_id, series_id, subject_id, necessity)
     values ($1, 'face', 'a', 'p1', 0.1, 0.4, true, 2, 10, $2, $2, $3, $4, $5)`,
    [mediaId, face, series, subject, `${word} necessity`],
  );
  const lead = await id(
    'insert into lead (media_id, series_id, log10_likelihood_ratio) values ($1, $2, 2) returning lead_id as id',
    [mediaId, series],
  );
  await db.execute(
    `insert into disposition (lead_id, verdict, note, decided_by, evidence) values ($1, 'unsure', $2, 'tester', '[]')`,
    [lead, `${word} note`],
  );
  const candidate = await id(
    `insert into candidate_series (state) values ('proposed') returning candidate_id as id`,
    [],
  );
  await db.execute('insert into candidate_media values ($1, $2)', [candidate, mediaId]);
  return mediaId;
}

/** Files under a folder in which the bytes are, by their path in it, and how often. */
export function filesWith(folder: string, needle: Buffer): Map<string, number> {
  const found = new Map<string, number>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    let bytes: Buffer;
    try {
      bytes = readFileSync(file);
    } catch {
      // A file that a running server has taken away meanwhile.
      continue;
    }
    let times = 0;
    for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + 1)) times += 1;
    if (times > 0) found.set(path.relative(folder, file), times);
  }
  return found;
}

/** What is left of a case in the files of a folder: `mark file times`; empty where nothing is. */
export function remainsOf(folder: string, planted: PlantedCase): string[] {
  return Object.entries(planted.marks).flatMap(([name, needle]) =>
    [...filesWith(folder, needle)].map(([file, times]) => `${name} ${file} ${times}`),
  );
}
