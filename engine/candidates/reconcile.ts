import type { Proposal } from './propose.ts';

/** A proposal that waits for a decision. */
export interface OpenProposal {
  readonly candidateId: number;
  readonly shaped: boolean;
  readonly mediaIds: readonly number[];
}

export interface Reconciled {
  /** Found again as they were. */
  readonly kept: readonly number[];
  readonly added: readonly Proposal[];
  /** No longer found as they were, with the place in `added` or the number of the kept one that holds most of their media now. */
  readonly superseded: readonly {
    readonly candidateId: number;
    readonly by: { added: number } | { kept: number } | null;
  }[];
}

/**
 * What a new search makes of the proposals that are there: one found again is left as it is, one that grew, shrank or fell apart is
 * superseded by what took its place.
 * @param open every open proposal that has a media among those searched
 */
export function reconcile(found: readonly Proposal[], open: readonly OpenProposal[]): Reconciled {
  const keyOf = (mediaIds: readonly number[]): string => mediaIds.toSorted((a, b) => a - b).join(' ');
  const openByKey = new Map(open.map((one) => [keyOf(one.mediaIds), one.candidateId]));
  const kept: number[] = [];
  const added: Proposal[] = [];
  const holder = new Map<number, { added: number } | { kept: number }>();
  for (const proposal of found) {
    const same = openByKey.get(keyOf(proposal.mediaIds));
    const place = same === undefined ? { added: added.length } : { kept: same };
    if (same === undefined) added.push(proposal);
    else kept.push(same);
    for (const mediaId of proposal.mediaIds) holder.set(mediaId, place);
  }
  const still = new Set(kept);
  return {
    kept,
    added,
    superseded: open
      .filter(({ candidateId }) => !still.has(candidateId))
      .map(({ candidateId, mediaIds }) => ({ candidateId, by: mostOf(mediaIds, holder) })),
  };
}

function mostOf<P>(mediaIds: readonly number[], holder: ReadonlyMap<number, P>): P | null {
  const counts = new Map<P, number>();
  for (const mediaId of mediaIds) {
    const place = holder.get(mediaId);
    if (place !== undefined) counts.set(place, (counts.get(place) ?? 0) + 1);
  }
  return [...counts].reduce<[P | null, number]>((most, next) => (next[1] > most[1] ? next : most), [null, 0])[0];
}
