import { KEYPOINT_BYTES } from '../../../schemas/constants.ts';
import type { Embedding, PackVector } from '../../../schemas/embedding.ts';
import { CopyEncoder } from '../binary-copy.ts';
import { storableText, type Transaction } from '../db.ts';
import { bytes, integer, row } from '../row-shape.ts';
import { type EmbeddingSpace, listSpaces, spaceName } from './embedding-spaces.ts';
import { type FaceToPlace, placeFaces } from './place-faces.ts';
import { holdSeries } from './series-turn.ts';
import { vectorFromBase64, vectorProblem, vectorToBinary } from './vector-values.ts';

/** What the models said of one media. */
export interface NewEmbedding {
  readonly mediaId: number;
  /** 32 bytes; see embedding_run. */
  readonly profile: Uint8Array;
  readonly embedding: Embedding;
}

/** Something that was not stored, though the rest of its media was. */
export interface RefusedPart {
  readonly mediaId: number;
  /** Such as `dlib-128@1.0.0/embedding of face 3`, or `keypoints`. */
  readonly part: string;
  readonly problem: string;
}

export interface RecordedEmbeddings {
  /** Media and profile that are recorded now and were not, or only as worse (a failure gives way to a success). */
  readonly runs: number;
  readonly faces: number;
  readonly vectors: number;
  readonly keypoints: number;
  readonly refused: readonly RefusedPart[];
}

interface VectorToStore {
  readonly space: EmbeddingSpace;
  readonly vector: Float32Array;
}

interface Checked extends NewEmbedding {
  /** By number of the face. */
  readonly faceVectors: readonly (readonly VectorToStore[])[];
  readonly pictureVectors: readonly VectorToStore[];
  readonly keypoints: Buffer | null;
  readonly refused: readonly RefusedPart[];
}

/**
 * Records what the models said of a group of media, in the caller's transaction and without adding anything that is there: the same
 * media and profile again writes nothing. Vectors are checked once more; one that has the wrong length, is not finite, not of length 1,
 * or belongs to no space is left out, and its media is recorded as partial with the reason.
 * The spaces must have been opened (openSpaces).
 */
export async function recordEmbeddings(tx: Transaction, rows: readonly NewEmbedding[]): Promise<RecordedEmbeddings> {
  // What becomes known meanwhile would not be in the gallery: each of the two would miss what the other has not committed.
  await holdSeries(tx);
  const spaces = new Map((await listSpaces(tx)).map((space) => [spaceName(space), space]));
  // In one order for everybody, so that two scans of the same contents do not wait for each other in a circle.
  const checked = rows.map((one) => check(one, spaces)).sort((a, b) => a.mediaId - b.mediaId);
  const fresh = await upsertRuns(tx, checked);
  const { faceIds, newFaces } = await placeFaces(tx, facesOf(fresh));
  const vectors = await storeVectors(tx, fresh, faceIds);
  const keypoints = await insertKeypoints(tx, fresh);
  await upsertScores(tx, fresh);
  const noRoom = facesOf(fresh).flatMap(({ mediaId }, at) =>
    faceIds[at] === null
      ? [{ mediaId, part: 'face', problem: 'expected at most 64 faces of all profiles together' }]
      : [],
  );
  const refused = [...fresh.flatMap((one) => one.refused), ...noRoom];
  return { runs: fresh.length, faces: newFaces, vectors, keypoints, refused };
}

function check(one: NewEmbedding, spaces: ReadonlyMap<string, EmbeddingSpace>): Checked {
  const refused: RefusedPart[] = [];
  const refuse = (part: string, problem: string): void => {
    refused.push({ mediaId: one.mediaId, part, problem });
  };
  const storable = (vectors: readonly PackVector[], ofFaces: boolean, suffix: string): VectorToStore[] =>
    vectors.flatMap(({ pack, version, output, dimensions, values }) => {
      const name = spaceName({ packId: pack, packVersion: version, output });
      const space = spaces.get(name);
      if (space === undefined || (space.kind === 'faceEmbedding') !== ofFaces) {
        refuse(name + suffix, 'expected an output of a pack whose space was opened for this, received another');
        return [];
      }
      const vector = vectorFromBase64(values);
      const problem =
        dimensions === space.dimensions
          ? vectorProblem(vector, space.dimensions)
          : `expected ${space.dimensions} dimensions, received ${dimensions}`;
      if (problem === null) return [{ space, vector }];
      refuse(name + suffix, problem);
      return [];
    });
  const { embedding } = one;
  return {
    ...one,
    faceVectors: embedding.faces.map((face, number) => storable(face.vectors, true, ` of face ${number}`)),
    pictureVectors: storable(embedding.vectors, false, ''),
    keypoints: checkKeypoints(embedding, refuse),
    refused,
  };
}

function checkKeypoints(embedding: Embedding, refuse: (part: string, problem: string) => void): Buffer | null {
  if (embedding.keypoints === null) return null;
  const data = Buffer.from(embedding.keypoints.data, 'base64');
  const expected = embedding.keypoints.count * KEYPOINT_BYTES;
  if (data.length === expected) return data;
  refuse('keypoints', `expected ${expected} bytes for ${embedding.keypoints.count} keypoints, received ${data.length}`);
  return null;
}

/** By how much is known then; a run gives way to one that ranks higher. */
const OUTCOME_RANK = ['failed', 'rejected', 'partial', 'done'] as const;

const outcomeOf = ({ embedding, refused }: Checked): (typeof OUTCOME_RANK)[number] => {
  if (embedding.outcome === 'done' && refused.length > 0) return 'partial';
  // A file of a kind that is not examined has no picture to embed, which is what rejected says here.
  return embedding.outcome === 'notExamined' ? 'rejected' : embedding.outcome;
};

function reasonOf({ embedding, refused }: Checked): { readonly code: string; readonly detail: string } | null {
  const [first] = refused;
  if (embedding.reason !== null || first === undefined) return embedding.reason;
  return { code: 'internal', detail: `${first.part}: ${first.problem}`.slice(0, 300) };
}

/** Those of the rows that were written now, by media; several of one media and profile count as one. */
async function upsertRuns(tx: Transaction, rows: readonly Checked[]): Promise<Checked[]> {
  const keyOf = (mediaId: number, profile: Uint8Array): string => `${mediaId} ${Buffer.from(profile).toString('hex')}`;
  const once = [...new Map(rows.map((one) => [keyOf(one.mediaId, one.profile), one])).values()];
  const reasons = once.map(reasonOf);
  const written = await tx.read(
    row({ mediaId: integer, profile: bytes }),
    `insert into embedding_run as r (media_id, profile, outcome, reason, reason_detail, faces_found, provider)
     select * from unnest($1::bigint[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::int[], $7::text[])
     on conflict (media_id, profile) do update
        set outcome = excluded.outcome, reason = excluded.reason, reason_detail = excluded.reason_detail,
            faces_found = excluded.faces_found, provider = excluded.provider
      where array_position($8::text[], r.outcome) < array_position($8::text[], excluded.outcome)
     returning media_id, profile`,
    [
      once.map((one) => one.mediaId),
      once.map((one) => one.profile),
      once.map(outcomeOf),
      reasons.map((reason) => reason?.code ?? null),
      reasons.map((reason) => (reason === null ? null : storableText(reason.detail))),
      once.map((one) => one.embedding.facesFound),
      once.map((one) => storableText(one.embedding.provider)),
      OUTCOME_RANK,
    ],
  );
  const fresh = new Set(written.map((one) => keyOf(one.mediaId, one.profile)));
  return once.filter((one) => fresh.has(keyOf(one.mediaId, one.profile)));
}

function facesOf(rows: readonly Checked[]): FaceToPlace[] {
  return rows.flatMap((one) => one.embedding.faces.map((face) => ({ mediaId: one.mediaId, face })));
}

const STAGE = { table: 'stage_vector', columns: ['face_id', 'media_id', 'space_ref', 'embedding'] } as const;
const CHUNK_BYTES = 1 << 20;

/**
 * Loads the vectors through a table of the connection: as text parameters 400 vectors of 816 values took 0.6 s on a server and 1.2 s
 * embedded, as binary COPY and from there on 0.06 s and 0.09 s. The table stays with the connection, so that the catalogue does
 * not grow by one with each group.
 */
async function storeVectors(
  tx: Transaction,
  rows: readonly Checked[],
  faceIds: readonly (number | null)[],
): Promise<number> {
  if (rows.every((one) => one.pictureVectors.length === 0 && one.faceVectors.every((of) => of.length === 0))) return 0;
  await tx.script(
    `create temporary table if not exists stage_vector (face_id bigint, media_id bigint, space_ref smallint, embedding vector) on commit delete rows;
     truncate stage_vector;`,
  );
  await tx.copyIn(STAGE, stagedRows(rows, faceIds));
  // In the gallery from the start where the person or place is known already: a new pack's vectors take the place of those before.
  const faces = await tx.execute(
    `insert into face_vector (face_id, space_ref, embedding, in_gallery)
     select n.face_id, n.space_ref, n.embedding,
            exists (select from subject_face g where g.face_id = n.face_id)
            or exists (select from face_vector o where o.face_id = n.face_id and o.in_gallery)
       from stage_vector n where n.face_id is not null order by n.face_id, n.space_ref
     on conflict do nothing`,
  );
  const pictures = await tx.execute(
    `insert into picture_vector (media_id, space_ref, embedding, in_gallery)
     select n.media_id, n.space_ref, n.embedding,
            exists (select from series_media g where g.media_id = n.media_id)
            or exists (select from place_media g where g.media_id = n.media_id)
            or exists (select from picture_vector o where o.media_id = n.media_id and o.in_gallery)
       from stage_vector n where n.media_id is not null order by n.media_id, n.space_ref
     on conflict do nothing`,
  );
  return faces + pictures;
}

function* stagedRows(rows: readonly Checked[], faceIds: readonly (number | null)[]): Generator<Uint8Array> {
  const encoder = new CopyEncoder(CHUNK_BYTES);
  let faceNumber = 0;
  for (const { mediaId, faceVectors, pictureVectors } of rows) {
    for (const vectors of faceVectors) {
      const faceId = faceIds[faceNumber] ?? null;
      faceNumber += 1;
      if (faceId !== null) for (const one of vectors) stageRow(encoder, faceId, null, one);
    }
    for (const one of pictureVectors) stageRow(encoder, null, mediaId, one);
    if (encoder.sizeBytes >= CHUNK_BYTES) yield encoder.take();
  }
  if (encoder.sizeBytes > 0) yield encoder.take();
}

function stageRow(encoder: CopyEncoder, faceId: number | null, mediaId: number | null, one: VectorToStore): void {
  encoder.beginRow(4);
  for (const id of [faceId, mediaId]) {
    if (id === null) encoder.null();
    else encoder.int8(id);
  }
  encoder.int2(one.space.spaceRef);
  encoder.bytes(vectorToBinary(one.vector));
}

async function insertKeypoints(tx: Transaction, rows: readonly Checked[]): Promise<number> {
  const held = rows.flatMap(({ mediaId, keypoints, embedding }) =>
    keypoints === null || embedding.keypoints === null ? [] : [{ mediaId, keypoints, ...embedding.keypoints }],
  );
  return await tx.execute(
    `insert into picture_keypoints (media_id, algorithm, count, data)
     select * from unnest($1::bigint[], $2::text[], $3::smallint[], $4::bytea[]) on conflict do nothing`,
    [
      held.map((one) => one.mediaId),
      held.map((one) => one.algorithm),
      held.map((one) => one.count),
      held.map((one) => one.keypoints),
    ],
  );
}

async function upsertScores(tx: Transaction, rows: readonly Checked[]): Promise<void> {
  const scores = rows.flatMap(({ mediaId, embedding }) => embedding.scores.map((score) => ({ mediaId, ...score })));
  if (scores.length === 0) return;
  await tx.execute(
    `insert into picture_score (media_id, pack_id, pack_version, score)
     select * from unnest($1::bigint[], $2::text[], $3::text[], $4::real[])
     on conflict (media_id, pack_id) do update set pack_version = excluded.pack_version, score = excluded.score`,
    [
      scores.map((one) => one.mediaId),
      scores.map((one) => one.pack),
      scores.map((one) => one.version),
      scores.map((one) => one.score),
    ],
  );
}
