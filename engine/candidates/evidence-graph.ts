import type { WeightedPair } from './average-linkage.ts';
import { type CaptureTime, timeEvidence } from './capture-time.ts';
import { cluster } from './cluster.ts';
import { addTie, fusedLog10Ratio, type PairEvidence, type Ties, turnedRound } from './pair-evidence.ts';

/** What is known of one media before it is grouped. */
export interface CandidateMedia {
  readonly mediaId: number;
  readonly capturedAt: CaptureTime | null;
  /** Keys that no group may hold twice, such as the dismissed proposals it was in. */
  readonly exclusions: readonly string[];
  /** Proposal that a person has split or merged, whose members stay together; null where there is none. */
  readonly shapedBy: number | null;
  /** Its PDQ in hexadecimal, where it is good enough to match by; null otherwise. */
  readonly equalHash: string | null;
  readonly pixels: number;
}

/** One pair of media with all that ties it. */
export interface TiedPair {
  /** Places in the list of media, the lower first. */
  readonly a: number;
  readonly b: number;
  readonly ties: Ties;
  /** Of all ties and of time, without the prior. */
  readonly log10LikelihoodRatio: number;
  readonly time: ReturnType<typeof timeEvidence>;
}

/** Ties between media, by pair, in the memory of the pairs that were found. */
export class EvidenceGraph {
  readonly #media: readonly CandidateMedia[];
  readonly #placeOf: ReadonlyMap<number, number>;
  /** By place of the first times the number of media plus place of the second: exact up to some 90 million media. */
  readonly #ties = new Map<number, Ties>();

  /** @param media by rising number */
  constructor(media: readonly CandidateMedia[]) {
    this.#media = media;
    this.#placeOf = new Map(media.map(({ mediaId }, place) => [mediaId, place]));
  }

  /** Keeps the strongest of each method; what is not about two of the media given is let go. */
  add(evidence: PairEvidence): void {
    const one = this.#placeOf.get(evidence.mediaId);
    const other = this.#placeOf.get(evidence.otherMediaId);
    if (one === undefined || other === undefined || one === other) return;
    const key = Math.min(one, other) * this.#media.length + Math.max(one, other);
    const turned = one < other ? evidence : turnedRound(evidence);
    const there = this.#ties.get(key);
    if (there !== undefined) addTie(there, turned);
    else this.#ties.set(key, { [turned.method]: turned });
  }

  *pairs(): Generator<TiedPair> {
    const count = this.#media.length;
    for (const [key, ties] of this.#ties) {
      const a = Math.floor(key / count);
      const b = key % count;
      const time = timeEvidence(this.#media[a]?.capturedAt ?? null, this.#media[b]?.capturedAt ?? null);
      yield { a, b, ties, time, log10LikelihoodRatio: fusedLog10Ratio(ties, time?.log10LikelihoodRatio ?? 0) };
    }
  }
}

export interface GroupingOdds {
  /** log10 of the odds that two media taken at random belong together; below 0. */
  readonly priorLog10Odds: number;
  /** What a pair counts that nothing ties; below 0. */
  readonly absentLog10Odds: number;
}

/** Media that stay together, by their places in the list. */
export interface Unit {
  readonly places: readonly number[];
  readonly exclusions: readonly string[];
}

/** Joins units by average linkage. Of the pairs of media between two units the strongest counts: a unit is one thing, however many copies it has. */
export function joinUnits(units: readonly Unit[], graph: EvidenceGraph, odds: GroupingOdds): Unit[] {
  const unitOf = new Map(units.flatMap(({ places }, unit) => places.map((place) => [place, unit] as const)));
  const pairs: WeightedPair[] = [];
  for (const { a, b, log10LikelihoodRatio } of graph.pairs()) {
    const [one, other] = [unitOf.get(a), unitOf.get(b)];
    if (one === undefined || other === undefined || one === other) continue;
    pairs.push({ a: one, b: other, weight: log10LikelihoodRatio + odds.priorLog10Odds });
  }
  const joined = cluster(units.length, pairs, {
    absentWeight: odds.absentLog10Odds,
    exclusions: units.map(({ exclusions }) => exclusions),
  });
  return joined.map((members) => ({
    places: members.flatMap((unit) => units[unit]?.places ?? []).sort((x, y) => x - y),
    exclusions: [...new Set(members.flatMap((unit) => units[unit]?.exclusions ?? []))].sort(),
  }));
}
