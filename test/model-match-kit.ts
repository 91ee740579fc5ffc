import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { ModelRecorder } from '../engine/ingest/model-recorder.ts';
import type { FaceSearchGrounds } from '../engine/match/model-faces.ts';
import { modelMethods } from '../engine/match/model-methods.ts';
import { openVectorSearch } from '../engine/search/vector-open.ts';
import type { VectorSearch } from '../engine/search/vector-search.ts';
import type { Db } from '../engine/store/db.ts';
import { openSpaces, type SpaceKey } from '../engine/store/queries/embedding-spaces.ts';
import { integer, row } from '../engine/store/row-shape.ts';
import { COPY_PARTS, partOutput } from '../schemas/constants.ts';
import type { Embedding } from '../schemas/embedding.ts';
import type { ModelFusion, PackCalibration } from '../schemas/model-pack.ts';
import { addMedia, embeddingWith, faceWith, packVector, spaceKey } from './vector-kit.ts';

/** For tests of matching: pictures and faces with made-up vectors, recorded and matched as a scan does it. */

export const GROUNDS: FaceSearchGrounds = { authority: 'order 7/2026', necessity: 'a child is in danger' };
const DIMENSIONS = 16;
const PROFILE = Buffer.alloc(32, 5);

type CopyPart = (typeof COPY_PARTS)[number];
const COPY: SpaceKey = spaceKey({ packId: 'copy-pack', kind: 'copyEmbedding', dimensions: DIMENSIONS });
const FACE: SpaceKey = spaceKey({ packId: 'face-pack', kind: 'faceEmbedding', dimensions: DIMENSIONS });
const partKey = (part: CopyPart): SpaceKey => ({ ...COPY, output: partOutput(COPY.output, part) });
const KEYS = [FACE, ...COPY_PARTS.map(partKey)];

export const CALIBRATION: PackCalibration = {
  data: 'made up',
  identities: 1_000,
  samePairs: 10_000,
  differentPairs: 1_000_000,
  points: [{ score: 0.8, samePairs: 9_900, differentPairs: 0, falseMatchRateUpper95: 0.00001 }],
};

export const FUSIONS: readonly ModelFusion[] = (['copy', 'face'] as const).map((kind) => ({
  id: kind,
  kind,
  title: kind,
  parts: [{ pack: `${kind}-pack`, version: '1.0.0', output: 'embedding', weight: 1 }],
  thresholdSimilarity: 0.8,
  calibratedOn: 'nothing',
  calibration: CALIBRATION,
}));

/** A vector that is at right angles to that of every other scene. */
export function sceneVector(scene: number): Float32Array {
  assert.ok(scene < DIMENSIONS, `expected a scene below ${DIMENSIONS}`);
  return Float32Array.from({ length: DIMENSIONS }, (_, at) => (at === scene ? 1 : 0));
}

/** What the models say of a picture that shows these scenes, by part, and faces of these persons. */
export function seen(parts: Partial<Record<CopyPart, number>>, persons: readonly number[] = []): Embedding {
  const vectors = COPY_PARTS.flatMap((part) => {
    const scene = parts[part];
    return scene === undefined ? [] : [packVector(partKey(part), sceneVector(scene))];
  });
  return embeddingWith({
    vectors,
    facesFound: persons.length,
    faces: persons.map((person, at) =>
      faceWith([packVector(FACE, sceneVector(person))], {
        box: { x: 10 + at * 200, y: 20, width: 100, height: 120 },
        detectionScore: 0.9 - at / 100,
      }),
    ),
  });
}

export const sha256OfPicture = (name: string): string => createHash('sha256').update(name).digest('hex');

/** Records pictures as a scan's second stage does. Close it. */
export class PictureScan {
  readonly recorder: ModelRecorder;
  readonly #search: VectorSearch;
  readonly db: Db;

  private constructor(db: Db, search: VectorSearch, recorder: ModelRecorder) {
    this.db = db;
    this.#search = search;
    this.recorder = recorder;
  }

  /** @param around what the search is to be put into, such as one that has something done while it searches */
  static async open(db: Db, around: (search: VectorSearch) => VectorSearch = (search) => search): Promise<PictureScan> {
    const spaces = await openSpaces(db, KEYS);
    const search = around(openVectorSearch(db));
    const methods = modelMethods({ manifests: [], spaces, fusions: FUSIONS });
    const compare = async () => null;
    return new PictureScan(db, search, new ModelRecorder({ db, search, methods, compare, grounds: GROUNDS }, PROFILE));
  }

  /** A media of this name, not recorded by the models yet. */
  async media(name: string): Promise<number> {
    const [mediaId] = await addMedia(this.db, [name]);
    return mediaId ?? assert.fail('no media');
  }

  /** Records one picture and matches it. @returns its number */
  async scan(name: string, embedding: Embedding): Promise<number> {
    const mediaId = await this.media(name);
    await this.recorder.record([{ mediaId, sha256: sha256OfPicture(name), embedding }]);
    return mediaId;
  }

  /** Numbers of the evidence in force of a media. */
  async matches(mediaId: number): Promise<number[]> {
    const found = await this.db.read(
      row({ matchId: integer }),
      'select match_id from model_match where media_id = $1 and withdrawn_at is null order by match_id',
      [mediaId],
    );
    return found.map((one) => one.matchId);
  }

  async close(): Promise<void> {
    await this.#search.close();
  }
}
