import type { CandidateMedia, EvidenceGraph, TiedPair, Unit } from './evidence-graph.ts';
import { CANDIDATE_METHODS, type CandidateReason } from './pair-evidence.ts';

/** Strongest pairs told of each media beside those that hold the group together: a person reads them. */
const PAIRS_A_MEDIA = 3;

/**
 * Why each group stands together: the strongest pairs that connect all its media (a maximum spanning tree: Kruskal 1956), and the
 * three strongest of each media.
 * @returns reasons by group, in the order of the groups
 */
export function reasonsWithin(
  groups: readonly Unit[],
  media: readonly CandidateMedia[],
  graph: EvidenceGraph,
): CandidateReason[][] {
  const groupOf = new Map(groups.flatMap(({ places }, group) => places.map((place) => [place, group] as const)));
  const inside: TiedPair[] = [];
  for (const pair of graph.pairs()) {
    if (pair.log10LikelihoodRatio > 0 && groupOf.get(pair.a) === groupOf.get(pair.b)) inside.push(pair);
  }
  inside.sort((x, y) => y.log10LikelihoodRatio - x.log10LikelihoodRatio || x.a - y.a || x.b - y.b);
  const told = new Map<number, number>();
  const connected = new Map<number, number>();
  const rootOf = (place: number): number => {
    let at = place;
    for (let up = connected.get(at); up !== undefined; up = connected.get(at)) at = up;
    if (at !== place) connected.set(place, at);
    return at;
  };
  const reasons: CandidateReason[][] = groups.map(() => []);
  for (const pair of inside) {
    const [one, other] = [rootOf(pair.a), rootOf(pair.b)];
    const timesTold = Math.min(told.get(pair.a) ?? 0, told.get(pair.b) ?? 0);
    if (one === other && timesTold >= PAIRS_A_MEDIA) continue;
    if (one !== other) connected.set(other, one);
    for (const place of [pair.a, pair.b]) told.set(place, (told.get(place) ?? 0) + 1);
    reasons[groupOf.get(pair.a) ?? -1]?.push(...reasonsOf(pair, media));
  }
  return reasons;
}

function reasonsOf(pair: TiedPair, media: readonly CandidateMedia[]): CandidateReason[] {
  const mediaId = media[pair.a]?.mediaId ?? 0;
  const otherMediaId = media[pair.b]?.mediaId ?? 0;
  return CANDIDATE_METHODS.flatMap((method) => {
    const tie = method === 'time' ? null : pair.ties[method];
    const found =
      method !== 'time'
        ? tie && { distance: tie.distance, log10LikelihoodRatio: tie.log10LikelihoodRatio }
        : pair.time && {
            distance: pair.time.distanceSeconds,
            log10LikelihoodRatio: pair.time.log10LikelihoodRatio,
          };
    return found ? [{ mediaId, otherMediaId, method, ...found }] : [];
  });
}
