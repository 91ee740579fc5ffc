import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { findCandidates } from '../engine/candidates/find.ts';
import { placePairs } from '../engine/candidates/place-pairs.ts';
import { vectorPairs } from '../engine/candidates/vector-pairs.ts';
import { modelMethods, type SearchedMethod } from '../engine/match/model-methods.ts';
import type { PlaceMethod } from '../engine/match/model-pictures.ts';
import { openVectorSearch } from '../engine/search/vector-open.ts';
import { openEmbedded } from '../engine/store/adapters/pglite.ts';
import type { Db } from '../engine/store/db.ts';
import { openBatch } from '../engine/store/queries/batch.ts';
import { openSpaces, spacesOfManifest } from '../engine/store/queries/embedding-spaces.ts';
import { recordEmbeddings } from '../engine/store/queries/record-embeddings.ts';
import { recordItems } from '../engine/store/queries/record-items.ts';
import { readFusions } from '../models/registry/fusions.ts';
import { MOST_KEYPOINTS } from '../schemas/embedding.ts';
import { PIPELINE_VERSION } from '../schemas/fingerprint.ts';
import type { ModelPackManifest } from '../schemas/model-pack.ts';
import { sharedData } from '../test/shared-data.ts';
import {
  countedCalibration,
  facePairScores,
  geometryScores,
  type MediaPair,
  rememberedGeometry,
} from './candidate-scores.ts';
import { type EmbeddedPicture, embeddedPictures, filesBelow } from './embedded-pictures.ts';
import { type Bench, type BenchOptions, type BenchResult, figure, judged, median, NotAvailable } from './harness.ts';
import { seededRandom } from './random.ts';

/** Labels are dealt into so many parts: what the scores are worth is counted without the part whose proposals are judged. */
const PARTS = 6;
const RESAMPLES = 1000;
const SEED = 20_261_124;
const GROUP = 100;
const LEAST_FACE_SCORE = 0.7;

const Labels = Type.Object({
  faces: Type.Array(Type.Object({ file: Type.String(), label: Type.String() })),
  places: Type.Array(Type.Object({ file: Type.String(), label: Type.String(), placeKind: Type.String() })),
});
interface Label {
  readonly name: string;
  readonly kind: 'face' | 'place';
  /** A frame of the walk through one corridor: frames apart are not told apart as places by anybody. */
  readonly corridor: boolean;
  readonly part: number;
}

interface Ground {
  readonly db: Db;
  readonly mediaIds: readonly number[];
  readonly labels: ReadonlyMap<number, Label>;
  readonly face: SearchedMethod;
  readonly place: SearchedMethod<PlaceMethod>;
  /** The same with the calibrations that ship, which were counted on these very labels. */
  readonly shipped: Pick<Ground, 'face' | 'place'>;
}

const FACE_POINTS = Array.from({ length: 60 }, (_, at) => LEAST_FACE_SCORE + at / 200);
const INLIER_POINTS = [6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 20, 25, 30].map((inliers) => inliers / MOST_KEYPOINTS);

async function run({ quick, say }: BenchOptions): Promise<BenchResult> {
  const folder = sharedData('data');
  if (folder === undefined) throw new NotAvailable('../shared/data', 'the bench needs the labelled pictures');
  const labelled = readLabels(folder);
  const others = filesBelow(folder).filter((file) => !labelled.has(file));
  const files = [...labelled.keys(), ...(quick ? others.filter((_, at) => at % 10 === 0) : others)];
  const { manifests, pictures } = await embeddedPictures(folder, files, say);
  const databaseFolder = mkdtempSync(path.join(tmpdir(), 'hw-bench-'));
  try {
    const db = await openEmbedded({ dataFolder: databaseFolder });
    try {
      return await measure(await record(db, manifests, pictures, labelled), pictures.length, say);
    } finally {
      await db.close();
    }
  } finally {
    rmSync(databaseFolder, { recursive: true, force: true });
  }
}

function readLabels(folder: string): Map<string, Label> {
  const parsed: unknown = JSON.parse(readFileSync(path.join(folder, 'labels.json'), 'utf8'));
  if (!Compile(Labels).Check(parsed))
    throw new Error('expected faces and places in labels.json, received something else');
  const names = [...new Set([...parsed.faces, ...parsed.places].map(({ label }) => label))].sort();
  const partOf = new Map(names.map((name, at) => [name, at % PARTS]));
  const labelOf = (name: string, kind: Label['kind'], corridor: boolean): Label => ({
    name,
    kind,
    corridor,
    part: partOf.get(name) ?? 0,
  });
  return new Map([
    ...parsed.faces.map(({ file, label }) => [file, labelOf(label, 'face', false)] as const),
    ...parsed.places.map(
      ({ file, label, placeKind }) => [file, labelOf(label, 'place', placeKind === 'sequence')] as const,
    ),
  ]);
}

async function record(
  db: Db,
  manifests: readonly ModelPackManifest[],
  pictures: readonly EmbeddedPicture[],
  labelled: ReadonlyMap<string, Label>,
): Promise<Ground> {
  const { batchId } = await openBatch(db, {
    identity: Buffer.alloc(32, 1),
    caseRef: 'bench',
    exhibitRef: '',
    organisation: 'bench',
    actor: 'bench',
    mode: 'exact',
    roots: ['data'],
    pipelineVersion: PIPELINE_VERSION,
    startedAt: new Date().toISOString(),
  });
  const spaces = await openSpaces(db, manifests.flatMap(spacesOfManifest));
  const labels = new Map<number, Label>();
  const mediaIds = new Set<number>();
  for (let at = 0; at < pictures.length; at += GROUP) {
    const group = pictures.slice(at, at + GROUP);
    await db.transaction(async (tx) => {
      const recorded = await recordItems(
        tx,
        batchId,
        { mode: 'exact', searchedChangeId: 0 },
        group.map(({ examination }, place) => {
          const pathKey = Buffer.alloc(32);
          pathKey.writeUInt32BE(at + place);
          return {
            pathKey,
            path: Buffer.from(`/${at + place}`),
            containerPathKey: null,
            modifiedAt: null,
            examination,
          };
        }),
      );
      const rows = group.flatMap(({ file, embedding }, place) => {
        const mediaId = recorded.mediaIds[place] ?? null;
        if (mediaId === null) return [];
        const label = labelled.get(file);
        if (label !== undefined) labels.set(mediaId, label);
        if (mediaIds.has(mediaId)) return [];
        mediaIds.add(mediaId);
        return [{ mediaId, profile: Buffer.alloc(32), embedding }];
      });
      await recordEmbeddings(tx, rows);
    });
  }
  const methods = modelMethods({ manifests, spaces, fusions: await readFusions() });
  const [face, place] = [methods.face[0], methods.place[0]];
  if (face === undefined || place === undefined)
    throw new Error('expected a score of faces and one of places among those that ship');
  return {
    db,
    mediaIds: [...mediaIds].sort((a, b) => a - b),
    labels,
    face,
    place,
    shipped: { face, place },
  };
}

/** Pairs of a label's media that stand in one proposal. */
interface Tally {
  readonly label: Label;
  readonly pairs: number;
  found: number;
  wrong: number;
  corridor: number;
}

interface Variant {
  readonly name: string;
  readonly places: boolean;
  readonly leastInliers: number;
  readonly calibration: 'counted' | 'shipped';
}

async function measure(ground: Ground, files: number, say: (text: string) => void): Promise<BenchResult> {
  const { db, labels, mediaIds } = ground;
  const search = openVectorSearch(db);
  const compare = rememberedGeometry();
  try {
    const faceScores = await facePairScores(db, search, ground.face, LEAST_FACE_SCORE);
    const placeScores = await geometryScores(db, search, ground.place, mediaIds, compare);
    const variants: Variant[] = [
      { name: 'as shipped: 11 inliers', places: true, leastInliers: 11, calibration: 'counted' },
      { name: '10 inliers', places: true, leastInliers: 10, calibration: 'counted' },
      { name: '12 inliers', places: true, leastInliers: 12, calibration: 'counted' },
      { name: '15 inliers', places: true, leastInliers: 15, calibration: 'counted' },
      { name: 'hashes and faces alone', places: false, leastInliers: 0, calibration: 'counted' },
      { name: 'calibrations that ship, 11 inliers', places: true, leastInliers: 11, calibration: 'shipped' },
    ];
    const rows: (string | number)[][] = [];
    const seconds: number[] = [];
    let shipped: { tallies: Tally[]; unrelated: number } | null = null;
    for (const variant of variants) {
      const tallies = tally(labels);
      let unrelated = 0;
      for (let part = 0; part < PARTS; part += 1) {
        say(`${variant.name}: part ${part + 1} of ${PARTS}`);
        const { face, place } =
          variant.calibration === 'shipped' ? ground.shipped : calibrated(ground, faceScores, placeScores, part);
        await db.execute('delete from candidate_series');
        const started = performance.now();
        const { media } = await findCandidates(db, {}, [
          vectorPairs({ db, search, kind: 'face', searched: face }),
          ...(variant.places
            ? [
                placePairs({
                  db,
                  search,
                  searched: place,
                  compare: async (own, candidates) => candidates.map((other) => compare(own, other)),
                  leastInliers: variant.leastInliers,
                }),
              ]
            : []),
        ]);
        if (media !== mediaIds.length)
          throw new Error(`expected ${mediaIds.length} unmatched media, received ${media}`);
        seconds.push((performance.now() - started) / 1000);
        unrelated += (await judge(db, labels, part, tallies)) / PARTS;
      }
      shipped ??= { tallies, unrelated };
      const { precision, strict, recall } = ratesOf(tallies);
      rows.push([variant.name, recall, precision, strict, sum(tallies, 'wrong'), sum(tallies, 'corridor')]);
    }
    if (shipped === null) throw new Error('expected a variant');
    const { tallies, unrelated } = shipped;
    const { precision, strict, recall } = ratesOf(tallies);
    const of = (kind: Label['kind']) => ratesOf(tallies.filter(({ label }) => label.kind === kind)).recall;
    return {
      measures: [
        judged('pairwise precision', precision, '', '>=', 0.98),
        judged('pairwise recall', recall, '', '>=', 0.8),
        figure('recall of faces', of('face'), ''),
        figure('recall of places', of('place'), ''),
        figure('precision where two frames of the corridor walk count as wrong', strict, ''),
        figure('one search over all, geometry remembered, median', median(seconds), 's'),
      ],
      tables: [
        {
          title: 'By what a pair of places needs',
          columns: ['variant', 'recall', 'precision', 'corridor as wrong', 'wrong pairs', 'corridor pairs'],
          rows: rows.map((row) => row.map((cell) => (typeof cell === 'number' ? Number(cell.toPrecision(3)) : cell))),
        },
        {
          title: 'Bounds of 95 %, resampled by label',
          columns: ['rate', 'lower', 'upper'],
          rows: (['recall', 'precision'] as const).map((rate) => [rate, ...bounds(tallies, rate)]),
        },
      ],
      parameters: {
        pictures: files,
        media: mediaIds.length,
        labelledMedia: labels.size,
        labels: tallies.length,
        rightPairs: tallies.reduce((all, { pairs }) => all + pairs, 0),
        foundPairs: sum(tallies, 'found'),
        parts: PARTS,
      },
      notes: [
        `Every other picture of ../shared/data is mixed in as unrelated; a pair of one of them with a labelled picture is wrong. Pairs of two of them (${Math.round(unrelated)} in proposals) are not judged: many are copies of one test picture in another format.`,
        'What the scores of faces and geometry are worth is counted on the labels of five parts and judged on the sixth, six times over.',
        'The calibrations that ship were counted on all of these labels, so what they give here is no test of them.',
        'Two frames of the walk through one corridor that are labelled apart show one corridor a few steps on: they count neither as right nor as wrong, and as wrong in the figure that says so.',
      ],
    };
  } finally {
    await search.close();
  }
}

/** The methods with what their scores are worth without the labels of one part. */
function calibrated(
  ground: Ground,
  faceScores: readonly MediaPair[],
  placeScores: readonly MediaPair[],
  part: number,
): { face: SearchedMethod; place: SearchedMethod<PlaceMethod> } {
  const { labels, mediaIds } = ground;
  const kindOf = ({ a, b }: Pick<MediaPair, 'a' | 'b'>): boolean | null => {
    const [one, other] = [labels.get(a), labels.get(b)];
    if ((one ?? other) === undefined || one?.part === part || other?.part === part) return null;
    if (one?.name === other?.name) return true;
    return one?.corridor && other?.corridor ? null : false;
  };
  const totalOf = (kind: Label['kind'], present: ReadonlySet<number> | null) => {
    const totals = { same: 0, different: 0 };
    const all = mediaIds.filter((id) => present === null || present.has(id));
    for (const [at, a] of all.entries()) {
      for (const b of all.slice(at + 1)) {
        const same = kindOf({ a, b });
        if (same === true && labels.get(a)?.kind === kind) totals.same += 1;
        if (same === false) totals.different += 1;
      }
    }
    return totals;
  };
  const withFaces = new Set(faceScores.flatMap(({ a, b }) => [a, b]));
  const face = countedCalibration(faceScores, kindOf, totalOf('face', withFaces), FACE_POINTS);
  const place = countedCalibration(placeScores, kindOf, totalOf('place', null), INLIER_POINTS);
  return {
    face: { ...ground.face, method: { ...ground.face.method, calibration: face } },
    place: { ...ground.place, method: { ...ground.place.method, geometryCalibration: place } },
  };
}

function tally(labels: ReadonlyMap<number, Label>): Tally[] {
  const members = Map.groupBy(labels.values(), ({ name }) => name);
  return [...members.values()].flatMap((all) => {
    const [label] = all;
    return label === undefined
      ? []
      : [{ label, pairs: (all.length * (all.length - 1)) / 2, found: 0, wrong: 0, corridor: 0 }];
  });
}

/** Counts the pairs of a part's labels in the proposals; returns pairs of two unrelated pictures. */
async function judge(
  db: Db,
  labels: ReadonlyMap<number, Label>,
  part: number,
  tallies: readonly Tally[],
): Promise<number> {
  const pairs = await db.query<{ a: number; b: number }>(
    `select m.media_id as a, o.media_id as b from candidate_media m
       join candidate_media o on o.candidate_id = m.candidate_id and o.media_id > m.media_id`,
  );
  const tallyOf = new Map(tallies.map((one) => [one.label.name, one]));
  let unrelated = 0;
  for (const { a, b } of pairs) {
    const [one, other] = [labels.get(a), labels.get(b)];
    if (one === undefined && other === undefined) unrelated += 1;
    const judgedLabel = one?.part === part ? one : other?.part === part ? other : undefined;
    const counted = judgedLabel && tallyOf.get(judgedLabel.name);
    if (counted === undefined) continue;
    if (one?.name === other?.name) counted.found += 1;
    else if (one?.corridor && other?.corridor) counted.corridor += 1;
    else counted.wrong += 1;
  }
  return unrelated;
}

const sum = (tallies: readonly Tally[], of: 'found' | 'wrong' | 'corridor'): number =>
  tallies.reduce((all, one) => all + one[of], 0);

function ratesOf(tallies: readonly Tally[]): { precision: number; strict: number; recall: number } {
  const [found, wrong, corridor] = [sum(tallies, 'found'), sum(tallies, 'wrong'), sum(tallies, 'corridor')];
  return {
    precision: found / (found + wrong),
    strict: found / (found + wrong + corridor),
    recall: found / tallies.reduce((all, { pairs }) => all + pairs, 0),
  };
}

function bounds(tallies: readonly Tally[], rate: 'precision' | 'recall'): number[] {
  const random = seededRandom(SEED);
  const rates = Array.from({ length: RESAMPLES }, () => ratesOf(tallies.map(() => random.pick(tallies)))[rate])
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  return [0.025, 0.975].map((share) => Number((rates[Math.floor(share * rates.length)] ?? Number.NaN).toPrecision(3)));
}

export const bench: Bench = { name: 'candidate-series', run };
