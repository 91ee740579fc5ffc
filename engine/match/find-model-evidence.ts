import type { GeometryResult, Keypoints } from '../../schemas/embedding.ts';
import type { VectorHit, VectorSearch } from '../search/vector-search.ts';
import type { Db } from '../store/db.ts';
import { type EmbeddingSpace, spaceName } from '../store/queries/embedding-spaces.ts';
import { keypointsOf, type StoredVector, vectorsOfMedia } from '../store/queries/read-embeddings.ts';
import { integer, real, row } from '../store/row-shape.ts';
import { cameraEvidence, findCameraHits } from './model-camera.ts';
import type { ModelEvidence, VectorMethod } from './model-evidence.ts';
import { type FaceHit, type FaceSearchGrounds, faceEvidence } from './model-faces.ts';
import type { CopySearch, ModelMethods, SearchedMethod } from './model-methods.ts';
import { type CopyHit, copyEvidence, type PlaceHit, type PlaceMethod, placeEvidence } from './model-pictures.ts';

/** Hits of one vector that are looked at: a person or place with more pictures than this is found by the nearest of them. */
const MOST_HITS = 50;
/** The geometric check is made for so many of a picture's nearest places: what the reference figures were taken with. */
const PLACES_CHECKED = 15;

/** Hands keypoints to where pictures may be compared; in the order of the candidates, null where it cost its host. */
export type CompareKeypoints = (
  query: Keypoints,
  candidates: readonly Keypoints[],
) => Promise<readonly GeometryResult[] | null>;

export interface EvidenceSearch {
  readonly db: Db;
  readonly search: VectorSearch;
  readonly methods: ModelMethods;
  readonly compare: CompareKeypoints;
  /** Null: faces give no evidence. */
  readonly grounds: FaceSearchGrounds | null;
}

/** What the stored faces, vectors and capture metadata of these media say about the known series. Records nothing. */
export async function findModelEvidence(from: EvidenceSearch, mediaIds: readonly number[]): Promise<ModelEvidence[]> {
  if (mediaIds.length === 0) return [];
  const found: ModelEvidence[] = [];
  const { grounds } = from;
  if (grounds !== null)
    for (const method of from.methods.face) found.push(...(await facesOf(from, grounds, method, mediaIds)));
  for (const method of from.methods.copy) found.push(...(await copiesOf(from, method, mediaIds)));
  for (const method of from.methods.place) found.push(...(await placesOf(from, method, mediaIds)));
  const cameras = await findCameraHits(from.db, mediaIds);
  if (cameras.length > 0) found.push(...cameraEvidence(cameras, await countCameras(from.db)));
  return found;
}

/** One vector searched for, and what it found. */
interface Found {
  readonly mediaId: number;
  readonly faceId: number | null;
  readonly hits: readonly VectorHit[];
}

/** Looks for every face or picture of these media that has a vector in each space of the method, or in each of `own`. */
async function nearest(
  { db, search }: EvidenceSearch,
  { spaces, method }: SearchedMethod,
  mediaIds: readonly number[],
  own: readonly EmbeddingSpace[] = spaces.map(({ space }) => space),
): Promise<{ readonly found: Found[]; readonly gallery: number }> {
  const gallery = await search.size(spaces, 'gallery');
  if (gallery === 0) return { found: [], gallery };
  const stored = await Promise.all(own.map(async (space) => await vectorsOfMedia(db, space, mediaIds)));
  const keyOf = (one: StoredVector): string => `${one.mediaId} ${one.faceId ?? ''}`;
  const rest = stored.slice(1).map((of) => new Map(of.map((one) => [keyOf(one), one.vector])));
  const asked = (stored[0] ?? []).flatMap((one) => {
    const others = rest.map((of) => of.get(keyOf(one)));
    const vectors = [one.vector, ...others.filter((vector) => vector !== undefined)];
    return vectors.length === spaces.length ? [{ ...one, vectors }] : [];
  });
  if (asked.length === 0) return { found: [], gallery };
  const hits = await search.nearest(
    spaces,
    asked.map(({ vectors }) => vectors),
    {
      scope: 'gallery',
      limit: MOST_HITS,
      minimumSimilarity: method.thresholdSimilarity,
      exceptMediaIds: asked.map(({ mediaId }) => mediaId),
    },
  );
  const found = asked.map(({ mediaId, faceId }, at) => ({ mediaId, faceId, hits: hits[at] ?? [] }));
  return { found: found.filter((one) => one.hits.length > 0), gallery: await search.size(spaces, 'gallery') };
}

const similaritiesOf = (method: VectorMethod, hit: VectorHit): Record<string, number> =>
  Object.fromEntries(method.spaces.map(({ space }, at) => [space, hit.similarities[at] ?? Number.NaN]));

const FACE = row({
  faceId: integer,
  mediaId: integer,
  eyeDistancePixels: real,
  sharpness: real,
  yawDegrees: real,
  pitchDegrees: real,
});

async function facesOf(
  from: EvidenceSearch,
  grounds: FaceSearchGrounds,
  method: SearchedMethod,
  mediaIds: readonly number[],
): Promise<ModelEvidence[]> {
  const { found, gallery } = await nearest(from, method, mediaIds);
  if (found.length === 0) return [];
  const hitFaces = [...new Set(found.flatMap(({ hits }) => hits.map((hit) => hit.faceId)))].filter((id) => id !== null);
  const ownFaces = found.map(({ faceId }) => faceId).filter((id) => id !== null);
  const traits = new Map(
    (
      await from.db.read(
        FACE,
        `select face_id, media_id, eye_distance_pixels, sharpness, yaw_degrees, pitch_degrees
           from face where face_id = any($1::bigint[])`,
        [[...ownFaces, ...hitFaces]],
      )
    ).map((face) => [face.faceId, face]),
  );
  const subjects = Map.groupBy(
    await from.db.read(
      row({ faceId: integer, subjectId: integer, seriesId: integer }),
      `select g.face_id, s.subject_id, s.series_id from subject_face g join subject s on s.subject_id = g.subject_id
        where g.face_id = any($1::bigint[])`,
      [hitFaces],
    ),
    ({ faceId }) => faceId,
  );
  const counted = await from.db.read(
    row({ mediaId: integer, faces: integer }),
    'select media_id, count(*) as faces from face where media_id = any($1::bigint[]) group by media_id',
    [mediaIds],
  );
  const hits = found.flatMap(({ mediaId, faceId, hits: of }) =>
    of.flatMap((hit): FaceHit[] => {
      const [own, known] = [traits.get(faceId ?? -1), traits.get(hit.faceId ?? -1)];
      if (own === undefined || known === undefined) return [];
      return (subjects.get(known.faceId) ?? []).map(({ subjectId, seriesId }) => ({
        mediaId,
        faceId: own.faceId,
        traits: own,
        knownFaceId: known.faceId,
        knownMediaId: known.mediaId,
        knownTraits: known,
        seriesId,
        subjectId,
        similarities: similaritiesOf(method.method, hit),
      }));
    }),
  );
  const size = {
    galleryFaces: gallery,
    facesLookedFor: new Map(counted.map(({ mediaId, faces }) => [mediaId, faces])),
  };
  return faceEvidence(hits, method.method, size, grounds).evidence;
}

async function copiesOf(
  from: EvidenceSearch,
  { pairs, method }: CopySearch,
  mediaIds: readonly number[],
): Promise<ModelEvidence[]> {
  const found: (Found & Pick<CopyHit, 'compared'>)[] = [];
  let comparisons = 0;
  for (const { own, known } of pairs) {
    const of = await nearest(from, { spaces: [{ space: known, weight: 1 }], method }, mediaIds, [own]);
    const compared = { own: spaceName(own), known: spaceName(known) };
    found.push(...of.found.map((one) => ({ ...one, compared })));
    comparisons += of.gallery;
  }
  const known = [...new Set(found.flatMap(({ hits }) => hits.map((hit) => hit.mediaId)))];
  if (known.length === 0) return [];
  const series = Map.groupBy(
    await from.db.read(
      row({ mediaId: integer, seriesId: integer }),
      'select media_id, series_id from series_media where media_id = any($1::bigint[])',
      [known],
    ),
    ({ mediaId }) => mediaId,
  );
  const hits = found.flatMap(({ mediaId, compared, hits: of }) =>
    of.flatMap((hit): CopyHit[] =>
      (series.get(hit.mediaId) ?? []).map(({ seriesId }) => ({
        mediaId,
        knownMediaId: hit.mediaId,
        seriesId,
        compared,
        similarities: similaritiesOf(method, hit),
      })),
    ),
  );
  return copyEvidence(hits, method, comparisons);
}

async function placesOf(
  from: EvidenceSearch,
  method: SearchedMethod<PlaceMethod>,
  mediaIds: readonly number[],
): Promise<ModelEvidence[]> {
  const { found, gallery } = await nearest(from, method, mediaIds);
  const known = [...new Set(found.flatMap(({ hits }) => hits.map((hit) => hit.mediaId)))];
  if (known.length === 0) return [];
  const places = Map.groupBy(
    await from.db.read(
      row({ mediaId: integer, placeId: integer, seriesId: integer }),
      `select m.media_id, p.place_id, p.series_id from place_media m join place p on p.place_id = m.place_id
        where m.media_id = any($1::bigint[])`,
      [known],
    ),
    ({ mediaId }) => mediaId,
  );
  const keypoints = await keypointsOf(from.db, [...known, ...found.map(({ mediaId }) => mediaId)], 'rootsift/1');
  const hits: PlaceHit[] = [];
  for (const { mediaId, hits: of } of found) {
    const checked = of.filter((hit) => places.has(hit.mediaId)).slice(0, PLACES_CHECKED);
    const geometry = await geometryOf(from.compare, keypoints, mediaId, checked);
    for (const hit of checked) {
      for (const { placeId, seriesId } of places.get(hit.mediaId) ?? []) {
        hits.push({
          mediaId,
          knownMediaId: hit.mediaId,
          seriesId,
          placeId,
          similarities: similaritiesOf(method.method, hit),
          geometry: geometry.get(hit.mediaId) ?? null,
        });
      }
    }
  }
  return placeEvidence(hits, method.method, gallery);
}

async function geometryOf(
  compare: CompareKeypoints,
  keypoints: ReadonlyMap<number, Keypoints>,
  mediaId: number,
  hits: readonly VectorHit[],
): Promise<ReadonlyMap<number, GeometryResult>> {
  const own = keypoints.get(mediaId);
  const others = hits.flatMap((hit) => {
    const of = keypoints.get(hit.mediaId);
    return of === undefined ? [] : [{ mediaId: hit.mediaId, of }];
  });
  if (own === undefined || others.length === 0) return new Map();
  const results = await compare(
    own,
    others.map(({ of }) => of),
  );
  const found = new Map<number, GeometryResult>();
  for (const [at, { mediaId: other }] of others.entries()) {
    const result = results?.[at];
    if (result !== undefined) found.set(other, result);
  }
  return found;
}

async function countCameras(db: Db): Promise<number> {
  const [counted] = await db.read(row({ cameras: integer }), 'select count(*) as cameras from camera');
  return counted?.cameras ?? 0;
}
