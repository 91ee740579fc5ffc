import type { WeightedPair } from './average-linkage.ts';
import { cluster } from './cluster.ts';
import type { GroupingOdds } from './evidence-graph.ts';
import { MOST_LOG10_RATIO, type PairEvidence } from './pair-evidence.ts';

/** A pair of faces, and the media they are in. */
export type FaceEvidence = PairEvidence & Required<Pick<PairEvidence, 'faceId' | 'otherFaceId'>>;

export function isFaceEvidence(evidence: PairEvidence): evidence is FaceEvidence {
  return evidence.method === 'face' && evidence.faceId !== undefined && evidence.otherFaceId !== undefined;
}

/**
 * Groups faces that look like one person's. Two faces in one picture are two people, so no group holds two of one media.
 * @returns group number by face
 */
export function groupFaces(pairs: readonly FaceEvidence[], odds: GroupingOdds): Map<number, number> {
  const mediaOf = new Map<number, number>();
  for (const pair of pairs) {
    mediaOf.set(pair.faceId, pair.mediaId);
    mediaOf.set(pair.otherFaceId, pair.otherMediaId);
  }
  const faces = [...mediaOf.keys()].sort((a, b) => a - b);
  const placeOf = new Map(faces.map((face, place) => [face, place]));
  const weighted = pairs.flatMap((pair): WeightedPair[] => {
    const [a, b] = [placeOf.get(pair.faceId), placeOf.get(pair.otherFaceId)];
    if (a === undefined || b === undefined) return [];
    return [{ a, b, weight: Math.min(pair.log10LikelihoodRatio, MOST_LOG10_RATIO) + odds.priorLog10Odds }];
  });
  const groups = cluster(faces.length, weighted, {
    absentWeight: odds.absentLog10Odds,
    exclusions: faces.map((face) => [`media ${mediaOf.get(face)}`]),
  });
  return new Map(
    groups.flatMap((members, group) =>
      members.flatMap((place) => {
        const face = faces[place];
        return face === undefined ? [] : [[face, group] as const];
      }),
    ),
  );
}

/** Of the pairs of faces, those whose two faces were found to be one person's in the light of all pairs. */
export function withinPersons(pairs: readonly FaceEvidence[], odds: GroupingOdds): FaceEvidence[] {
  const groupOf = groupFaces(pairs, odds);
  return pairs.filter(({ faceId, otherFaceId }) => groupOf.get(faceId) === groupOf.get(otherFaceId));
}
