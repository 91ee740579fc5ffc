import type { PackCalibration } from '../schemas/model-pack.ts';
import { seededRandom } from './random.ts';

/** Resamples of the groups; the same seed gives the same bounds. */
const RESAMPLES = 1000;
const SEED = 20_261_124;
const MISSED = 0.05;

/** One pair of items: the groups (persons, places, pictures) of both, and its score. */
export interface ScoredPair {
  readonly groupA: number;
  readonly groupB: number;
  readonly score: number;
}

/** How often each group was drawn: one row for each resample. */
export function drawGroups(groups: number): Uint16Array[] {
  const random = seededRandom(SEED);
  return Array.from({ length: RESAMPLES }, () => {
    const drawn = new Uint16Array(groups);
    for (let i = 0; i < groups; i++) {
      const group = random.integer(0, groups - 1);
      drawn[group] = (drawn[group] ?? 0) + 1;
    }
    return drawn;
  });
}

export interface Rate {
  readonly hits: number;
  readonly of: number;
  readonly rate: number;
  readonly lower95: number;
  readonly upper95: number;
}

/**
 * A rate over pairs or items with bounds of 95 % (2.5 and 97.5 of 100) from resampling whole groups: pairs of one person hang together, so that many pairs of
 * few persons are worth less than their number says. A pair counts as often as both its groups were drawn, once where it is one group.
 */
export function rateOf(
  items: readonly { readonly groupA: number; readonly groupB: number; readonly hit: boolean }[],
  draws: readonly Uint16Array[],
): Rate {
  const cells = new Map<string, { a: number; b: number; hits: number; of: number }>();
  for (const { groupA, groupB, hit } of items) {
    const key = `${groupA}:${groupB}`;
    const cell = cells.get(key) ?? { a: groupA, b: groupB, hits: 0, of: 0 };
    cell.of += 1;
    if (hit) cell.hits += 1;
    cells.set(key, cell);
  }
  const hits = items.filter((item) => item.hit).length;
  const rates = draws
    .flatMap((drawn) => {
      let [resampledHits, resampledOf] = [0, 0];
      for (const { a, b, hits: inCell, of } of cells.values()) {
        const times = a === b ? (drawn[a] ?? 0) : (drawn[a] ?? 0) * (drawn[b] ?? 0);
        resampledHits += times * inCell;
        resampledOf += times * of;
      }
      return resampledOf === 0 ? [] : [resampledHits / resampledOf];
    })
    .sort((x, y) => x - y);
  const at = (share: number) => rates[Math.min(rates.length - 1, Math.floor(share * rates.length))] ?? Number.NaN;
  return { hits, of: items.length, rate: hits / items.length, lower95: at(MISSED / 2), upper95: at(1 - MISSED / 2) };
}

/** `97.5 % (268 of 275; 93.1 to 99.6)`. */
export function rateText({ hits, of, rate, lower95, upper95 }: Rate): string {
  const figure = (share: number) => (100 * share).toFixed(share < 0.1 && share > 0 ? 2 : 1);
  return `${figure(rate)} % (${hits} of ${of}; ${figure(lower95)} to ${figure(upper95)})`;
}

/** Lowest score at which at most `rate` of the different pairs score as much. */
export function scoreAtFalseMatchRate(different: readonly ScoredPair[], rate: number): number {
  const scores = different.map(({ score }) => score).sort((a, b) => b - a);
  return (scores[Math.floor(rate * scores.length)] ?? -1) + Number.EPSILON;
}

const POINTS = 60;

/** Cumulative counts by rising score, as a pack's manifest carries them. */
export function calibrate(
  same: readonly ScoredPair[],
  different: readonly ScoredPair[],
  groups: number,
  data: string,
): PackCalibration {
  const draws = drawGroups(groups);
  const falling = different.map(({ score }) => score).sort((a, b) => b - a);
  // From where one in ten of the different pairs is left: below it no score means anything.
  const from = Math.floor((falling[Math.floor(falling.length / 10)] ?? 0) * 100) / 100;
  const step = Math.max(0.001, Math.round(((1 - from) / POINTS) * 1000) / 1000);
  const points: PackCalibration['points'] = [];
  for (let i = 0; from + i * step < 1; i++) {
    const score = Math.round((from + i * step) * 1000) / 1000;
    const samePairs = same.filter((pair) => pair.score >= score).length;
    const rate = rateOf(
      different.map((pair) => ({ ...pair, hit: pair.score >= score })),
      draws,
    );
    // Where none was seen, resampling sees none either: then what so many pairs can show at all.
    const unseen = 1 - MISSED ** (1 / different.length);
    const bound = Math.min(1, Math.max(rate.rate, rate.upper95, unseen));
    points.push({ score, samePairs, differentPairs: rate.hits, falseMatchRateUpper95: Number(bound.toPrecision(4)) });
    if (rate.hits === 0 && points.at(-2)?.differentPairs === 0 && points.length > POINTS / 2) break;
  }
  const rounded = points.map((point) => ({
    ...point,
    falseMatchRateUpper95: Math.max(point.falseMatchRateUpper95, point.differentPairs / different.length),
  }));
  return { data, identities: groups, samePairs: same.length, differentPairs: different.length, points: rounded };
}
