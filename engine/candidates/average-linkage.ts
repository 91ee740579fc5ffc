/** Two nodes, by place in the list of nodes, and what speaks for their belonging together (above 0) or against it. */
export interface WeightedPair {
  readonly a: number;
  readonly b: number;
  readonly weight: number;
}

export interface LinkageOptions {
  /** What a pair that is not listed counts: below 0, or a single pair would join two groups of any size. */
  readonly absentWeight: number;
  /** Of each node, keys that no group may hold twice, such as the picture a face is in. */
  readonly exclusions?: readonly (readonly string[])[];
}

/** What is known of the pairs between two groups. */
interface Link {
  sum: number;
  pairs: number;
  /** Mean that its entry in the queue carries; an entry with another one is out of date. */
  queued: number;
}

interface Group {
  readonly members: number[];
  readonly links: Map<number, Link>;
  readonly exclusions: Set<string>;
}

/**
 * Groups by average linkage: the two groups whose pairs of members have the highest mean weight are joined, as long as that mean is
 * above 0 and they share no exclusion. Pairs that are not listed count with `absentWeight`, so one strong pair between two large
 * groups is outvoted by the pairs that are missing: groups do not chain.
 *
 * Sources: the group average method (Sokal and Michener 1958; Lance and Williams 1967); with log-odds as weights each joining is
 * one that correlation clustering (Bansal, Blum and Chawla 2004) gains by. A joining never raises the mean towards a third group,
 * so a mean that is out of date is an upper bound and is computed anew only when its turn comes. Links of the smaller group move
 * to the larger one: for E listed pairs O(E log E log n) time and O(E + n) memory, whatever n squared is.
 *
 * @param start groups to begin with; every node of a pair is in exactly one
 * @param pairs as `sortedPairs` gives them
 * @returns groups, members rising, by their first member
 */
export function averageLinkage(
  start: readonly (readonly number[])[],
  pairs: readonly WeightedPair[],
  options: LinkageOptions,
): number[][] {
  const owner = ownersOf(start);
  const groups: (Group | undefined)[] = start.map((members) => ({
    members: [...members],
    links: new Map(),
    exclusions: new Set(members.flatMap((node) => options.exclusions?.[node] ?? [])),
  }));
  const queue = new Queue();
  for (const { a, b, link } of linksBetween(groups, owner, pairs)) {
    link.queued = meanOf(
      link,
      (groups[a]?.members.length ?? 0) * (groups[b]?.members.length ?? 0),
      options.absentWeight,
    );
    if (link.queued > 0) queue.push({ mean: link.queued, a, b });
  }

  const joined = Int32Array.from(start, (_, group) => group);
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const a = find(joined, next.a);
    const b = find(joined, next.b);
    const first = groups[a];
    const second = groups[b];
    const link = first?.links.get(b);
    if (first === undefined || second === undefined || link === undefined || link.queued !== next.mean) continue;
    const mean = meanOf(link, first.members.length * second.members.length, options.absentWeight);
    if (mean !== next.mean) {
      link.queued = mean;
      if (mean > 0) queue.push({ mean, a, b });
      continue;
    }
    if (!first.exclusions.isDisjointFrom(second.exclusions)) {
      // For good: what a group excludes it goes on excluding, whatever it is joined with.
      link.queued = Number.NEGATIVE_INFINITY;
      continue;
    }
    const [kept, gone] = first.links.size >= second.links.size ? [a, b] : [b, a];
    absorb(groups, kept, gone);
    joined[gone] = kept;
  }
  return inOrder(groups.flatMap((group) => (group === undefined ? [] : [group.members])));
}

/** Groups that have members, members rising, by their first member. */
export function inOrder(groups: readonly (readonly number[])[]): number[][] {
  return groups
    .filter(({ length }) => length > 0)
    .map((members) => members.toSorted((x, y) => x - y))
    .sort((x, y) => (x[0] ?? 0) - (y[0] ?? 0));
}

/** The group of each node. */
export function ownersOf(groups: readonly (readonly number[])[]): Int32Array {
  const owner = new Int32Array(
    groups.reduce((most, members) => members.reduce((max, node) => Math.max(max, node + 1), most), 0),
  );
  for (const [group, members] of groups.entries()) for (const node of members) owner[node] = group;
  return owner;
}

/** Adds up the pairs between each two groups, and enters the links with both. */
function linksBetween(
  groups: readonly (Group | undefined)[],
  owner: Int32Array,
  pairs: readonly WeightedPair[],
): { a: number; b: number; link: Link }[] {
  const made: { a: number; b: number; link: Link }[] = [];
  for (const pair of pairs) {
    const one = owner[pair.a] ?? 0;
    const other = owner[pair.b] ?? 0;
    if (one === other) continue;
    const there = groups[one]?.links.get(other);
    if (there !== undefined) {
      there.sum += pair.weight;
      there.pairs += 1;
      continue;
    }
    const link: Link = { sum: pair.weight, pairs: 1, queued: 0 };
    groups[one]?.links.set(other, link);
    groups[other]?.links.set(one, link);
    made.push({ a: Math.min(one, other), b: Math.max(one, other), link });
  }
  return made;
}

function meanOf(link: Link, allPairs: number, absentWeight: number): number {
  return (link.sum + absentWeight * (allPairs - link.pairs)) / allPairs;
}

function absorb(groups: (Group | undefined)[], kept: number, gone: number): void {
  const into = groups[kept];
  const from = groups[gone];
  if (into === undefined || from === undefined) throw new RangeError('expected two groups that are there');
  into.links.delete(gone);
  from.links.delete(kept);
  for (const [other, link] of from.links) {
    const there = into.links.get(other);
    const joined =
      there === undefined
        ? link
        : {
            sum: there.sum + link.sum,
            pairs: there.pairs + link.pairs,
            // The higher one is an upper bound of the mean of both together, and its entry is still in the queue.
            queued: Math.max(there.queued, link.queued),
          };
    into.links.set(other, joined);
    const back = groups[other]?.links;
    back?.delete(gone);
    back?.set(kept, joined);
  }
  for (const member of from.members) into.members.push(member);
  for (const key of from.exclusions) into.exclusions.add(key);
  groups[gone] = undefined;
}

function find(owner: Int32Array, node: number): number {
  let at = node;
  for (let up = owner[at] ?? at; up !== at; up = owner[at] ?? at) {
    // Halving the way: next time it is shorter.
    owner[at] = owner[up] ?? up;
    at = up;
  }
  return at;
}

/** Pairs in one order, the lower node first, each once with its highest weight: groups must not depend on the order they came in. */
export function sortedPairs(nodeCount: number, pairs: Iterable<WeightedPair>): WeightedPair[] {
  const listed = [...pairs]
    .map(({ a, b, weight }) => (a < b ? { a, b, weight } : { a: b, b: a, weight }))
    .filter(({ a, b }) => a !== b)
    .sort((x, y) => x.a - y.a || x.b - y.b || y.weight - x.weight);
  for (const { a, b, weight } of listed) {
    if (a < 0 || b >= nodeCount || !Number.isFinite(weight)) {
      throw new RangeError(`expected nodes below ${nodeCount} and a finite weight, received ${a}, ${b} and ${weight}`);
    }
  }
  return listed.filter((pair, at) => pair.a !== listed[at - 1]?.a || pair.b !== listed[at - 1]?.b);
}

interface Entry {
  readonly mean: number;
  readonly a: number;
  readonly b: number;
}

/** A binary heap, highest mean first; of equal ones that of the lowest nodes, so that ties fall alike every time. */
class Queue {
  readonly #entries: Entry[] = [];

  push(entry: Entry): void {
    const entries = this.#entries;
    let at = entries.length;
    entries.push(entry);
    while (at > 0) {
      const up = (at - 1) >> 1;
      const above = entries[up];
      if (above === undefined || !before(entry, above)) break;
      entries[at] = above;
      at = up;
    }
    entries[at] = entry;
  }

  pop(): Entry | undefined {
    const entries = this.#entries;
    const top = entries[0];
    const last = entries.pop();
    if (top === undefined || last === undefined || entries.length === 0) return top;
    let at = 0;
    for (;;) {
      const left = entries[at * 2 + 1];
      const right = entries[at * 2 + 2];
      const goRight = left !== undefined && right !== undefined && before(right, left);
      const below = goRight ? right : left;
      if (below === undefined || !before(below, last)) break;
      entries[at] = below;
      at = at * 2 + (goRight ? 2 : 1);
    }
    entries[at] = last;
    return top;
  }
}

function before(x: Entry, y: Entry): boolean {
  return x.mean !== y.mean ? x.mean > y.mean : x.a !== y.a ? x.a < y.a : x.b < y.b;
}
