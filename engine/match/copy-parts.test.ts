import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { CALIBRATION, FUSIONS, PictureScan, seen, sha256OfPicture } from '../../test/model-match-kit.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import { explainMatch } from '../leads/explain.ts';
import { evidenceInForce } from '../leads/lead-evidence.ts';
import { sentenceOf } from '../leads/sentences.ts';
import { addMedia } from '../series/add.ts';
import { createSeries } from '../series/create.ts';
import type { Db } from '../store/db.ts';
import { listSpaces, spaceName } from '../store/queries/embedding-spaces.ts';
import { vectorsOfMedia } from '../store/queries/read-embeddings.ts';
import { integer, row } from '../store/row-shape.ts';

const BY = { actor: 'A. Examiner', organisation: 'unit' };
const Vector = Type.Object({
  space: Type.String(),
  pack: Type.String(),
  version: Type.String(),
  output: Type.String(),
  part: Type.String(),
});
/** What of an explanation it takes to compute the score and its weight again. */
const explanation = Compile(
  Type.Object({
    media: Type.Object({ sha256: Type.String() }),
    known: Type.Object({ sha256: Type.String() }),
    scores: Type.Tuple([
      Type.Object({ media: Vector, known: Vector, similarity: Type.Number(), weight: Type.Number() }),
    ]),
    distance: Type.Number(),
    threshold: Type.Number(),
    comparisons: Type.Number(),
    falseMatchRateUpper95: Type.Number(),
    expectedFalseMatches: Type.Number(),
    fusions: Type.Array(Type.Object({ calibration: Type.Unknown() })),
    partRule: Type.String(),
  }),
);

for (const engine of STORE_ENGINES) {
  describe(`copies by parts of pictures on ${engine.name}`, engine.options, () => {
    let db: Db;
    let scan: PictureScan;
    before(async () => {
      db = await engine.open();
      scan = await PictureScan.open(db);
      await createSeries(db, BY, { name: 'one' });
      await scan.scan('known', seen({ whole: 0, centre: 1, left: 2, right: 3, top: 4, bottom: 5 }));
      await addMedia(db, BY, { name: 'one' }, [sha256OfPicture('known')]);
    });
    after(async () => {
      await scan.close();
      await db.close();
    });

    async function explained(mediaId: number) {
      const [matchId, ...others] = await scan.matches(mediaId);
      assert.deepEqual(others, [], 'one piece of evidence, whatever parts are alike');
      const given = await explainMatch(db, `v${matchId}`, { models: { packs: [], fusions: FUSIONS }, hashes: false });
      return explanation.Parse(given);
    }
    /** The cosine of what is stored of a media in a space and of another in another. */
    async function cosine(ofMedia: string, ofSpace: string, knownMedia: string, knownSpace: string): Promise<number> {
      const [own, known] = await Promise.all(
        [
          [ofMedia, ofSpace],
          [knownMedia, knownSpace],
        ].map(async ([sha256 = '', name]) => {
          const space = (await listSpaces(db)).find((one) => spaceName(one) === name) ?? assert.fail(name);
          const [media] = await db.read(row({ mediaId: integer }), 'select media_id from media where sha256 = $1', [
            Buffer.from(sha256, 'hex'),
          ]);
          const [stored] = await vectorsOfMedia(db, space, [media?.mediaId ?? 0]);
          return stored?.vector ?? assert.fail('no vector');
        }),
      );
      return own?.reduce((sum, value, at) => sum + value * (known?.[at] ?? 0), 0) ?? assert.fail();
    }

    const pairs = [
      { name: 'whole beside whole', parts: { whole: 0 }, own: 'whole', known: 'whole' },
      { name: 'the left of a collage', parts: { whole: 9, left: 0, right: 8 }, own: 'left', known: 'whole' },
      { name: 'a crop', parts: { whole: 1, centre: 9 }, own: 'whole', known: 'centre' },
      { name: 'the half of a known collage', parts: { whole: 5 }, own: 'whole', known: 'bottom' },
      { name: 'what was tilted', parts: { whole: 9, centre: 1 }, own: 'centre', known: 'centre' },
    ] as const;
    for (const { name, parts, own, known } of pairs) {
      it(`are explained by the parts that were compared: ${name}`, async () => {
        const mediaId = await scan.scan(name, seen(parts));
        const given = await explained(mediaId);
        const [score] = given.scores;
        const stored = (part: string) => `copy-pack@1.0.0/embedding${part === 'whole' ? '' : `/${part}`}`;
        const vector = (part: string) => ({
          space: stored(part),
          pack: 'copy-pack',
          version: '1.0.0',
          output: 'embedding',
          part,
        });
        assert.deepEqual([score.media, score.known], [vector(own), vector(known)]);
        const again = await cosine(given.media.sha256, score.media.space, given.known.sha256, score.known.space);
        assert.ok(Math.abs(again - score.similarity) < 1e-5 && Math.abs(1 - again - given.distance) < 1e-5);
        assert.ok(Math.abs(given.threshold - 0.2) < 1e-9);
        // The known picture has 6 vectors, and 12 pairs of parts are compared.
        assert.equal(given.comparisons, 12);
        assert.equal(given.comparisons * given.falseMatchRateUpper95, given.expectedFalseMatches);
        assert.deepEqual(
          given.fusions.map((one) => one.calibration),
          [CALIBRATION],
        );
        const { evidence } = await evidenceInForce(db, [mediaId]);
        const [sentence = ''] = evidence.map(sentenceOf);
        const parted = own !== 'whole' || known !== 'whole';
        const words = (part: string) => (part === 'whole' ? 'the whole' : `the ${part} part`);
        assert.equal(sentence.includes(`(${words(own)} of it beside ${words(known)} of the known one)`), parted);
      });
    }
  });
}
