import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type Random, seededRandom } from '../bench/random.ts';
import type { Db } from '../engine/store/db.ts';
import type { SpaceKey } from '../engine/store/queries/embedding-spaces.ts';
import { integer, row } from '../engine/store/row-shape.ts';
import type { Embedding, Face, PackVector } from '../schemas/embedding.ts';

/** For tests and benches of vectors: synthetic ones in clusters, and what the models would say with them. */

/** Nearly normal, by the sum of four uniform numbers: near enough for directions of a hundred dimensions. */
function bell(random: Random): number {
  let sum = -2;
  for (let at = 0; at < 4; at += 1) sum += random.next();
  return sum;
}

export function unitVector(values: ArrayLike<number>): Float32Array {
  const length = Math.hypot(...Array.from(values));
  return Float32Array.from(values, (value) => value / length);
}

/**
 * Unit vectors round random centres, as those of persons or places are: two of one cluster have a cosine of about
 * 1 / (1 + spread^2), those of different ones about 0.
 */
export function* clusteredVectors(options: {
  readonly count: number;
  readonly dimensions: number;
  readonly clusters: number;
  readonly spread: number;
  readonly seed: number;
}): Generator<Float32Array> {
  const random = seededRandom(options.seed);
  const draw = (): Float32Array => {
    const values = new Float32Array(options.dimensions);
    for (let at = 0; at < values.length; at += 1) values[at] = bell(random);
    return normalised(values);
  };
  const centres = Array.from({ length: options.clusters }, draw);
  for (let at = 0; at < options.count; at += 1) {
    const centre = random.pick(centres);
    const values = draw();
    for (let place = 0; place < values.length; place += 1) {
      values[place] = (centre[place] ?? 0) + options.spread * (values[place] ?? 0);
    }
    yield normalised(values);
  }
}

function normalised(values: Float32Array): Float32Array {
  let squares = 0;
  for (const value of values) squares += value * value;
  const length = Math.sqrt(squares);
  for (let at = 0; at < values.length; at += 1) values[at] = (values[at] ?? 0) / length;
  return values;
}

/** Media of given contents, straight into the table. */
export async function addMedia(db: Db, names: readonly string[]): Promise<number[]> {
  const digests = (algorithm: string): Buffer[] => names.map((name) => createHash(algorithm).update(name).digest());
  const added = await db.read(
    row({ mediaId: integer }),
    `insert into media (sha256, sha1, md5, size_bytes, type)
     select sha256, sha1, md5, 1, 'image/jpeg' from unnest($1::bytea[], $2::bytea[], $3::bytea[]) as t(sha256, sha1, md5)
     returning media_id`,
    [digests('sha256'), digests('sha1'), digests('md5')],
  );
  assert.equal(added.length, names.length);
  return added.map((one) => one.mediaId).sort((a, b) => a - b);
}

export const spaceKey = (changes: Partial<SpaceKey> = {}): SpaceKey => ({
  packId: 'test-pack',
  packVersion: '1.0.0',
  output: 'embedding',
  kind: 'placeEmbedding',
  dimensions: 8,
  metric: 'cosine',
  ...changes,
});

export const packVector = (key: SpaceKey, vector: Float32Array, changes: Partial<PackVector> = {}): PackVector => ({
  pack: key.packId,
  version: key.packVersion,
  output: key.output,
  dimensions: vector.length,
  values: Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64'),
  ...changes,
});

export const faceWith = (vectors: PackVector[], changes: Partial<Face> = {}): Face => ({
  detector: 'test-detector',
  detectorVersion: '1.0.0',
  box: { x: 10, y: 20, width: 100, height: 120 },
  landmarks: Array.from({ length: 68 }, (_, at): [number, number] => [at, -at]),
  detectionScore: 0.9,
  eyeDistancePixels: 48,
  sharpness: 200,
  pose: { yawDegrees: 1, pitchDegrees: -2, rollDegrees: 3 },
  quality: 77,
  vectors,
  ...changes,
});

export const embeddingWith = (changes: Partial<Embedding> = {}): Embedding => ({
  outcome: 'done',
  reason: null,
  sha256: null,
  facesFound: null,
  faces: [],
  vectors: [],
  scores: [],
  keypoints: null,
  provider: 'cpu',
  stepMs: [],
  ...changes,
});
