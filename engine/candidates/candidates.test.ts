import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { HomewardError } from '../../schemas/error.ts';
import { recordPictures } from '../../test/candidate-kit.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import type { Db } from '../store/db.ts';
import { mediaOfCandidate } from './candidate.ts';
import { acceptCandidate, dismissCandidate, mergeCandidates, splitCandidate } from './decide.ts';
import { findCandidates } from './find.ts';
import { listCandidates, showCandidate } from './list.ts';
import { undoDecision } from './undo.ts';

const by = { actor: 'tester', organisation: 'unit' };
const isState = (error: unknown) => error instanceof HomewardError && error.code === 'HW_CANDIDATE_STATE';
const inOrder = (ids: readonly number[]): number[] => ids.toSorted((a, b) => a - b);
let names = 0;

/** Copies of one picture nobody has seen, `bits` of which are turned in each: near duplicates. */
function copies(count: number): { name: string; pdqHex: string }[] {
  const base = randomBytes(32);
  return Array.from({ length: count }, (_, copy) => {
    const bits = Buffer.from(base);
    for (let turned = 0; turned < copy; turned += 1) bits[turned] = (bits[turned] ?? 0) ^ (1 << (turned % 8));
    names += 1;
    return { name: `picture ${names}`, pdqHex: bits.toString('hex') };
  });
}

/** The proposals that stand and their media, as text: everything that undoing has to restore. */
async function standing(db: Db): Promise<string[]> {
  const open = await listCandidates(db, { state: 'proposed', limit: 1000 });
  return await Promise.all(
    open.map(async ({ candidateId, shaped }) => `${candidateId} ${shaped}: ${await mediaOfCandidate(db, candidateId)}`),
  );
}

for (const engine of STORE_ENGINES) {
  describe(`candidate series on ${engine.name}`, engine.options, () => {
    let db: Db;
    before(async () => {
      db = await engine.open();
    });
    after(async () => await db.close());

    /** A proposal of so many copies. */
    async function proposed(count: number): Promise<{ candidateId: number; mediaIds: number[] }> {
      const mediaIds = inOrder(await recordPictures(db, copies(count)));
      const { added } = await findCandidates(db, {});
      const [candidateId] = added;
      assert.ok(candidateId !== undefined && added.length === 1);
      assert.deepEqual(await mediaOfCandidate(db, candidateId), mediaIds);
      return { candidateId, mediaIds };
    }

    it('finds copies, tells why, and finds nothing new when it looks again', async () => {
      const { candidateId, mediaIds } = await proposed(3);
      const again = await findCandidates(db, {});
      assert.deepEqual([again.added, again.superseded], [[], []]);
      assert.ok(again.kept.includes(candidateId));
      const shown = await showCandidate(db, candidateId);
      assert.deepEqual(
        shown.members.map(({ mediaId, caseRef }) => [mediaId, caseRef]),
        mediaIds.map((mediaId) => [mediaId, 'case']),
      );
      assert.ok(shown.why.every(({ method, distance }) => method === 'pdq' && distance >= 1 && distance <= 31));
      assert.deepEqual(new Set(shown.why.flatMap((one) => [one.mediaId, one.otherMediaId])), new Set(mediaIds));
    });

    it('leaves a picture alone that nothing resembles, and a known one', async () => {
      const [known, other] = await recordPictures(db, copies(2));
      await recordPictures(db, copies(1));
      const [series] = await db.query<{ series_id: number }>(
        "insert into series (source, name) values ('partner', 'known') returning series_id",
      );
      await db.execute(
        `insert into model_match (media_id, method, algorithm, pipeline_version, distance, threshold, calibrated,
                                  log10_likelihood_ratio, gallery_size, series_id, details)
         values ($1, 'copy', 'a', '1', 0, 0, true, 3, 1, $2, '{}')`,
        [known ?? 0, series?.series_id ?? 0],
      );
      assert.deepEqual((await findCandidates(db, {})).added, []);
      // A match that a person rejected is no match.
      await db.execute(
        "insert into lead (media_id, series_id, log10_likelihood_ratio, state) values ($1, $2, 3, 'rejected')",
        [known ?? 0, series?.series_id ?? 0],
      );
      const { added } = await findCandidates(db, {});
      assert.deepEqual(await mediaOfCandidate(db, added[0] ?? 0), inOrder([known ?? 0, other ?? 0]));
    });

    it('supersedes a proposal that grew, with the one that holds its media now', async () => {
      const pictures = copies(4);
      await recordPictures(db, pictures.slice(0, 3));
      const [first] = (await findCandidates(db, {})).added;
      await recordPictures(db, pictures.slice(3));
      const { added, superseded } = await findCandidates(db, {});
      assert.deepEqual(superseded, [first]);
      const shown = await showCandidate(db, first ?? 0);
      assert.deepEqual([shown.state, shown.supersededBy], ['superseded', added[0]]);
    });

    it('joins pictures of one camera by its serial number', async () => {
      const capture = { make: 'Maker', model: 'M 1', bodySerialNumber: '000 48-21/B' };
      names += 2;
      const mediaIds = await recordPictures(db, [
        { name: `picture ${names}`, capture },
        { name: `picture ${names - 1}`, capture: { ...capture, bodySerialNumber: '4821B' } },
        { name: `${names} by another`, capture: { ...capture, model: 'M 2' } },
      ]);
      const { added } = await findCandidates(db, {});
      assert.deepEqual(await mediaOfCandidate(db, added[0] ?? 0), inOrder(mediaIds.slice(0, 2)));
    });

    it('makes an accepted proposal a series, whose media are then known; undoing it makes them unknown again', async () => {
      const { candidateId, mediaIds } = await proposed(3);
      const { seriesId } = await acceptCandidate(db, by, candidateId, 'garden');
      const held = () =>
        db.query<{ media_id: number }>('select media_id from series_media where series_id = $1', [seriesId]);
      assert.deepEqual(inOrder((await held()).map(({ media_id }) => media_id)), mediaIds);
      assert.ok(!(await findCandidates(db, {})).added.includes(candidateId));
      await assert.rejects(acceptCandidate(db, by, candidateId, 'garden'), isState);
      await undoDecision(db, by, candidateId);
      assert.deepEqual(await held(), []);
      assert.equal((await showCandidate(db, candidateId)).state, 'proposed');
      assert.ok((await findCandidates(db, {})).kept.includes(candidateId));
      // The series is there with its history, and takes them again.
      assert.equal((await acceptCandidate(db, by, candidateId, 'garden')).seriesId, seriesId);
    });

    it('never proposes a dismissed pair again, even when more of the same comes', async () => {
      const pictures = copies(5);
      const dismissed = await recordPictures(db, pictures.slice(0, 3));
      const [candidateId] = (await findCandidates(db, {})).added;
      await dismissCandidate(db, by, candidateId ?? 0);
      assert.deepEqual((await findCandidates(db, {})).added, []);
      await recordPictures(db, pictures.slice(3));
      const { added } = await findCandidates(db, {});
      for (const later of added) {
        const members = await mediaOfCandidate(db, later);
        assert.ok(members.filter((mediaId) => dismissed.includes(mediaId)).length <= 1);
      }
      assert.ok(added.length > 0);
    });

    it('keeps split parts apart, lets them grow, and undoes the split only while nothing came of it', async () => {
      const pictures = copies(6);
      const mediaIds = await recordPictures(db, pictures.slice(0, 5));
      const [candidateId] = (await findCandidates(db, {})).added;
      const { candidateIds } = await splitCandidate(db, by, candidateId ?? 0, mediaIds.slice(3));
      assert.deepEqual((await findCandidates(db, {})).added, []);
      await recordPictures(db, pictures.slice(5));
      const { added, superseded } = await findCandidates(db, {});
      assert.equal(added.length, 1);
      assert.ok(superseded.length === 1 && candidateIds.includes(superseded[0] ?? 0));
      assert.equal((await showCandidate(db, added[0] ?? 0)).shaped, true);
      await assert.rejects(undoDecision(db, by, candidateId ?? 0), isState);
    });

    it('restores what stood before, whatever was split and merged, when all is undone', async () => {
      for (let made = 0; made < 3; made += 1) await proposed(4);
      const step = fc.record({ split: fc.boolean(), which: fc.nat(100), where: fc.nat(100) });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 4 }), async (steps) => {
          const before = await standing(db);
          const decided: number[] = [];
          for (const { split, which, where } of steps) {
            const open = await listCandidates(db, { state: 'proposed', limit: 1000 });
            const one = open[which % open.length];
            const other = open[where % open.length];
            if (one === undefined || other === undefined) continue;
            const members = await mediaOfCandidate(db, one.candidateId);
            if (split && members.length > 1) {
              const part = members.slice(0, 1 + (where % (members.length - 1)));
              decided.push((await splitCandidate(db, by, one.candidateId, part)).candidateIds[0] ?? 0);
            } else if (!split && one !== other) {
              const merged = await mergeCandidates(db, by, [one.candidateId, other.candidateId]);
              decided.push(merged.candidateIds[0] ?? 0);
            }
          }
          for (const candidateId of decided.reverse()) await undoDecision(db, by, candidateId);
          assert.deepEqual(await standing(db), before);
        }),
        { numRuns: 12 },
      );
    });

    it('looks only at a case when told to, and at what else its open proposals hold', async () => {
      const { candidateId } = await proposed(2);
      await assert.rejects(findCandidates(db, { caseRef: 'nowhere' }), /HW_BATCH_NOT_FOUND|of which nothing is here/);
      const result = await findCandidates(db, { caseRef: 'case' });
      assert.ok(result.kept.includes(candidateId));
    });

    it('refuses what makes no sense', async () => {
      const { candidateId, mediaIds } = await proposed(3);
      const isMissing = (error: unknown) => error instanceof HomewardError && error.code === 'HW_CANDIDATE_NOT_FOUND';
      await assert.rejects(showCandidate(db, 999_999), isMissing);
      await assert.rejects(splitCandidate(db, by, candidateId, mediaIds), isMissing);
      await assert.rejects(splitCandidate(db, by, candidateId, [999_999]), isMissing);
      await assert.rejects(mergeCandidates(db, by, [candidateId]), HomewardError);
      await assert.rejects(undoDecision(db, by, candidateId), isState);
    });
  });
}
