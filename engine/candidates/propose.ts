import { type CandidateMedia, EvidenceGraph, type GroupingOdds, joinUnits, type Unit } from './evidence-graph.ts';
import { hashEvidence } from './hash-evidence.ts';
import type { CandidateReason, PairEvidence, PairSource } from './pair-evidence.ts';
import { type FaceEvidence, isFaceEvidence, withinPersons } from './persons.ts';
import { reasonsWithin } from './reasons.ts';

export interface Proposal {
  /** Rising. */
  readonly mediaIds: readonly number[];
  /** The proposal shaped by a person that this one goes on from. */
  readonly shapedBy: number | null;
  readonly reasons: readonly CandidateReason[];
}

/** Media that share something with this many others on average in a seizure: what the prior odds are made of. A rule of thumb. */
const EXPECTED_COMPANIONS = 10;
/**
 * About one in five pairs that belong together is not listed: turned away, another corner of the room, beyond the nearest neighbours.
 * The prior is not added: what is not listed was not found to differ either.
 */
const ABSENT_LOG10_ODDS = Math.log10(0.2);
const LEAST_PRIOR_LOG10_ODDS = -3;
const MOST_PRIOR_LOG10_ODDS = -1;

/**
 * The odds for a collection of this size: the more media, the more pairs look alike by chance, so the more each pair has to say.
 * Bounded below, because a prior beyond what a likelihood ratio can reach (MOST_LOG10_RATIO) would rule out every proposal.
 */
export function groupingOdds(mediaCount: number): GroupingOdds {
  const prior = -Math.log10(Math.max(mediaCount, 1) / EXPECTED_COMPANIONS);
  return {
    priorLog10Odds: Math.min(Math.max(prior, LEAST_PRIOR_LOG10_ODDS), MOST_PRIOR_LOG10_ODDS),
    absentLog10Odds: ABSENT_LOG10_ODDS,
  };
}

/**
 * Groups media that match nothing known into proposals. First copies are joined, so that one picture counts once however often it
 * is there; then faces are grouped into people and all ties between what is left are weighed together.
 *
 * @param media each once
 * @returns groups of two media and more, and what a person has shaped whatever its size; by their first media, whatever the order of
 * media and of pairs
 */
export async function proposeGroups(
  media: readonly CandidateMedia[],
  sources: readonly PairSource[],
  odds: GroupingOdds = groupingOdds(media.length),
): Promise<Proposal[]> {
  const sorted = media.toSorted((a, b) => a.mediaId - b.mediaId);
  const graph = new EvidenceGraph(sorted);
  const starting = startingUnits(sorted);
  for (const tie of tiesOfEqualHashes(starting, sorted)) graph.add(tie);
  const asked = representatives(starting, sorted);
  for (const source of sources.filter(({ level }) => level === 'copies')) {
    for await (const block of source.pairs(asked)) for (const evidence of block) graph.add(evidence);
  }
  const copies = joinUnits(starting, graph, odds);

  const shown = representatives(copies, sorted);
  const faces: FaceEvidence[] = [];
  for (const source of sources.filter(({ level }) => level === 'scenes')) {
    for await (const block of source.pairs(shown)) {
      for (const evidence of block) {
        if (isFaceEvidence(evidence)) faces.push(evidence);
        else graph.add(evidence);
      }
    }
  }
  for (const evidence of withinPersons(faces, odds)) graph.add(evidence);
  const groups = joinUnits(copies, graph, odds);
  return proposalsOf(groups, sorted, graph);
}

/**
 * What stays together whatever the pairs say: what a person has shaped, and media of one and the same hash. Ten thousand copies of
 * one picture would be fifty million pairs otherwise.
 */
function startingUnits(media: readonly CandidateMedia[]): Unit[] {
  const grouped = Map.groupBy(media.keys(), (place) => {
    const { shapedBy, equalHash, exclusions } = media[place] ?? { shapedBy: null, equalHash: null, exclusions: [] };
    if (shapedBy !== null) return `shaped ${shapedBy}`;
    // Of what was dismissed, two copies must not be one unit.
    return equalHash === null || exclusions.length > 0 ? `media ${place}` : `hash ${equalHash}`;
  });
  return [...grouped].map(([key, places]) => ({
    places,
    exclusions: [
      ...new Set(places.flatMap((place) => media[place]?.exclusions ?? [])),
      // Only a person joins what a person has shaped.
      ...(key.startsWith('shaped') ? ['shaped'] : []),
    ],
  }));
}

function* tiesOfEqualHashes(units: readonly Unit[], media: readonly CandidateMedia[]): Generator<PairEvidence> {
  for (const { places } of units) {
    const members = places.flatMap((place) => media[place] ?? []);
    for (const equal of Map.groupBy(members, ({ equalHash }) => equalHash).values()) {
      const [first, ...others] = equal;
      if (first === undefined || first.equalHash === null) continue;
      for (const other of others) yield hashEvidence('pdq', first.mediaId, other.mediaId, 0);
    }
  }
}

/** One media of each group of copies, the one with most pixels; all of what a person has put together, which need not be copies. */
function representatives(units: readonly Unit[], media: readonly CandidateMedia[]): number[] {
  const chosen: number[] = [];
  for (const { places } of units) {
    const members = places.flatMap((place) => media[place] ?? []);
    chosen.push(...members.filter(({ shapedBy }) => shapedBy !== null).map(({ mediaId }) => mediaId));
    const [best] = members
      .filter(({ shapedBy }) => shapedBy === null)
      .sort((a, b) => b.pixels - a.pixels || a.mediaId - b.mediaId);
    if (best !== undefined) chosen.push(best.mediaId);
  }
  return chosen.sort((a, b) => a - b);
}

function proposalsOf(groups: readonly Unit[], media: readonly CandidateMedia[], graph: EvidenceGraph): Proposal[] {
  const reasons = reasonsWithin(groups, media, graph);
  return groups.flatMap(({ places }, group) => {
    const members = places.flatMap((place) => media[place] ?? []);
    const shapedBy = members.find((one) => one.shapedBy !== null)?.shapedBy ?? null;
    if (members.length < 2 && shapedBy === null) return [];
    return [{ mediaIds: members.map(({ mediaId }) => mediaId), shapedBy, reasons: reasons[group] ?? [] }];
  });
}
