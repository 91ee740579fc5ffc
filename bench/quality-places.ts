import { readFileSync } from 'node:fs';
import { rerankPlaces } from '../engine/match/place-rerank.ts';
import type { EmbedPlan, GeometryResult, Keypoints } from '../schemas/embedding.ts';
import { MOST_KEYPOINTS } from '../schemas/embedding.ts';
import { greyPicture, lookedAtPicture } from '../workers/embed/looked-at-picture.ts';
import { SHIPPED_PACKS } from '../workers/embed/test-packs.ts';
import { compareGeometry } from '../workers/geometry/compare-geometry.ts';
import { extractKeypoints, KEYPOINT_SIDE_PIXELS } from '../workers/geometry/extract-keypoints.ts';
import { type BenchOptions, judged } from './harness.ts';
import { calibrate, drawGroups, type Rate, rateOf, rateText, type ScoredPair } from './quality-bounds.ts';
import {
  cosine,
  decodeBytes,
  type LabelledPlace,
  type Models,
  percent,
  type QualityResult,
  readLabels,
  sharedFile,
  vectorOf,
} from './quality-kit.ts';

const PACK = SHIPPED_PACKS.places;
const PLAN: EmbedPlan = { faceDetector: null, packs: [PACK], keypoints: false };
/** See models/fusions/places.json. */
const WEIGHTS = [
  { output: 'block13', weight: 1 },
  { output: 'penultimate', weight: 0.5 },
  { output: 'colour', weight: 0.25 },
] as const;
const RERANKED = 15;

interface Place extends LabelledPlace {
  readonly vectors: readonly Float32Array[];
  readonly keypoints: Keypoints;
}

/** same, other, or left out: another frame of the same walk, which shows the same corridor from some steps on. */
type Relation = 'same' | 'other' | 'leftOut';

/** Finding the same place from another viewpoint in data/places, before and after the geometric check. */
export async function placesQuality(models: Models, { say }: BenchOptions): Promise<QualityResult> {
  const places: Place[] = [];
  for (const place of readLabels().places) {
    const decoded = await decodeBytes(readFileSync(sharedFile(place.file)));
    const { vectors } = await models.describe(decoded, PLAN);
    const { luma, widthPixels, heightPixels } = greyPicture(lookedAtPicture(decoded, 1), KEYPOINT_SIDE_PIXELS);
    places.push({
      ...place,
      vectors: WEIGHTS.flatMap(({ output }) => vectorOf(vectors, PACK, output) ?? []),
      keypoints: extractKeypoints(luma, widthPixels, heightPixels),
    });
  }
  say(`${places.length} pictures described`);
  const labels = [...new Set(places.map(({ label }) => label))];
  const draws = drawGroups(labels.length);
  const groupOf = ({ label }: Place): number => labels.indexOf(label);
  const geometries = new Map<string, GeometryResult>();
  const geometry = (a: Place, b: Place): GeometryResult => {
    const key = [a.file, b.file].sort().join(' ');
    const found = geometries.get(key) ?? compareGeometry(a.keypoints, b.keypoints);
    geometries.set(key, found);
    return found;
  };
  const rankings = (strict: boolean) => {
    const relation = strict ? strictRelation : relationOf;
    const queries = places.filter((query) =>
      places.some((other) => other !== query && relation(query, other) === 'same'),
    );
    const ranked = queries.map((query) => {
      const candidates = places
        .filter((other) => other !== query && relation(query, other) !== 'leftOut')
        .map((other) => ({ other, similarity: similarityOf(query, other), geometry: null as GeometryResult | null }))
        .toSorted((a, b) => b.similarity - a.similarity);
      const top = candidates.slice(0, RERANKED).map((one) => ({ ...one, geometry: geometry(query, one.other) }));
      const isRight = ({ other }: { readonly other: Place }) => relation(query, other) === 'same';
      return {
        query,
        before: candidates.map(isRight),
        after: [...rerankPlaces(top), ...candidates.slice(RERANKED)].map(isRight),
      };
    });
    const rate = (when: 'before' | 'after', within: number, of = ranked): Rate =>
      rateOf(
        of.map((one) => ({
          groupA: groupOf(one.query),
          groupB: groupOf(one.query),
          hit: one[when].slice(0, within).some(Boolean),
        })),
        draws,
      );
    const mAP = (when: 'before' | 'after'): number =>
      ranked.reduce((sum, one) => sum + averagePrecision(one[when]), 0) / ranked.length;
    return { rate, mAP, ranked };
  };
  const main = rankings(false);
  const strict = rankings(true);
  const rows = (
    [
      ['vectors', 'before'],
      [`the first ${RERANKED} checked by geometry`, 'after'],
    ] as const
  ).flatMap(([name, when]) =>
    (
      [
        ['', main],
        [', other frames of the same walk counted as wrong', strict],
      ] as const
    ).map(([rule, of]) => [
      `${name}${rule}`,
      rateText(of.rate(when, 1)),
      rateText(of.rate(when, 5)),
      `${percent(of.mAP(when))} %`,
    ]),
  );
  const kinds = [...new Set(main.ranked.map(({ query }) => query.placeKind))].map((kind) => [
    kind,
    rateText(
      main.rate(
        'after',
        1,
        main.ranked.filter(({ query }) => query.placeKind === kind),
      ),
    ),
  ]);
  const pairs = allPairs(places);
  const scored = (score: (a: Place, b: Place) => number, relation: Relation): ScoredPair[] =>
    pairs
      .filter(([a, b]) => relationOf(a, b) === relation)
      .map(([a, b]) => ({ groupA: groupOf(a), groupB: groupOf(b), score: score(a, b) }));
  const inliers = (a: Place, b: Place): number => geometry(a, b).fundamentalInliers / MOST_KEYPOINTS;
  const data =
    'data/places: 112 pictures of rooms, landmarks, streets and one corridor. Pairs of frames of one walk through the corridor are left out.';
  return {
    measures: [
      judged('R@1 after re-ranking', percent(main.rate('after', 1).rate), '%', '>=', 84),
      judged('R@5 after re-ranking', percent(main.rate('after', 5).rate), '%', '>=', 90),
      judged('mAP after re-ranking', percent(main.mAP('after')), '%', '>=', 82),
    ],
    tables: [
      {
        title: `Places: ${main.ranked.length} queries among ${places.length} pictures of ${labels.length} places; bounds of 95 % resampled by place`,
        columns: ['ranking', 'R@1', 'R@5', 'mAP'],
        rows,
      },
      { title: 'R@1 after re-ranking, by kind', columns: ['kind', 'R@1'], rows: kinds },
    ],
    parameters: { pictures: places.length, queries: main.ranked.length, reranked: RERANKED },
    notes: [
      'The corridor is one walk filmed twice. As in the set it comes from, a frame is looked for in the other walk; the frames of its own walk, which show the same corridor some steps on, are left out. Frames up to two apart are the same place. The rows that count the own walk as wrong are there for comparison.',
    ],
    calibrations: {
      places: calibrate(scored(similarityOf, 'same'), scored(similarityOf, 'other'), labels.length, data),
      'place-geometry': calibrate(
        scored(inliers, 'same'),
        scored(inliers, 'other'),
        labels.length,
        `${data} Score: inliers of a fundamental matrix / ${MOST_KEYPOINTS}.`,
      ),
    },
  };
}

function relationOf(a: Place, b: Place): Relation {
  const strict = strictRelation(a, b);
  return strict === 'other' && a.placeKind === 'sequence' && b.placeKind === 'sequence' && a.role === b.role
    ? 'leftOut'
    : strict;
}

function strictRelation(a: Place, b: Place): Relation {
  if (a.label === b.label) return 'same';
  if (a.placeKind !== 'sequence' || b.placeKind !== 'sequence') return 'other';
  const apart = Math.abs((a.frame ?? 0) - (b.frame ?? 0));
  return a.role !== b.role && apart <= (a.positiveTolerance ?? 0) ? 'same' : 'other';
}

function similarityOf(a: Place, b: Place): number {
  let [sum, total] = [0, 0];
  for (const [at, { weight }] of WEIGHTS.entries()) {
    const [x, y] = [a.vectors[at], b.vectors[at]];
    if (x === undefined || y === undefined) return -1;
    sum += weight * cosine(x, y);
    total += weight;
  }
  return sum / total;
}

function averagePrecision(right: readonly boolean[]): number {
  let [found, sum] = [0, 0];
  for (const [at, hit] of right.entries()) {
    if (!hit) continue;
    found += 1;
    sum += found / (at + 1);
  }
  return found === 0 ? 0 : sum / found;
}

function allPairs<T>(of: readonly T[]): (readonly [T, T])[] {
  return of.flatMap((a, at) => of.slice(at + 1).map((b) => [a, b] as const));
}
