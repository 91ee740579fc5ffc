import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { plantCase } from '../../test/case-kit.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import { openCase } from '../access/cases.ts';
import { FIRST, seedKey, seedOrganisation } from '../access/test-access-kit.ts';
import { addCustodyEvent, custodyOf } from '../custody/events.ts';
import { beginKeyed } from '../idempotency/idempotent-answers.ts';
import { type Db, quoted } from '../store/db.ts';
import { integer, row, text } from '../store/row-shape.ts';
import { submit } from '../submission/submission.ts';
import { closeKeeping, eraseCase } from './close-case.ts';
import { deleteMaterial } from './delete-material.ts';
import { DERIVED_TABLES, KEPT_TABLES } from './derived-tables.ts';
import { decideRetention, listCases } from './retention.ts';

const isCode = (code: string) => (error: unknown) => error instanceof Error && 'code' in error && error.code === code;

for (const engine of STORE_ENGINES) {
  describe(`what goes with a case on ${engine.name}`, engine.options, () => {
    let db: Db;
    before(async () => {
      db = await engine.open();
    });
    after(async () => await db.close());

    const rowsOf = async (): Promise<Record<string, number>> => {
      const counts: Record<string, number> = {};
      for (const table of DERIVED_TABLES) {
        const [found] = await db.read(row({ rows: integer }), `select count(*) as rows from ${quoted(table)}`);
        counts[table] = found?.rows ?? -1;
      }
      return counts;
    };
    const erase = async (caseRef: string, organisation = 'unit') =>
      await db.transaction(async (tx) => await deleteMaterial(tx, { organisation, caseRef }));

    it('every table is either erased from or kept for a reason', async () => {
      const tables = await db.read(
        row({ name: text }),
        `select c.relname as name from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') order by 1`,
      );
      assert.deepEqual(
        tables.map((one) => one.name),
        [...DERIVED_TABLES, ...Object.keys(KEPT_TABLES)].sort(),
      );
    });

    it('is every row that was made of it, and no row of another case', async () => {
      const none = await rowsOf();
      await plantCase(db, { caseRef: 'stays' });
      const one = await rowsOf();
      await plantCase(db, { caseRef: 'gone' });
      const two = await rowsOf();
      for (const table of DERIVED_TABLES)
        if (
          ![
            'candidate_change',
            'series_link',
            'custody_event',
            'match',
            'media_good',
            'candidate_reason',
            'submission',
            'upload',
            'hash_answer',
            'submission_report',
            'idempotent_answer',
          ].includes(table)
        )
          assert.ok((one[table] ?? 0) > (none[table] ?? 0) && (two[table] ?? 0) > (one[table] ?? 0), table);
      const { counts } = await erase('gone');
      assert.deepEqual(await rowsOf(), one);
      assert.equal(counts['item'], 1);
      assert.equal(counts['camera'], 1);
      assert.equal(counts['seen_device'], 1);
      await erase('stays');
      assert.deepEqual(await rowsOf(), none);
    });

    it('is what was handed in for it and kept answers, and nothing that was handed in for another case', async () => {
      const { organisationId } = await seedOrganisation(db, 'none');
      const { principalId } = await seedKey(db, organisationId);
      for (const caseRef of ['handed in', 'kept']) {
        const caseId = await openCase(db, { organisationId, caseRef, jointUntil: null }, FIRST);
        await submit(db, {
          organisationId,
          caseId,
          submittedBy: principalId,
          idempotencyKey: `key of ${caseRef}`,
          kind: 'seizure',
          urgent: false,
          exhibitRef: '7',
          mode: 'exact',
          models: false,
          root: 'evidence',
          path: caseRef,
        });
      }
      await beginKeyed(db, { principalId, idempotencyKey: 'key of answer', requestSha256: Buffer.alloc(32) });
      const { counts } = await erase('handed in', organisationId);
      assert.deepEqual([counts['submission'], counts['idempotent_answer']], [1, 1]);
      assert.deepEqual(await db.query('select path from submission where organisation_id = $1', [organisationId]), [
        { path: 'kept' },
      ]);
    });

    it('is not what another case or another organisation holds too, until that goes as well', async () => {
      const none = await rowsOf();
      const first = await plantCase(db, { caseRef: 'shared', organisation: 'unit' });
      const one = await rowsOf();
      await plantCase(db, { caseRef: 'shared', organisation: 'other unit', shared: first });
      await erase('shared', 'unit');
      assert.deepEqual(await rowsOf(), one);
      await erase('shared', 'other unit');
      assert.equal((await rowsOf())['media'], none['media']);
      assert.equal((await rowsOf())['face_vector'], none['face_vector']);
    });

    it('is evidence of other media that rested on it; their leads are withdrawn', async () => {
      const gone = await plantCase(db, { caseRef: 'known' });
      const stays = await plantCase(db, { caseRef: 'other' });
      const face = async (mediaId: number): Promise<number> =>
        (await db.read(row({ faceId: integer }), 'select face_id from face where media_id = $1', [mediaId]))[0]
          ?.faceId ?? 0;
      const [series] = await db.read(
        row({ seriesId: integer }),
        'select series_id from series_media where media_id = $1',
        [gone.mediaId],
      );
      await db.execute(
        `insert into model_match (media_id, method, algorithm, pipeline_version, distance, threshold, calibrated, log10_likelihood_ratio,
                                  gallery_size, face_id, known_face_id, series_id)
         values ($1, 'face', 'b', 'p1', 0.1, 0.4, true, 3, 10, $2, $3, $4)`,
        [stays.mediaId, await face(stays.mediaId), await face(gone.mediaId), series?.seriesId ?? 0],
      );
      await db.execute('insert into lead (media_id, series_id, log10_likelihood_ratio) values ($1, $2, 3)', [
        stays.mediaId,
        series?.seriesId ?? 0,
      ]);
      await erase('known');
      assert.deepEqual(
        await db.read(row({ state: text }), `select state from lead where media_id = $1 and series_id = $2`, [
          stays.mediaId,
          series?.seriesId ?? 0,
        ]),
        [{ state: 'withdrawn' }],
      );
      await erase('other');
    });

    it('is told by a commitment over the numbers of what went', async () => {
      const planted = await plantCase(db, { caseRef: 'committed' });
      const [item] = await db.read(row({ itemId: integer }), 'select item_id from item where batch_id = $1', [
        planted.batchId,
      ]);
      const { commitment } = await erase('committed');
      const lines = `batch ${planted.batchId}\nitem ${item?.itemId ?? 0}\nmedia ${planted.mediaId}\n`;
      assert.equal(commitment.toString('hex'), createHash('sha256').update(lines).digest('hex'));
    });

    it('leaves its custody, in a whole chain, without the digests', async () => {
      await plantCase(db, { caseRef: 'held' });
      const handOver = {
        organisation: 'unit',
        caseRef: 'held',
        exhibitRef: '7',
        batchId: null,
        from: 'store',
        to: 'lab',
        place: 'room 14',
        at: '2026-11-24T09:30:00.000Z',
        reason: 'imaging',
        digestOf: 'file' as const,
        sha256After: 'ab'.repeat(32),
        tool: 'imager',
        toolVersion: '1',
        recordedBy: 'tester',
        sourceKey: null,
      };
      await addCustodyEvent(db, handOver);
      const { counts } = await erase('held');
      assert.equal(counts['custody_event'], 1);
      await addCustodyEvent(db, {
        ...handOver,
        from: null,
        to: 'owner',
        reason: 'given back',
        digestOf: null,
        sha256After: null,
      });
      const found = await custodyOf(db, { organisation: 'unit', caseRef: 'held' });
      assert.deepEqual(found.chain, { whole: true, events: 2, erased: 1, brokenAt: null });
      assert.deepEqual(
        found.events.map((event) => [event.from, event.to, event.sha256After, event.erasedAt !== null]),
        [
          ['store', 'lab', null, true],
          ['lab', 'owner', null, false],
        ],
      );
    });

    it('of an unknown reference is refused, and a case of another organisation is as unknown', async () => {
      await plantCase(db, { caseRef: 'theirs', organisation: 'other unit' });
      const closing = { organisation: 'unit', justification: 'j', closedBy: 'tester' };
      for (const caseRef of ['nowhere', 'theirs']) {
        await assert.rejects(
          closeKeeping(db, { ...closing, caseRef, outcome: 'acquitted', reviewOn: null }),
          isCode('HW_CASE_UNKNOWN'),
        );
        await assert.rejects(
          eraseCase(db, { ...closing, caseRef, outcome: 'no-offence', backupsGoneBy: null }),
          isCode('HW_CASE_UNKNOWN'),
        );
      }
    });

    it('waits for a review: by the rule of its outcome, by a day given, or until a recorded decision ends', async () => {
      const unit = { organisation: 'review unit', justification: 'j', closedBy: 'tester' };
      for (const caseRef of ['open', 'ruled', 'dated', 'kept'])
        await plantCase(db, { caseRef, organisation: unit.organisation });
      await closeKeeping(db, { ...unit, caseRef: 'ruled', outcome: 'prosecuted', reviewOn: null });
      await closeKeeping(db, { ...unit, caseRef: 'dated', outcome: 'acquitted', reviewOn: '2020-01-31' });
      await closeKeeping(db, { ...unit, caseRef: 'kept', outcome: 'acquitted', reviewOn: '2020-01-31' });
      await decideRetention(
        db,
        { organisation: unit.organisation, caseRef: 'kept' },
        { until: '2999-01-31', justification: 'appeal', decidedBy: 'tester' },
      );
      const due = await listCases(db, unit.organisation, true);
      assert.deepEqual(
        due.map((one) => one.caseRef),
        ['dated'],
      );
      const all = new Map((await listCases(db, unit.organisation, false)).map((one) => [one.caseRef, one]));
      assert.equal(all.get('kept')?.reviewAt?.slice(0, 10), '2999-01-31');
      assert.equal(all.get('open')?.outcome, null);
      assert.equal(all.get('ruled')?.outcome, 'prosecuted');
      await plantCase(db, { caseRef: 'dated', organisation: unit.organisation });
      await db.execute(`update batch set started_at = now() + interval '1 second' where case_ref = 'dated'`);
      const [reopened] = (await listCases(db, unit.organisation, false)).filter((one) => one.caseRef === 'dated');
      assert.equal(reopened?.outcome, null, 'new material opens it again');
    });
  });
}
