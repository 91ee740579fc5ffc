import type { Correspondences } from './correspondences.ts';
import { XorShift } from './random.ts';

/** What RANSAC has to know of a kind of model; a model is nine numbers, row by row. */
export interface ModelKind {
  readonly sampleSize: number;
  /** Zero or more models through a minimal sample. */
  readonly fromSample: (pairs: Correspondences, sample: Int32Array) => Float64Array[];
  /** Least squares over the pairs listed; undefined where they do not determine one. */
  readonly fromMany: (pairs: Correspondences, chosen: Int32Array) => Float64Array | undefined;
  /** Squared error of each pair into `errors`. */
  readonly measure: (pairs: Correspondences, model: Float64Array, errors: Float64Array) => void;
  /** Largest error of an inlier, in thousandths of the longer side. */
  readonly threshold: number;
  readonly mostDraws: number;
}

export interface Consensus {
  readonly model: Float64Array;
  readonly inliers: Int32Array;
}

const SEED = 0x1b873593;
const CONFIDENCE = 0.999;
/** After one improvement, and in all: refits are what costs most, and made-up keypoints could ask for thousands. */
const MOST_REFITS_AT_ONCE = 4;
const MOST_REFITS = 40;

/**
 * RANSAC (Fischler and Bolles 1981) that draws from the most distinctive pairs first (after PROSAC, Chum and Matas 2005), scores by truncated
 * squares (MSAC, Torr and Zisserman 2000) and refits on what it found whenever it is better than before (LO-RANSAC, Chum, Matas and Kittler 2003).
 * The seed is fixed, draws and refits are capped: the same pairs give the same answer, in a bounded time.
 */
export function findConsensus(kind: ModelKind, pairs: Correspondences): Consensus | undefined {
  const { count } = pairs;
  const { sampleSize, mostDraws } = kind;
  if (count < sampleSize + 1) return undefined;
  const random = new XorShift(SEED);
  const errors = new Float64Array(count);
  const limit = kind.threshold * kind.threshold;
  const sample = new Int32Array(sampleSize);
  let best: Float64Array | undefined;
  let bestCost = count;
  let drawsWanted = mostDraws;
  let refits = 0;
  const costOf = (model: Float64Array): number => {
    kind.measure(pairs, model, errors);
    let cost = 0;
    for (let i = 0; i < count; i++) {
      const part = (errors[i] ?? 0) / limit;
      cost += part < 1 ? part : 1;
    }
    return cost;
  };
  const inliersOf = (model: Float64Array): Int32Array => {
    kind.measure(pairs, model, errors);
    const inside: number[] = [];
    for (let i = 0; i < count; i++) if ((errors[i] ?? limit) < limit) inside.push(i);
    return Int32Array.from(inside);
  };
  for (let draw = 0; draw < drawsWanted; draw++) {
    // From the few most distinctive pairs at first, from all of them in the second half.
    const pool = Math.min(count, sampleSize + 1 + Math.floor((2 * draw * count) / mostDraws));
    for (let k = 0; k < sampleSize; ) {
      const index = random.below(pool);
      let isNew = true;
      for (let before = 0; before < k; before++) if (sample[before] === index) isNew = false;
      if (isNew) sample[k++] = index;
    }
    for (const model of kind.fromSample(pairs, sample)) {
      let cost = costOf(model);
      if (!(cost < bestCost)) continue;
      best = model;
      bestCost = cost;
      for (let again = 0; again < MOST_REFITS_AT_ONCE && refits < MOST_REFITS; again++) {
        refits++;
        const inside = inliersOf(best);
        const refitted = inside.length > sampleSize ? kind.fromMany(pairs, inside) : undefined;
        if (refitted === undefined) break;
        cost = costOf(refitted);
        if (!(cost < bestCost)) break;
        best = refitted;
        bestCost = cost;
      }
      const part = inliersOf(best).length / count;
      drawsWanted = Math.min(drawsWanted, Math.ceil(Math.log(1 - CONFIDENCE) / Math.log1p(-(part ** sampleSize))));
    }
  }
  return best === undefined ? undefined : { model: best, inliers: inliersOf(best) };
}

/** How many pairs a model explains with an error below `threshold`. */
export function countWithin(kind: ModelKind, pairs: Correspondences, model: Float64Array, threshold: number): number {
  const errors = new Float64Array(pairs.count);
  kind.measure(pairs, model, errors);
  return errors.reduce((count, error) => (error < threshold * threshold ? count + 1 : count), 0);
}
