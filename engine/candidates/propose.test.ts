import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { CandidateMedia } from './evidence-graph.ts';
import type { JoiningMethod, PairEvidence, PairSource } from './pair-evidence.ts';
import { groupFaces, isFaceEvidence } from './persons.ts';
import { groupingOdds, proposeGroups } from './propose.ts';

const media = (mediaId: number, more: Partial<CandidateMedia> = {}): CandidateMedia => ({
  mediaId,
  capturedAt: null,
  exclusions: [],
  shapedBy: null,
  equalHash: null,
  pixels: 1000,
  ...more,
});
const tie = (
  mediaId: number,
  otherMediaId: number,
  method: JoiningMethod,
  log10LikelihoodRatio: number,
): PairEvidence => ({
  mediaId,
  otherMediaId,
  method,
  distance: 0.1,
  log10LikelihoodRatio,
});
/** Faces numbered by their media: 7 has 70, 71 and so on. */
const face = (faceId: number, otherFaceId: number, log10LikelihoodRatio: number): PairEvidence => ({
  ...tie(Math.floor(faceId / 10), Math.floor(otherFaceId / 10), 'face', log10LikelihoodRatio),
  faceId,
  otherFaceId,
});

/** Gives the pairs that are within what it is asked, and remembers what that was. */
function sourceOf(level: PairSource['level'], pairs: readonly PairEvidence[], asked: number[][] = []): PairSource {
  return {
    level,
    async *pairs(mediaIds) {
      asked.push([...mediaIds]);
      const within = new Set(mediaIds);
      yield pairs.filter((one) => within.has(one.mediaId) && within.has(one.otherMediaId));
    },
  };
}
const everyPair = (ids: readonly number[], method: JoiningMethod, ratio: number) =>
  ids.flatMap((one, at) => ids.slice(at + 1).map((other) => tie(one, other, method, ratio)));
const range = (from: number, count: number) => Array.from({ length: count }, (_, at) => from + at);
const groupsOf = async (given: readonly CandidateMedia[], ...sources: PairSource[]) =>
  (await proposeGroups(given, sources)).map(({ mediaIds }) => mediaIds);

describe('proposals', () => {
  it('are the same whatever the order of media and pairs', async () => {
    const evidence = fc.record({
      one: fc.integer({ min: 1, max: 15 }),
      other: fc.integer({ min: 1, max: 15 }),
      method: fc.constantFrom<JoiningMethod>('copy', 'place', 'camera'),
      ratio: fc.constantFrom(0.5, 1.5, 2.5, 3.5),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(evidence, { maxLength: 60 }), fc.integer({ min: 1, max: 59 }), async (given, turn) => {
        const pairs = given.map(({ one, other, method, ratio }) => tie(one, other, method, ratio));
        const turned = [...pairs.slice(turn), ...pairs.slice(0, turn)].reverse();
        const all = range(1, 15).map((id) => media(id));
        const split = (list: readonly PairEvidence[]) => [
          sourceOf(
            'copies',
            list.filter(({ method }) => method === 'copy'),
          ),
          sourceOf(
            'scenes',
            list.filter(({ method }) => method !== 'copy'),
          ),
        ];
        assert.deepEqual(
          await proposeGroups(all.toReversed(), split(turned).reverse()),
          await proposeGroups(all, split(pairs)),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('never put two faces of one picture into one person', () => {
    const anyFace = fc.integer({ min: 10, max: 79 });
    fc.assert(
      fc.property(fc.array(fc.tuple(anyFace, anyFace), { maxLength: 120 }), (given) => {
        const pairs = given
          .map(([one, other]) => face(one, other, 3.5))
          .filter((one) => one.mediaId !== one.otherMediaId)
          .filter(isFaceEvidence);
        const groups = groupFaces(pairs, groupingOdds(10));
        const seen = new Set<string>();
        for (const [faceId, group] of groups) {
          const key = `${group} ${Math.floor(faceId / 10)}`;
          assert.ok(!seen.has(key), `person ${group} has two faces of media ${Math.floor(faceId / 10)}`);
          seen.add(key);
        }
      }),
    );
  });

  it('do not join two people through a picture that shows both', async () => {
    // 1 to 5 show one person, 6 to 10 another, 11 both.
    const first = [...range(1, 5).map((id) => id * 10), 110];
    const second = [...range(6, 5).map((id) => id * 10), 111];
    const every = (faces: readonly number[]) => faces.flatMap((a, at) => faces.slice(at + 1).map((b) => face(a, b, 3)));
    const groups = await groupsOf(
      range(1, 11).map((id) => media(id)),
      sourceOf('scenes', [...every(first), ...every(second)]),
    );
    assert.deepEqual(groups, [
      [1, 2, 3, 4, 5, 11],
      [6, 7, 8, 9, 10],
    ]);
  });

  it('ask about one picture of each group of copies, the largest, and take its place for all of them', async () => {
    const asked: number[][] = [];
    const groups = await groupsOf(
      [media(1), media(2, { pixels: 9000 }), media(3), media(4)],
      sourceOf('copies', everyPair([1, 2, 3], 'pdq', 4)),
      sourceOf('scenes', [tie(2, 4, 'place', 3)], asked),
    );
    assert.deepEqual(asked, [[2, 4]]);
    assert.deepEqual(groups, [[1, 2, 3, 4]]);
  });

  it('join thousands of equal hashes without a pair for each two of them', async () => {
    const asked: number[][] = [];
    const copies = range(1, 3000).map((id) => media(id, { equalHash: 'aa' }));
    const [proposal] = await proposeGroups(copies, [sourceOf('copies', [], asked)]);
    assert.deepEqual(asked, [[1]]);
    assert.equal(proposal?.mediaIds.length, 3000);
    assert.equal(proposal.reasons.length, 2999);
  });

  it('say of every media why it stands there, by pairs that connect the whole', async () => {
    const [proposal] = await proposeGroups(
      range(1, 6).map((id) => media(id)),
      [sourceOf('scenes', [...everyPair(range(1, 6), 'place', 3), tie(1, 2, 'camera', 1)])],
    );
    assert.deepEqual(
      new Set(proposal?.reasons.flatMap((one) => [one.mediaId, one.otherMediaId])),
      new Set(range(1, 6)),
    );
    assert.deepEqual(
      proposal?.reasons.filter((one) => one.mediaId === 1 && one.otherMediaId === 2).map(({ method }) => method),
      ['place', 'camera'],
    );
  });

  it('never rest on time alone, which only strengthens', async () => {
    const at = (seconds: number) => ({ timeMs: seconds * 1000, hasOffset: false });
    const near = [media(1, { capturedAt: at(0) }), media(2, { capturedAt: at(30) })];
    const far = [media(1, { capturedAt: at(0) }), media(2, { capturedAt: at(90_000_000) })];
    const weak = sourceOf('scenes', [tie(1, 2, 'place', 0.9)]);
    assert.deepEqual(await groupsOf(near, sourceOf('scenes', [])), []);
    assert.deepEqual(await groupsOf(far, weak), []);
    const [strengthened] = await proposeGroups(near, [weak]);
    assert.deepEqual(
      strengthened?.reasons.map(({ method, distance }) => [method, distance]),
      [
        ['place', 0.1],
        ['time', 30],
      ],
    );
  });

  it('keep dismissed pairs apart even where all else is a copy of one picture', async () => {
    const dismissed = [1, 2].map((id) => media(id, { equalHash: 'aa', exclusions: ['dismissed 7'] }));
    const groups = await groupsOf(
      [...dismissed, media(3, { equalHash: 'aa' })],
      sourceOf('copies', everyPair([1, 2, 3], 'pdq', 4)),
    );
    assert.equal(groups.length, 1);
    assert.ok(groups[0]?.includes(3) && groups[0].length === 2);
  });

  it('go on from what a person has shaped, and never join two such', async () => {
    const given = [1, 2]
      .map((id) => media(id, { shapedBy: 5 }))
      .concat(
        [3, 4].map((id) => media(id, { shapedBy: 6 })),
        media(9),
      );
    const found = await proposeGroups(given, [sourceOf('scenes', everyPair([1, 2, 3, 4, 9], 'place', 3.9))]);
    assert.equal(found.length, 2);
    assert.deepEqual(
      found.map(({ shapedBy }) => shapedBy),
      [5, 6],
    );
  });

  it('want more of a pair the more media there are', () => {
    assert.ok(groupingOdds(100_000).priorLog10Odds < groupingOdds(1_000).priorLog10Odds);
    assert.ok(groupingOdds(1_000).priorLog10Odds < groupingOdds(20).priorLog10Odds);
  });
});
