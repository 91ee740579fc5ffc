import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { WeightedPair } from './average-linkage.ts';
import { cluster } from './cluster.ts';

const NODES = 24;
const pair = fc.record({
  a: fc.nat(NODES - 1),
  b: fc.nat(NODES - 1),
  // Few values, so that ties are common.
  weight: fc.integer({ min: -4, max: 8 }).map((value) => value / 2),
});
const pairs = fc.array(pair, { maxLength: 120 });
const exclusions = fc.array(fc.subarray(['x', 'y', 'z']), { minLength: NODES, maxLength: NODES });
const absentWeight = -1;

const everyPair = (members: readonly number[], weight: number): WeightedPair[] =>
  members.flatMap((a, at) => members.slice(at + 1).map((b) => ({ a, b, weight })));
const range = (from: number, count: number) => Array.from({ length: count }, (_, at) => from + at);

describe('clustering', () => {
  it('gives the same groups in whatever order the pairs come, and turned round', () => {
    fc.assert(
      fc.property(
        pairs,
        exclusions,
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        (given, keys, chance) => {
          const groups = cluster(NODES, given, { absentWeight, exclusions: keys });
          const shuffled = given
            .map((one) => ({
              one: chance.next().value > 0.5 ? one : { ...one, a: one.b, b: one.a },
              at: chance.next().value,
            }))
            .sort((x, y) => x.at - y.at)
            .map(({ one }) => one);
          assert.deepEqual(cluster(NODES, shuffled, { absentWeight, exclusions: keys }), groups);
        },
      ),
    );
  });

  it('puts each node into one group, and no exclusion twice into any', () => {
    fc.assert(
      fc.property(pairs, exclusions, (given, keys) => {
        const groups = cluster(NODES, given, { absentWeight, exclusions: keys });
        assert.deepEqual(
          groups.flat().sort((a, b) => a - b),
          range(0, NODES),
        );
        for (const members of groups) {
          const held = members.flatMap((node) => keys[node] ?? []);
          assert.equal(new Set(held).size, held.length);
        }
      }),
    );
  });

  it('ends where no two groups have a mean above 0 and no node fits another group better, counted from scratch', () => {
    fc.assert(
      fc.property(pairs, (given) => {
        const groups = cluster(NODES, given, { absentWeight });
        const best = new Map<string, number>();
        for (const { a, b, weight } of given) {
          const key = `${Math.min(a, b)} ${Math.max(a, b)}`;
          best.set(key, Math.max(weight, best.get(key) ?? Number.NEGATIVE_INFINITY));
        }
        for (const [at, one] of groups.entries()) {
          for (const other of groups.slice(at + 1)) {
            const weights = one.flatMap((a) =>
              other.map((b) => best.get(`${Math.min(a, b)} ${Math.max(a, b)}`) ?? absentWeight),
            );
            const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
            assert.ok(mean < 1e-9, `groups of ${one} and ${other} have a mean of ${mean}`);
          }
          for (const node of one) {
            const weightIn = (group: readonly number[]): number =>
              group
                .filter((other) => other !== node)
                .map((other) => best.get(`${Math.min(node, other)} ${Math.max(node, other)}`) ?? absentWeight)
                .reduce((sum, weight) => sum + weight, 0);
            for (const other of [...groups.filter((group) => group !== one), []])
              assert.ok(weightIn(other) <= weightIn(one) + 1e-6, `${node} fits ${other} better than ${one}`);
          }
        }
      }),
    );
  });

  it('does not let one strong pair join two large groups', () => {
    const one = range(0, 10);
    const other = range(10, 10);
    const chain = [...everyPair(one, 2), ...everyPair(other, 2), { a: 9, b: 10, weight: 8 }];
    assert.deepEqual(cluster(20, chain, { absentWeight }), [one, other]);
  });

  it('does not chain: of a row in which each knows only the next, groups stay small', () => {
    const row = range(0, 99).map((a) => ({ a, b: a + 1, weight: 1 }));
    const groups = cluster(100, row, { absentWeight });
    assert.ok(Math.max(...groups.map(({ length }) => length)) <= 4);
  });

  it('takes time that grows with the pairs, not with the square of the nodes', () => {
    const made = (groups: number) =>
      range(0, groups).flatMap((group) => [
        ...everyPair(range(group * 12, 12), 2),
        // A weak link to another group each.
        { a: group * 12, b: ((group * 7919 + 1) % groups) * 12 + 3, weight: 1 },
      ]);
    const seconds = (groups: number): number => {
      const given = made(groups);
      const started = performance.now();
      assert.ok(cluster(groups * 12, given, { absentWeight }).length >= groups);
      return performance.now() - started;
    };
    seconds(100);
    const small = seconds(100);
    const large = seconds(800);
    assert.ok(large < small * 8 * 8, `9,600 nodes took ${large} ms, 1,200 took ${small} ms`);
  });

  it('refuses a weight that is no number', () => {
    assert.throws(() => cluster(2, [{ a: 0, b: 1, weight: Number.NaN }], { absentWeight }), RangeError);
  });
});
