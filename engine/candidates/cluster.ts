import {
  averageLinkage,
  inOrder,
  type LinkageOptions,
  ownersOf,
  sortedPairs,
  type WeightedPair,
} from './average-linkage.ts';

/** Each turn gains; more than a few have not been seen to find anything. */
const MOST_TURNS = 8;

/**
 * Groups of nodes that belong together: average linkage, then each node moves to the group it fits best (a strong stray pair that was
 * joined first may have torn it from its own), by turns until nothing moves. Every step raises the sum of the weights within groups,
 * which is what correlation clustering asks for; that moves of single nodes make a greedy grouping better is Elsner and Schudy's
 * finding (2009).
 *
 * @param nodeCount nodes are 0 to nodeCount - 1
 * @param pairs in any order; of a pair listed twice the higher weight counts
 * @returns groups of one and more, members rising, groups by their first member; the same for any order of `pairs`
 */
export function cluster(nodeCount: number, pairs: Iterable<WeightedPair>, options: LinkageOptions): number[][] {
  const sorted = sortedPairs(nodeCount, pairs);
  const neighbours: { node: number; weight: number }[][] = Array.from({ length: nodeCount }, () => []);
  for (const { a, b, weight } of sorted) {
    neighbours[a]?.push({ node: b, weight });
    neighbours[b]?.push({ node: a, weight });
  }
  let groups = Array.from({ length: nodeCount }, (_, node) => [node]);
  for (let turn = 0; turn < MOST_TURNS; turn += 1) {
    groups = averageLinkage(groups, sorted, options);
    const moved = moveNodes(groups, neighbours, options);
    if (moved === null) break;
    groups = moved;
  }
  return groups;
}

/** Moves each node in turn to the group to which its pairs weigh most, or to one of its own; null where every node stays. */
function moveNodes(
  groups: readonly (readonly number[])[],
  neighbours: readonly (readonly { readonly node: number; readonly weight: number }[])[],
  { absentWeight, exclusions }: LinkageOptions,
): number[][] | null {
  const owner = ownersOf(groups);
  const sizes = groups.map(({ length }) => length);
  const held = groups.map((members) => new Set(members.flatMap((node) => exclusions?.[node] ?? [])));
  let moves = 0;
  for (const [node, near] of neighbours.entries()) {
    const own = owner[node] ?? 0;
    const sums = new Map<number, { sum: number; pairs: number }>();
    for (const { node: other, weight } of near) {
      const group = owner[other] ?? 0;
      const known = sums.get(group);
      if (known === undefined) sums.set(group, { sum: weight, pairs: 1 });
      else {
        known.sum += weight;
        known.pairs += 1;
      }
    }
    const weightIn = (group: number, others: number): number => {
      const { sum, pairs } = sums.get(group) ?? { sum: 0, pairs: 0 };
      return sum + absentWeight * (others - pairs);
    };
    const keys = exclusions?.[node] ?? [];
    let best = own;
    let most = weightIn(own, (sizes[own] ?? 1) - 1);
    for (const group of [...sums.keys()].sort((x, y) => x - y)) {
      if (group === own || keys.some((key) => held[group]?.has(key))) continue;
      const weight = weightIn(group, sizes[group] ?? 0);
      // Beyond what rounding can make, or two equal places would take it in turns.
      if (weight <= most + 1e-9) continue;
      best = group;
      most = weight;
    }
    if (most < -1e-9 && (sizes[own] ?? 1) > 1) {
      best = sizes.length;
      sizes.push(0);
      held.push(new Set());
    }
    if (best === own) continue;
    moves += 1;
    owner[node] = best;
    sizes[own] = (sizes[own] ?? 1) - 1;
    sizes[best] = (sizes[best] ?? 0) + 1;
    for (const key of keys) {
      held[own]?.delete(key);
      held[best]?.add(key);
    }
  }
  if (moves === 0) return null;
  const moved: number[][] = sizes.map(() => []);
  for (const [node, group] of owner.entries()) moved[group]?.push(node);
  return inOrder(moved);
}
