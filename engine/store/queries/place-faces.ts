import { MOST_FACES } from '../../../schemas/constants.ts';
import type { Face } from '../../../schemas/embedding.ts';
import type { Transaction } from '../db.ts';
import { integer, row, text } from '../row-shape.ts';

export interface FaceToPlace {
  readonly mediaId: number;
  readonly face: Face;
}

type Box = Face['box'];

/** Two boxes of one detector are the same face from this intersection over union on: neighbours in one picture hardly overlap at all. */
const SAME_FACE_OVERLAP = 0.5;

interface StoredFace {
  readonly faceId: number;
  readonly ordinal: number;
  readonly box: Box;
}

/**
 * The ids of these faces, in their order, after inserting those that are not there; null where the picture has no room for another,
 * since two profiles together found more than 64. A face that was stored under an earlier profile is
 * known by its box and not by its number: another processor may give two faces of nearly equal scores in the other order, and a vector
 * must never come to somebody else's face.
 */
export async function placeFaces(
  tx: Transaction,
  faces: readonly FaceToPlace[],
): Promise<{ readonly faceIds: readonly (number | null)[]; readonly newFaces: number }> {
  if (faces.length === 0) return { faceIds: [], newFaces: 0 };
  const before = await storedFaces(tx, faces);
  const taken = new Map<string, Set<number>>();
  for (const [group, stored] of before) taken.set(group, new Set(stored.map((one) => one.ordinal)));
  const places = faces.map(({ mediaId, face }) => {
    const group = groupOf(mediaId, face.detector, face.detectorVersion);
    const same = bestOverlap(before.get(group) ?? [], face.box);
    if (same !== null) return { group, faceId: same.faceId, ordinal: same.ordinal };
    const ordinals = taken.get(group) ?? new Set<number>();
    taken.set(group, ordinals);
    let ordinal = 0;
    while (ordinals.has(ordinal)) ordinal += 1;
    if (ordinal >= MOST_FACES) return { group, faceId: null, ordinal: null };
    ordinals.add(ordinal);
    return { group, faceId: null, ordinal };
  });
  const added = faces.flatMap((one, at) => {
    const place = places[at];
    return place === undefined || place.faceId !== null || place.ordinal === null
      ? []
      : [{ ...one, ordinal: place.ordinal }];
  });
  const newFaces = await insertFaces(tx, added);
  const now = added.length === 0 ? before : await storedFaces(tx, faces);
  const faceIds = places.map(
    ({ group, faceId, ordinal }) => faceId ?? now.get(group)?.find((one) => one.ordinal === ordinal)?.faceId ?? null,
  );
  return { faceIds, newFaces };
}

const groupOf = (mediaId: number, detector: string, version: string): string => `${mediaId} ${detector}@${version}`;

async function storedFaces(tx: Transaction, faces: readonly FaceToPlace[]): Promise<Map<string, StoredFace[]>> {
  const found = await tx.read(
    row({
      faceId: integer,
      mediaId: integer,
      detector: text,
      detectorVersion: text,
      ordinal: integer,
      boxX: integer,
      boxY: integer,
      boxWidth: integer,
      boxHeight: integer,
    }),
    `select face_id, media_id, detector, detector_version, ordinal, box_x, box_y, box_width, box_height
       from face where media_id = any($1::bigint[])`,
    [[...new Set(faces.map((one) => one.mediaId))]],
  );
  const groups = new Map<string, StoredFace[]>();
  for (const { faceId, ordinal, boxX, boxY, boxWidth, boxHeight, ...of } of found) {
    const group = groupOf(of.mediaId, of.detector, of.detectorVersion);
    const box = { x: boxX, y: boxY, width: boxWidth, height: boxHeight };
    groups.set(group, [...(groups.get(group) ?? []), { faceId, ordinal, box }]);
  }
  return groups;
}

function bestOverlap(stored: readonly StoredFace[], box: Box): StoredFace | null {
  let best: StoredFace | null = null;
  let most = SAME_FACE_OVERLAP;
  for (const one of stored) {
    const overlap = intersectionOverUnion(one.box, box);
    if (overlap < most) continue;
    best = one;
    most = overlap;
  }
  return best;
}

function intersectionOverUnion(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  return (width * height) / (a.width * a.height + b.width * b.height - width * height);
}

async function insertFaces(tx: Transaction, faces: readonly (FaceToPlace & { ordinal: number })[]): Promise<number> {
  const column = <T>(of: (face: Face) => T): T[] => faces.map((one) => of(one.face));
  return await tx.execute(
    `insert into face (media_id, detector, detector_version, ordinal, box_x, box_y, box_width, box_height, landmarks, detection_score,
                       eye_distance_pixels, sharpness, yaw_degrees, pitch_degrees, roll_degrees, quality)
     select * from unnest($1::bigint[], $2::text[], $3::text[], $4::smallint[], $5::int[], $6::int[], $7::int[], $8::int[], $9::bytea[],
                          $10::real[], $11::real[], $12::real[], $13::real[], $14::real[], $15::real[], $16::smallint[])
     on conflict do nothing`,
    [
      faces.map((one) => one.mediaId),
      column((face) => face.detector),
      column((face) => face.detectorVersion),
      faces.map((one) => one.ordinal),
      column((face) => face.box.x),
      column((face) => face.box.y),
      column((face) => face.box.width),
      column((face) => face.box.height),
      column((face) => landmarkBytes(face.landmarks)),
      column((face) => face.detectionScore),
      column((face) => face.eyeDistancePixels),
      column((face) => face.sharpness),
      column((face) => face.pose.yawDegrees),
      column((face) => face.pose.pitchDegrees),
      column((face) => face.pose.rollDegrees),
      column((face) => face.quality),
    ],
  );
}

const LANDMARKS = 68;

/** Null unless all were placed: a part of them says nothing. */
function landmarkBytes(landmarks: Face['landmarks']): Uint8Array | null {
  if (landmarks.length !== LANDMARKS) return null;
  return new Uint8Array(Int32Array.from(landmarks.flat()).buffer);
}
