import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { openTestBatch } from '../../test/batch-kit.ts';
import { CALIBRATION } from '../match/calibration.ts';
import { zeroEventBound } from '../match/likelihood.ts';
import type { ModelEvidence } from '../match/model-evidence.ts';
import { recordModelMatches } from '../match/model-matches.ts';
import { addFace, addPicture } from '../series/test-series-kit.ts';
import type { Db } from '../store/db.ts';
import { integer, row } from '../store/row-shape.ts';
import { decideLead, type LeadDecision } from './decide.ts';
import { refreshLeads } from './refresh.ts';

/** For tests of leads: material, series and evidence put straight into the tables. */

export const GROUNDS = { authority: 'order 7/2026', necessity: 'a child is in danger' };
/** What one PDQ within its threshold is worth. */
export const PDQ_WEIGHT = -Math.log10(zeroEventBound(CALIBRATION['pdq-512'].comparisons));

let numbers = 0;
const fresh = (what: string): string => `${what} ${++numbers}`;

/** A picture that lies at this path in an exhibit, with one face. */
export interface Material {
  readonly mediaId: number;
  readonly faceId: number;
  readonly sha256: string;
}

export async function addMaterial(db: Db, path: Buffer | string = fresh('/evidence/picture')): Promise<Material> {
  const name = fresh('media');
  const mediaId = await addPicture(db, name);
  const faceId = await addFace(db, mediaId, 0, 'blazeface');
  const raw = Buffer.from(path);
  await db.execute(
    `insert into item (batch_id, path_key, path, media_id, type, outcome) values ($1, $2, $3, $4, 'image/jpeg', 'done')`,
    [await openTestBatch(db), createHash('sha256').update(raw).digest(), raw, mediaId],
  );
  return { mediaId, faceId, sha256: createHash('sha256').update(name).digest('hex') };
}

async function inserted(db: Db, sql: string, params: readonly (string | number | null)[]): Promise<number> {
  const [made] = await db.read(row({ id: integer }), sql, params);
  return made?.id ?? assert.fail('nothing was inserted');
}

export interface KnownSeries {
  readonly seriesId: number;
  readonly name: string;
  readonly subjectId: number;
  readonly placeId: number;
  readonly cameraId: number;
  readonly known: Material;
}

/** A series with a picture of a subject at a place, and a camera. */
export async function addSeries(db: Db): Promise<KnownSeries> {
  const name = fresh('series');
  const seriesId = await inserted(
    db,
    `insert into series (source, name) values ('Project', $1) returning series_id as id`,
    [name],
  );
  const part = async (table: 'subject' | 'place' | 'camera', columns: string, values: string): Promise<number> =>
    await inserted(
      db,
      `insert into ${table} (series_id, reference${columns}) values ($1, $2${values}) returning ${table}_id as id`,
      [seriesId, `${table} 1`],
    );
  const subjectId = await part('subject', ', kind', `, 'victim'`);
  const placeId = await part('place', '', '');
  const cameraId = await part('camera', ', body_serial', `, 'ABC${seriesId}9'`);
  const known = await addMaterial(db);
  await db.execute(`insert into series_media (series_id, media_id, added_by) values ($1, $2, 'tester')`, [
    seriesId,
    known.mediaId,
  ]);
  await db.execute(`insert into subject_face (subject_id, face_id, added_by) values ($1, $2, 'tester')`, [
    subjectId,
    known.faceId,
  ]);
  await db.execute(`insert into place_media (place_id, media_id, added_by) values ($1, $2, 'tester')`, [
    placeId,
    known.mediaId,
  ]);
  return { seriesId, name, subjectId, placeId, cameraId, known };
}

/** Evidence of one method, worth 10^2 and calibrated unless it says otherwise. */
export function evidenceOf(
  method: ModelEvidence['method'],
  of: Material,
  series: KnownSeries,
  changes: Partial<ModelEvidence> = {},
): ModelEvidence {
  return {
    mediaId: of.mediaId,
    method,
    algorithm: method === 'camera' ? 'exif-serial/1' : `${method}-pack@1.0.0/embedding`,
    distance: method === 'camera' ? 0 : 0.1,
    threshold: method === 'camera' ? 0 : 0.2,
    expectedFalseMatches: 0.05,
    calibrated: true,
    borderline: false,
    log10LikelihoodRatio: 2,
    gallerySize: 50,
    inliers: method === 'place' ? 31 : null,
    details: {
      scores:
        method === 'camera'
          ? []
          : [
              {
                space: `${method}-pack@1.0.0/embedding`,
                knownSpace: `${method}-pack@1.0.0/embedding`,
                similarity: 0.9,
                weight: 1,
              },
            ],
      geometry: method === 'place' ? { tentative: 60, fundamentalInliers: 31, homographyInliers: 12 } : null,
      serial: method === 'camera' ? { kind: 'body', devicesSeen: 312, otherModels: 0 } : null,
      falseMatchRateUpper95: 0.001,
    },
    faceId: method === 'face' ? of.faceId : null,
    knownFaceId: method === 'face' ? series.known.faceId : null,
    knownMediaId: method === 'camera' ? null : series.known.mediaId,
    seriesId: series.seriesId,
    subjectId: method === 'face' ? series.subjectId : null,
    placeId: method === 'place' ? series.placeId : null,
    cameraId: method === 'camera' ? series.cameraId : null,
    authority: method === 'face' ? GROUNDS.authority : null,
    necessity: method === 'face' ? GROUNDS.necessity : null,
    ...changes,
  };
}

/** Records evidence and refreshes the leads of its media. */
export async function found(db: Db, ...evidence: readonly ModelEvidence[]) {
  return await db.transaction(async (tx) => {
    await recordModelMatches(tx, 'test', evidence);
    return await refreshLeads(tx, { mediaIds: evidence.map((one) => one.mediaId) });
  });
}

export interface HashMatch {
  readonly method: 'sha256' | 'pdq';
  readonly expectedFalseMatches?: number | null;
  readonly seriesId: number | null;
}

/** A match by digest or perceptual hash with a record of a set in force. @returns the number of the set */
export async function addHashMatch(db: Db, mediaId: number, match: HashMatch): Promise<number> {
  const setId = await inserted(
    db,
    `insert into hash_set (source, name, version, content_sha256, format, category_scheme, state, imported_by)
     values ('Project', $1, 1, decode(repeat('ab', 32), 'hex'), 'ndjson', 'vic-us', 'active', 'tester') returning set_id as id`,
    [fresh('set')],
  );
  const recordId = await inserted(
    db,
    'insert into known_record (set_id, series_id) values ($1, $2) returning record_id as id',
    [setId, match.seriesId],
  );
  const isPdq = match.method === 'pdq';
  await db.execute(
    `insert into match (media_id, set_id, record_id, method, algorithm, mode, pipeline_version, distance_bits, threshold_bits,
                        orientation, flavour, expected_false_matches, series_id)
     values ($1, $2, $3, $4, $5, 'exact', 'test', $6, $7, $8, $9, $10, $11)`,
    [
      mediaId,
      setId,
      recordId,
      match.method,
      isPdq ? 'pdq-512/1' : 'sha256',
      isPdq ? 12 : 0,
      isPdq ? 31 : 0,
      isPdq ? 'flipY' : null,
      isPdq ? 'pdq-512' : null,
      match.expectedFalseMatches === undefined ? (isPdq ? 1e-20 : null) : match.expectedFalseMatches,
      match.seriesId,
    ],
  );
  return setId;
}

export async function leadOf(db: Db, mediaId: number, seriesId: number) {
  const [lead] = await db.query<{ lead_id: number; state: string; weight: number }>(
    'select lead_id, state, log10_likelihood_ratio as weight from lead where media_id = $1 and series_id = $2',
    [mediaId, seriesId],
  );
  return lead === undefined ? null : { leadId: lead.lead_id, state: lead.state, weight: lead.weight };
}

export async function decided(db: Db, leadId: number, decidedBy: string, decision: Partial<LeadDecision> = {}) {
  return await db.transaction(
    async (tx) =>
      await decideLead(tx, { leadId, decidedBy, verdict: 'confirmed', basis: 'viewed', note: null, ...decision }),
  );
}
