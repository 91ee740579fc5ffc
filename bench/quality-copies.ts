import { readFileSync } from 'node:fs';
import { COPY_PARTS, partOutput } from '../schemas/constants.ts';
import type { EmbedPlan } from '../schemas/embedding.ts';
import type { PdqHash } from '../schemas/fingerprint.ts';
import { SHIPPED_PACKS } from '../workers/embed/test-packs.ts';
import { PictureHasher } from '../workers/hash/picture-hasher.ts';
import { COPY_EDITS } from './copy-edits.ts';
import { type BenchOptions, judged } from './harness.ts';
import { calibrate, drawGroups, rateOf, rateText, type ScoredPair } from './quality-bounds.ts';
import {
  cosine,
  decodeBytes,
  type Models,
  percent,
  type QualityResult,
  readLabels,
  sharedFile,
  vectorOf,
} from './quality-kit.ts';
import { seededRandom } from './random.ts';

const PACK = SHIPPED_PACKS.copies;
const PLAN: EmbedPlan = { faceDetector: null, packs: [PACK], keypoints: false };
/** Every so many pictures are edited; all of them are searched. */
const QUERY_EVERY = 3;
/** Of PDQ, above which two pictures have nothing to do with each other; for ranking only. */
const HASH_ZERO_BITS = 96;
const PDQ_THRESHOLD_BITS = 31;
/** A flatter picture is ranked by its hash all the same, but matches nothing by it. */
const LEAST_QUALITY = 50;
/** See models/fusions/copies.json. */
const THRESHOLD = 0.97;
/** Of data/pdq, what is a picture of its own: the rest are edits of these. */
const PDQ_PICTURES = [
  'bridge-mods__aaa-orig.jpg',
  'misc-images__c.png',
  'misc-images__wee.jpg',
  'reg-test-input__exif-rotn__exif-rotn-1.jpg',
  'reg-test-input__labelme-subset__q0003.jpg',
  'reg-test-input__labelme-subset__q0122.jpg',
  'reg-test-input__labelme-subset__q0746.jpg',
  'reg-test-input__labelme-subset__q2821.jpg',
  'reg-test-input__pen-and-coaster.png',
];

interface Described {
  readonly parts: ReadonlyMap<string, Float32Array>;
  readonly pdq: readonly PdqHash[];
}

/** The 13 edits of every third picture of data/places and data/pdq, searched among all of them, by hashes and vectors together. */
export async function copiesQuality(models: Models, { say, quick }: BenchOptions): Promise<QualityResult> {
  const hasher = await PictureHasher.load();
  const describe = async (bytes: Buffer): Promise<Described> => {
    const decoded = await decodeBytes(bytes);
    const { vectors } = await models.describe(decoded, PLAN);
    const parts = COPY_PARTS.flatMap((part) => {
      const vector = vectorOf(vectors, PACK, partOutput('penultimate', part));
      return vector === undefined ? [] : [[part, vector] as const];
    });
    const { pdq } = hasher.hash(
      decoded.pixels,
      decoded.decodedWidthPixels,
      decoded.decodedHeightPixels,
      decoded.channels,
    );
    return { parts: new Map(parts), pdq };
  };
  const files = [
    ...readLabels().places.map(({ file }) => sharedFile(file)),
    ...PDQ_PICTURES.map((name) => sharedFile(`pdq/${name}`)),
  ];
  const gallery: { bytes: Buffer; described: Described }[] = [];
  for (const file of files) {
    const bytes = readFileSync(file);
    const described = await describe(bytes);
    // A flat picture has no vector, and no hash that is compared.
    if (described.parts.size > 0) gallery.push({ bytes, described });
  }
  say(`${gallery.length} pictures described`);
  const random = seededRandom(13);
  const rows: (string | number)[][] = [];
  const pairs: (ScoredPair & { readonly bits: number })[] = [];
  const hits: { readonly groupA: number; readonly groupB: number; readonly hit: boolean; readonly edit: string }[] = [];
  const draws = drawGroups(gallery.length);
  for (const [edit, make] of Object.entries(COPY_EDITS)) {
    for (let of = 0; of < gallery.length; of += quick ? 5 * QUERY_EVERY : QUERY_EVERY) {
      const [own, other] = [gallery[of], gallery[random.integer(0, gallery.length - 1)]];
      if (own === undefined || other === undefined) continue;
      const query = await describe(await make(own.bytes, other.bytes, random));
      const scores = gallery.map(({ described }, at) => {
        // The picture beside it in a collage is in there as well: neither right nor wrong.
        const score = vectorScore(query, described);
        return { at, score, bits: leastBits(query, described, true), near: leastBits(query, described, false) };
      });
      const otherAt = edit === 'collage' ? gallery.indexOf(other) : -1;
      const ranked = scores
        .filter(({ at }) => at === of || at !== otherAt)
        .toSorted((a, b) => together(b.score, b.near) - together(a.score, a.near));
      hits.push({ groupA: of, groupB: of, hit: ranked[0]?.at === of, edit });
      for (const { at, score, bits } of scores)
        if (at === of || at !== otherAt) pairs.push({ groupA: of, groupB: at, score, bits });
    }
    const rank = rateOf(
      hits.filter((one) => one.edit === edit),
      draws,
    );
    rows.push([edit, rateText(rank)]);
    say(`${edit}: ${percent(rank.rate)} %`);
  }
  const same = pairs.filter(({ groupA, groupB }) => groupA === groupB);
  const different = pairs.filter(({ groupA, groupB }) => groupA !== groupB);
  const rates = Object.keys(COPY_EDITS).map(
    (edit) =>
      rateOf(
        hits.filter((one) => one.edit === edit),
        draws,
      ).rate,
  );
  const found = pairs.filter(({ score, bits }) => score >= THRESHOLD || bits <= PDQ_THRESHOLD_BITS);
  const right = found.filter(({ groupA, groupB }) => groupA === groupB).length;
  const byVector = pairs.filter(({ score }) => score >= THRESHOLD);
  const rightByVector = byVector.filter(({ groupA, groupB }) => groupA === groupB).length;
  return {
    measures: [
      judged(
        'rank-1, mean of 13 edits, hashes and vectors',
        percent(rates.reduce((a, b) => a + b, 0) / rates.length),
        '%',
        '>=',
        95,
      ),
      judged('rank-1 of the worst edit', percent(Math.min(...rates)), '%', '>=', 70),
      judged('precision at the thresholds, hashes or vectors', percent(right / found.length), '%', '>=', 99),
    ],
    tables: [
      {
        title: `Edited copies: ${hits.length} edited pictures among ${gallery.length}; rank-1 of hashes and vectors together, bounds of 95 % resampled by picture`,
        columns: ['edit', 'rank-1'],
        rows,
      },
      {
        title: 'What the thresholds let through',
        columns: ['by', 'edited pictures found', 'of', 'wrong pairs', 'of different pairs'],
        rows: [
          [`vector >= ${THRESHOLD}`, rightByVector, same.length, byVector.length - rightByVector, different.length],
          [
            `vector >= ${THRESHOLD} or PDQ <= ${PDQ_THRESHOLD_BITS} bits`,
            right,
            same.length,
            found.length - right,
            different.length,
          ],
        ],
      },
    ],
    parameters: { pictures: gallery.length, edits: Object.keys(COPY_EDITS).length, queries: hits.length },
    notes: [
      'Pictures of one place taken a moment apart (the corridor) count as different pictures here, though a vector rightly finds them alike.',
      'For ranking, a PDQ distance below 96 bits adds to the cosine; a match needs 31 bits or less, or the vector alone at its threshold.',
    ],
    calibrations: {
      copies: calibrate(
        same,
        different,
        gallery.length,
        'data/places and data/pdq: 13 edits of every third picture against all of them. Benign public pictures; other material may be more alike.',
      ),
    },
  };
}

/** As the engine compares: whole with whole, centre with centre, and each part of one with the whole of the other. */
function vectorScore(a: Described, b: Described): number {
  const [wholeA, wholeB] = [a.parts.get('whole'), b.parts.get('whole')];
  if (wholeA === undefined || wholeB === undefined) return -1;
  const others = (of: Described, whole: Float32Array) =>
    [...of.parts].filter(([part]) => part !== 'whole').map(([, vector]) => cosine(vector, whole));
  const [centreA, centreB] = [a.parts.get('centre'), b.parts.get('centre')];
  const centres = centreA === undefined || centreB === undefined ? -1 : cosine(centreA, centreB);
  return Math.max(cosine(wholeA, wholeB), centres, ...others(a, wholeB), ...others(b, wholeA));
}

function leastBits(query: Described, known: Described, gated: boolean): number {
  let least = 256;
  for (const own of query.pdq) {
    const other = known.pdq.find(({ flavour }) => flavour === own.flavour);
    if (other === undefined || (gated && Math.min(own.quality, other.quality) < LEAST_QUALITY)) continue;
    for (const hex of own.dihedral) least = Math.min(least, distanceBits(hex, other.hex));
  }
  return least;
}

function distanceBits(a: string, b: string): number {
  let bits = 0;
  let differing = BigInt(`0x${a}`) ^ BigInt(`0x${b}`);
  for (; differing > 0n; differing &= differing - 1n) bits += 1;
  return bits;
}

function together(score: number, bits: number): number {
  return score + Math.max(0, (HASH_ZERO_BITS - bits) / HASH_ZERO_BITS);
}
