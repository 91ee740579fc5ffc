import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { HomewardError } from '../../schemas/error.ts';
import type { ModelFusion } from '../../schemas/model-pack.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import { withdrawModelMatches } from '../match/model-matches.ts';
import type { Db } from '../store/db.ts';
import { explainMatch } from './explain.ts';
import { isPaused, pausedMethods, resumeMethod } from './pauses.ts';
import { methodPrecision } from './precision.ts';
import { listLeads, showLead } from './queue.ts';
import { refreshLeads } from './refresh.ts';
import { ADULTS_ONLY } from './sentences.ts';
import {
  addHashMatch,
  addMaterial,
  addSeries,
  decided,
  evidenceOf,
  found,
  GROUNDS,
  type KnownSeries,
  leadOf,
  type Material,
  PDQ_WEIGHT,
} from './test-lead-kit.ts';

for (const engine of STORE_ENGINES) {
  describe(`leads on ${engine.name}`, engine.options, () => {
    let db: Db;
    before(async () => {
      db = await engine.open();
    });
    after(async () => await db.close());

    const refresh = async (mediaId: number) =>
      await db.transaction(async (tx) => await refreshLeads(tx, { mediaIds: [mediaId] }));
    async function lead(material: Material, series: KnownSeries) {
      return (await leadOf(db, material.mediaId, series.seriesId)) ?? assert.fail('no lead');
    }
    /** A lead by a face, fresh. */
    async function faceLead(): Promise<{ material: Material; series: KnownSeries; leadId: number }> {
      const [material, series] = [await addMaterial(db), await addSeries(db)];
      await found(db, evidenceOf('face', material, series));
      return { material, series, leadId: (await lead(material, series)).leadId };
    }

    describe('made of evidence', () => {
      it('adds face, place and device, and takes a copy alone where it is stronger', async () => {
        const [material, series] = [await addMaterial(db), await addSeries(db)];
        const methods = ['face', 'place', 'camera'] as const;
        const made = await found(
          db,
          ...methods.map((method) => evidenceOf(method, material, series, { log10LikelihoodRatio: 1.25 })),
        );
        assert.deepEqual(made, { opened: 1, changed: 0, withdrawn: 0 });
        assert.equal((await lead(material, series)).weight, 3.75);
        await addHashMatch(db, material.mediaId, { method: 'pdq', seriesId: series.seriesId });
        assert.deepEqual(await refresh(material.mediaId), { opened: 0, changed: 1, withdrawn: 0 });
        assert.equal((await lead(material, series)).weight, PDQ_WEIGHT);
      });

      it('changes nothing when refreshed again', async () => {
        const { material } = await faceLead();
        assert.deepEqual(await refresh(material.mediaId), { opened: 0, changed: 0, withdrawn: 0 });
      });

      it('makes none of evidence that is not calibrated or weighs less than ten to one', async () => {
        const [material, series] = [await addMaterial(db), await addSeries(db)];
        await found(
          db,
          evidenceOf('face', material, series, { calibrated: false, expectedFalseMatches: 4, log10LikelihoodRatio: 3 }),
          evidenceOf('place', material, series, { log10LikelihoodRatio: 0.9 }),
        );
        await addHashMatch(db, material.mediaId, { method: 'pdq', expectedFalseMatches: 2, seriesId: series.seriesId });
        await refresh(material.mediaId);
        assert.equal(await leadOf(db, material.mediaId, series.seriesId), null);
      });

      it('makes none against the series that holds the very content, and of known content none for a copy', async () => {
        const [material, own, other] = [await addMaterial(db), await addSeries(db), await addSeries(db)];
        await addHashMatch(db, material.mediaId, { method: 'sha256', seriesId: own.seriesId });
        await found(db, evidenceOf('face', material, own), evidenceOf('copy', material, other));
        assert.equal(await leadOf(db, material.mediaId, own.seriesId), null);
        assert.equal(await leadOf(db, material.mediaId, other.seriesId), null);
        await found(db, evidenceOf('face', material, other));
        assert.equal((await lead(material, other)).weight, 2);
      });

      it('makes none against a series whose own media it is', async () => {
        const [series, other] = [await addSeries(db), await addSeries(db)];
        await found(
          db,
          evidenceOf('face', series.known, series, {
            knownFaceId: other.known.faceId,
            knownMediaId: other.known.mediaId,
          }),
        );
        assert.equal(await leadOf(db, series.known.mediaId, series.seriesId), null);
      });

      it('is withdrawn with its evidence, comes back with it, and follows a set that goes out of force', async () => {
        const { material, series } = await faceLead();
        const touched = await db.transaction(
          async (tx) => await withdrawModelMatches(tx, { subjectIds: [series.subjectId] }),
        );
        assert.deepEqual(touched, [material.mediaId]);
        assert.deepEqual(await refresh(material.mediaId), { opened: 0, changed: 0, withdrawn: 1 });
        assert.equal((await lead(material, series)).state, 'withdrawn');
        const setId = await addHashMatch(db, material.mediaId, { method: 'pdq', seriesId: series.seriesId });
        await refresh(material.mediaId);
        assert.equal((await lead(material, series)).state, 'open');
        await db.execute(`update hash_set set state = 'removed' where set_id = $1`, [setId]);
        await refresh(material.mediaId);
        assert.equal((await lead(material, series)).state, 'withdrawn');
      });

      it('counts for the series that its own was merged into', async () => {
        const [material, merged, target] = [await addMaterial(db), await addSeries(db), await addSeries(db)];
        await db.execute('update series set merged_into = $2 where series_id = $1', [merged.seriesId, target.seriesId]);
        await found(db, evidenceOf('face', material, merged));
        assert.equal(await leadOf(db, material.mediaId, merged.seriesId), null);
        assert.equal((await lead(material, target)).state, 'open');
        await db.execute('delete from lead where media_id = $1', [material.mediaId]);
        await db.transaction(async (tx) => await refreshLeads(tx, { seriesIds: [target.seriesId] }));
        assert.equal((await lead(material, target)).state, 'open');
      });
    });

    describe('decided on', () => {
      it('takes two people to confirm, and keeps what it rested on', async () => {
        const { leadId } = await faceLead();
        const first = await decided(db, leadId, 'A. Examiner');
        assert.equal(first.state, 'needsSecondOpinion');
        assert.match(first.stillNeeded ?? '', /another person/i);
        assert.equal((await decided(db, leadId, 'a.  EXAMINER ', { note: 'again' })).state, 'needsSecondOpinion');
        assert.equal((await decided(db, leadId, 'B. Examiner')).state, 'confirmed');
        const [kept] = await db.query<{ evidence: { method: string; distance: number; threshold: number }[] }>(
          'select evidence from disposition where lead_id = $1 limit 1',
          [leadId],
        );
        assert.deepEqual(
          kept?.evidence.map(({ method, distance, threshold }) => [method, distance, threshold]),
          [['face', 0.1, 0.2]],
        );
      });

      it('is not confirmed by metadata alone, however many say so', async () => {
        const { leadId } = await faceLead();
        for (const person of ['A', 'B', 'C']) {
          const { state } = await decided(db, leadId, person, { basis: 'metadata' });
          assert.equal(state, 'needsSecondOpinion');
        }
        assert.equal((await decided(db, leadId, 'D')).state, 'confirmed');
      });

      it('refuses a confirmation without a basis, and a lead that is not there', async () => {
        const { leadId } = await faceLead();
        const code = (expected: string) => (error: unknown) =>
          error instanceof HomewardError && error.code === expected;
        await assert.rejects(decided(db, leadId, 'A', { basis: null }), code('HW_USAGE'));
        await assert.rejects(decided(db, leadId, '  '), code('HW_USAGE'));
        await assert.rejects(decided(db, 999_999, 'A'), code('HW_LEAD_NOT_FOUND'));
      });

      it('is never offered again once rejected, whatever evidence arrives', async () => {
        const { material, series, leadId } = await faceLead();
        assert.equal((await decided(db, leadId, 'A', { verdict: 'rejected', basis: null })).state, 'rejected');
        await found(db, evidenceOf('place', material, series), evidenceOf('camera', material, series));
        assert.deepEqual(await lead(material, series), { leadId, state: 'rejected', weight: 6 });
        const queue = await listLeads(db, { viewer: 'A', most: 1_000 });
        assert.equal(
          queue.some((one) => one.leadId === leadId),
          false,
        );
        await db.transaction(async (tx) => await withdrawModelMatches(tx, { mediaIds: [material.mediaId] }));
        await refresh(material.mediaId);
        await found(db, evidenceOf('face', material, series));
        assert.equal((await lead(material, series)).state, 'rejected');
      });

      it('keeps a conflict open until a third person decides it', async () => {
        const { leadId } = await faceLead();
        await decided(db, leadId, 'A', { verdict: 'rejected', basis: 'viewed' });
        assert.equal((await decided(db, leadId, 'B')).state, 'needsSecondOpinion');
        assert.equal((await decided(db, leadId, 'C')).state, 'confirmed');
      });

      it('records the same word of one person once', async () => {
        const { leadId } = await faceLead();
        assert.equal((await decided(db, leadId, 'A')).recorded, true);
        assert.equal((await decided(db, leadId, 'A')).recorded, false);
        assert.equal((await decided(db, leadId, 'A', { verdict: 'unsure', basis: null })).recorded, true);
        const [count] = await db.query<{ n: number }>('select count(*)::int as n from disposition where lead_id = $1', [
          leadId,
        ]);
        assert.equal(count?.n, 2);
      });

      it('lets both of two decisions at once count', async () => {
        const { material, series, leadId } = await faceLead();
        await Promise.all([decided(db, leadId, 'A'), decided(db, leadId, 'B', { basis: 'partner' })]);
        assert.equal((await lead(material, series)).state, 'confirmed');
      });
    });

    describe('shown', () => {
      it('keeps the first decision from the second person until they have decided', async () => {
        const { leadId } = await faceLead();
        await decided(db, leadId, 'First', { verdict: 'unsure', basis: null, note: 'the ear' });
        const second = await showLead(db, leadId, 'Second');
        assert.equal(second.decisions, null);
        assert.equal(second.state, 'needsSecondOpinion', 'not even that somebody was unsure');
        assert.equal(JSON.stringify(second).includes('the ear'), false);
        assert.equal((await showLead(db, leadId, ' first')).decisions?.length, 1);
        const asked = await listLeads(db, { viewer: 'Second', states: ['unsure'], most: 1_000 });
        assert.equal(
          asked.some((one) => one.leadId === leadId),
          false,
          'asking by state tells no more',
        );
        await decided(db, leadId, 'Second');
        assert.deepEqual(
          (await showLead(db, leadId, 'Second')).decisions?.map((one) => one.verdict),
          ['unsure', 'confirmed'],
        );
      });

      it('ranks by weight, filters by case and series, and says each piece of evidence in a sentence', async () => {
        const [material, series] = [await addMaterial(db), await addSeries(db)];
        await addHashMatch(db, material.mediaId, { method: 'pdq', seriesId: series.seriesId });
        await found(
          db,
          evidenceOf('face', material, series, { borderline: true }),
          evidenceOf('place', material, series, { calibrated: false, expectedFalseMatches: 3 }),
          evidenceOf('camera', material, series),
          evidenceOf('copy', material, series, { log10LikelihoodRatio: 2.5 }),
        );
        const [shown, ...others] = await listLeads(db, { viewer: 'A', series: series.name, caseRef: 'case', most: 10 });
        assert.equal(others.length, 0);
        assert.equal(shown?.adultsOnly, true);
        assert.deepEqual(
          shown?.reasons.map((one) => [one.method, one.counted]),
          [
            ['pdq', true],
            ['copy', false],
            ['camera', false],
            ['face', false],
            ['place', false],
          ],
        );
        const said = Object.fromEntries(shown?.reasons.map((one) => [one.method, one.sentence]) ?? []);
        assert.match(
          said['pdq'] ?? '',
          /12 bits from a known one of Project set \d+ version 1, where 31 are allowed.*mirrored/,
        );
        assert.match(
          said['face'] ?? '',
          /subject 1.*0\.100, where 0\.200 is allowed \(face-pack@1\.0\.0\/embedding\).*0\.05 false matches.*50 comparisons\. Borderline/,
        );
        assert.match(
          said['place'] ?? '',
          /31 by a fundamental matrix, where 15 are asked for.*Not calibrated for a search of this size: no lead rests on it alone/,
        );
        assert.match(said['camera'] ?? '', /camera serial number of device camera 1, one of 312 seen/);
        assert.match(ADULTS_ONLY, /children or ageing/);
        assert.doesNotMatch(JSON.stringify(said), /probab|%/);
        assert.deepEqual(await listLeads(db, { viewer: 'A', caseRef: 'no such case', most: 10 }), []);
        const all = await listLeads(db, { viewer: 'nobody', most: 1_000 });
        assert.deepEqual(
          all.map((one) => one.log10LikelihoodRatio),
          all.map((one) => one.log10LikelihoodRatio).sort((a, b) => b - a),
        );
      });

      it('says where the content lies and where in it the faces are', async () => {
        const raw = Buffer.from([0x2f, 0x61, 0xff, 0x62]);
        const [material, series] = [await addMaterial(db, raw), await addSeries(db)];
        await found(db, evidenceOf('face', material, series));
        const shown = await showLead(db, (await lead(material, series)).leadId, 'A');
        assert.deepEqual(shown.items, [
          { caseRef: 'case', exhibitRef: 'exhibit', path: '/a\ufffdb', pathHex: '2f61ff62' },
        ]);
        assert.deepEqual(shown.faces, [{ faceId: material.faceId, x: 0, y: 10, width: 100, height: 100 }]);
      });
    });

    describe('by methods that prove themselves', () => {
      it('pauses a method whose leads are rejected, by algorithm, until it is resumed and counted anew', async () => {
        const algorithm = 'poor-pack@1.0.0/embedding';
        const changes = { algorithm, log10LikelihoodRatio: 3 };
        for (let at = 0; at < 20; at += 1) {
          const [material, series] = [await addMaterial(db), await addSeries(db)];
          await found(db, evidenceOf('copy', material, series, changes));
          const { leadId } = await lead(material, series);
          const outcome = await decided(db, leadId, 'A', at < 5 ? {} : { verdict: 'rejected', basis: 'viewed' });
          assert.equal(outcome.nowPaused.length, at < 19 ? 0 : 1, `after ${at + 1} decided`);
        }
        const mine = async () => (await methodPrecision(db)).find((one) => one.algorithm === algorithm);
        assert.deepEqual([(await mine())?.confirmed, (await mine())?.rejected], [5, 15]);
        assert.equal(isPaused(await pausedMethods(db), { method: 'copy', algorithm }), true);

        const [material, series] = [await addMaterial(db), await addSeries(db)];
        await found(db, evidenceOf('copy', material, series, changes));
        assert.equal(await leadOf(db, material.mediaId, series.seriesId), null, 'no new lead rests on it alone');
        await found(db, evidenceOf('camera', material, series));
        assert.equal((await lead(material, series)).weight, 3, 'beside another method it counts');

        const resumed = await db.transaction(
          async (tx) =>
            await resumeMethod(tx, { method: 'copy', algorithm: null, resumedBy: 'B', reason: 'new threshold' }),
        );
        assert.deepEqual(resumed, [algorithm]);
        assert.equal(await mine(), undefined, 'nothing is decided since then');
        const [next, against] = [await addMaterial(db), await addSeries(db)];
        await found(db, evidenceOf('copy', next, against, changes));
        assert.equal((await lead(next, against)).state, 'open');
      });
    });

    describe('explained', () => {
      it('gives what a match by model is computed from, and no vector', async () => {
        const { material, series } = await faceLead();
        const [made] = await db.query<{ match_id: number }>('select match_id from model_match where media_id = $1', [
          material.mediaId,
        ]);
        const files = [{ name: 'net.onnx', sha256: 'ab'.repeat(32), sizeBytes: 1 }];
        const fusion = (kind: 'face' | 'geometry', pack?: string): ModelFusion => ({
          id: pack ?? kind,
          kind,
          title: kind,
          parts: pack === undefined ? [] : [{ pack, version: '1.0.0', output: 'embedding', weight: 1 }],
          thresholdSimilarity: 0.8,
          calibratedOn: 'nothing',
          calibration: null,
        });
        const explained = await explainMatch(db, `v${made?.match_id}`, {
          models: {
            packs: [{ id: 'face-pack', version: '1.0.0', files, thresholds: [], calibration: null }],
            fusions: [fusion('face', 'face-pack'), fusion('face', 'another-pack'), fusion('geometry')],
          },
          hashes: false,
        });
        const {
          media,
          known,
          packs,
          grounds,
          scores,
          comparisons,
          falseMatchRateUpper95,
          expectedFalseMatches,
          adultsOnly,
        } = explained;
        assert.deepEqual(media, {
          sha256: material.sha256,
          face: {
            faceId: material.faceId,
            sha256: material.sha256,
            detector: 'blazeface',
            detectorVersion: '1.0.0',
            x: 0,
            y: 10,
            width: 100,
            height: 100,
            detectionScore: 0.9,
            eyeDistancePixels: 40,
            sharpness: 100,
            yawDegrees: 0,
            pitchDegrees: 0,
            rollDegrees: 0,
          },
        });
        assert.ok(typeof known === 'object' && known !== null && 'subject' in known && 'series' in known);
        assert.deepEqual([known.subject, known.series], ['subject 1', series.name]);
        assert.deepEqual(explained['fusions'], [fusion('face', 'face-pack')]);
        assert.deepEqual(packs, [
          { id: 'face-pack', version: '1.0.0', installed: true, files, thresholds: [], calibration: null },
        ]);
        assert.deepEqual({ grounds, adultsOnly }, { grounds: GROUNDS, adultsOnly: true });
        const vector = {
          space: 'face-pack@1.0.0/embedding',
          pack: 'face-pack',
          version: '1.0.0',
          output: 'embedding',
          part: null,
        };
        assert.deepEqual(scores, [{ media: vector, known: vector, similarity: 0.9, weight: 1 }]);
        assert.equal(Number(comparisons) * Number(falseMatchRateUpper95), expectedFalseMatches);
        assert.doesNotMatch(JSON.stringify(explained), /\[1,0,0\]|"values"/);
      });

      it('gives a match by hash its set, calibration and, only when asked, the hashes', async () => {
        const [material, series] = [await addMaterial(db), await addSeries(db)];
        await addHashMatch(db, material.mediaId, { method: 'pdq', seriesId: series.seriesId });
        await db.execute(
          `insert into known_bits (record_id, set_id, algorithm, bits) select record_id, set_id, 'pdq', repeat('10', 128)::bit(256)
             from match where media_id = $1`,
          [material.mediaId],
        );
        const [made] = await db.query<{ match_id: number }>('select match_id from match where media_id = $1', [
          material.mediaId,
        ]);
        const id = `m${made?.match_id}`;
        const explained = await explainMatch(db, id, { models: { packs: [], fusions: [] }, hashes: false });
        assert.deepEqual(
          [explained['distanceBits'], explained['thresholdBits'], explained['orientation'], explained['inForce']],
          [12, 31, 'flipY', true],
        );
        assert.equal(JSON.stringify(explained).includes('aaaaaaaa'), false);
        const withHashes = await explainMatch(db, id, { models: { packs: [], fusions: [] }, hashes: true });
        assert.equal(JSON.stringify(withHashes).includes('aa'.repeat(32)), true);
      });

      it('refuses what is no match', async () => {
        for (const [id, code] of [
          ['v999999', 'HW_MATCH_NOT_FOUND'],
          ['m999999', 'HW_MATCH_NOT_FOUND'],
          ['12', 'HW_USAGE'],
          ['v0', 'HW_USAGE'],
        ] as const) {
          await assert.rejects(
            explainMatch(db, id, { models: { packs: [], fusions: [] }, hashes: false }),
            (error: unknown) => error instanceof HomewardError && error.code === code,
          );
        }
      });
    });
  });
}
