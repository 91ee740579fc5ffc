import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { HomewardError } from '../../schemas/error.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import { openCase } from '../access/cases.ts';
import { FIRST, isCode, seedKey, seedOrganisation } from '../access/test-access-kit.ts';
import type { Db } from '../store/db.ts';
import { submit, UPLOADS_ROOT } from '../submission/submission.ts';
import { beginUpload, findUpload, type Upload } from './upload.ts';
import { UploadStore } from './upload-store.ts';

const BUDGET = { mostBytes: 1_000_000, mostBytesOfOrganisation: 2_000_000, mostOfOrganisation: 50 };
const { publicKey } = generateKeyPairSync('x25519');

for (const engine of STORE_ENGINES) {
  describe(`uploads on ${engine.name}`, engine.options, () => {
    let db: Db;
    let folder: string;
    let store: UploadStore;
    let who: { organisationId: string; caseId: string; submittedBy: string };
    before(async () => {
      db = await engine.open();
      folder = await mkdtemp(path.join(tmpdir(), 'hw-uploads-'));
      store = new UploadStore(db, folder, publicKey);
      const { organisationId } = await seedOrganisation(db, 'none');
      const { principalId } = await seedKey(db, organisationId);
      const caseId = await openCase(db, { organisationId, caseRef: 'uploads', jointUntil: null }, FIRST);
      who = { organisationId, caseId, submittedBy: principalId };
    });
    after(async () => {
      await db.close();
      await rm(folder, { recursive: true, force: true });
    });

    const begin = async (content: Buffer, changed: { sizeBytes?: number; sha256?: Buffer } = {}): Promise<Upload> =>
      await beginUpload(
        db,
        {
          ...who,
          name: 'disk.zip',
          sizeBytes: changed.sizeBytes ?? content.length,
          sha256: changed.sha256 ?? createHash('sha256').update(content).digest(),
          modifiedAt: null,
        },
        BUDGET,
      );
    /** Breaks off after the content, as a line that is cut. */
    async function* cut(content: Buffer): AsyncGenerator<Buffer> {
      yield content;
      throw new Error('the line was cut');
    }
    async function* chunks(content: Buffer): AsyncGenerator<Buffer> {
      for (let at = 0; at < content.length; at += 10_000) yield content.subarray(at, at + 10_000);
    }

    it('are whole once all bytes came, in as many requests as it took', async () => {
      const content = randomBytes(300_000);
      const { uploadId } = await begin(content);
      const half = await store.append(uploadId, 0, chunks(content.subarray(0, 150_000)));
      assert.deepEqual([half.state, half.receivedBytes, half.segments], ['receiving', 150_000, 1]);
      const whole = await store.append(uploadId, 150_000, chunks(content.subarray(150_000)));
      assert.deepEqual([whole.state, whole.receivedBytes], ['complete', content.length]);
    });

    it('go on where they were durable after bytes that did not become so, with their digest left to a host', async () => {
      const content = randomBytes(100_000);
      const { uploadId } = await begin(content);
      await store.append(uploadId, 0, chunks(content.subarray(0, 40_000)));
      async function* refused(): AsyncGenerator<Buffer> {
        yield content.subarray(40_000, 60_000);
        throw new HomewardError('HW_UPLOAD_BUDGET', 'expected room on the disk, received none');
      }
      await assert.rejects(store.append(uploadId, 40_000, refused()), isCode('HW_UPLOAD_BUDGET'));
      const whole = await store.append(uploadId, 40_000, chunks(content.subarray(40_000)));
      assert.deepEqual([whole.state, whole.receivedBytes], ['complete', content.length]);
    });

    it('keep what came when the line is cut, and when the process ends, and go on there', async () => {
      const content = randomBytes(200_000);
      const { uploadId } = await begin(content);
      await assert.rejects(store.append(uploadId, 0, cut(content.subarray(0, 70_000))), /the line was cut/);
      const other = new UploadStore(db, folder, publicKey);
      assert.equal((await findUpload(db, uploadId))?.receivedBytes, 70_000);
      const whole = await other.append(uploadId, 70_000, chunks(content.subarray(70_000)));
      assert.equal(whole.state, 'complete');
    });

    it('say where the next byte goes to who is elsewhere, and take nothing of it', async () => {
      const content = randomBytes(1000);
      const { uploadId } = await begin(content);
      await store.append(uploadId, 0, chunks(content.subarray(0, 500)));
      await assert.rejects(store.append(uploadId, 0, chunks(content)), isCode('HW_UPLOAD_OFFSET'));
      await assert.rejects(store.append(uploadId, 600, chunks(content)), { offsetBytes: 500 });
    });

    it('take bytes of one request at a time', async () => {
      const content = randomBytes(1000);
      const { uploadId } = await begin(content);
      const gate = Promise.withResolvers<void>();
      async function* slow(): AsyncGenerator<Buffer> {
        await gate.promise;
        yield content;
      }
      const first = store.append(uploadId, 0, slow());
      await assert.rejects(store.append(uploadId, 0, chunks(content)), isCode('HW_UPLOAD_BUSY'));
      gate.resolve();
      assert.equal((await first).state, 'complete');
    });

    it('begin again where more came than was stated, or another content', async () => {
      const content = randomBytes(1000);
      const long = await begin(content, { sizeBytes: 900 });
      await assert.rejects(store.append(long.uploadId, 0, chunks(content)), isCode('HW_UPLOAD_TOO_LONG'));
      const other = await begin(content, { sha256: randomBytes(32) });
      await assert.rejects(store.append(other.uploadId, 0, chunks(content)), isCode('HW_UPLOAD_DIGEST'));
      for (const { uploadId } of [long, other]) assert.equal((await findUpload(db, uploadId))?.receivedBytes, 0);
      const right = await store.append(long.uploadId, 0, chunks(content.subarray(0, 400)));
      assert.equal(right.receivedBytes, 400);
    });

    it('are refused beyond what one may be, and what is left to the organisation', async () => {
      await assert.rejects(begin(randomBytes(1), { sizeBytes: BUDGET.mostBytes + 1 }), isCode('HW_UPLOAD_BUDGET'));
      const all = await Promise.allSettled(
        Array.from({ length: 4 }, async () => await begin(randomBytes(1), { sizeBytes: BUDGET.mostBytes })),
      );
      assert.ok(all.some(({ status }) => status === 'rejected'));
      const [kept] = await db.query<{ bytes: number }>(
        "select sum(size_bytes)::bigint as bytes from upload where state <> 'gone'",
      );
      assert.ok((kept?.bytes ?? 0) <= BUDGET.mostBytesOfOrganisation);
      await db.execute("update upload set state = 'gone' where size_bytes = $1", [BUDGET.mostBytes]);
    });

    it('S1: lie on disk for their owner alone, and show none of their content', async () => {
      const content = randomBytes(100_000);
      const { uploadId } = await begin(content);
      await store.append(uploadId, 0, chunks(content));
      const bytes = await readFile(path.join(folder, `${uploadId}.sealed`));
      for (let at = 0; at + 16 <= content.length; at += 1000)
        assert.equal(bytes.indexOf(content.subarray(at, at + 16)), -1);
    });

    it('leave no file when they are given up, stale, or erased with their case', async () => {
      const content = randomBytes(1000);
      const [given, stale, erased, kept] = [
        await begin(content),
        await begin(content),
        await begin(content),
        await begin(content),
      ];
      for (const { uploadId } of [given, stale, erased, kept]) await store.append(uploadId, 0, chunks(content));
      await store.remove([given.uploadId]);
      await db.execute("update upload set touched_at = now() - interval '3 hours' where upload_id = $1", [
        stale.uploadId,
      ]);
      await db.execute('delete from upload where upload_id = $1', [erased.uploadId]);
      await store.sweep({ staleAfterHours: 2, keep: false });
      const left = await readdir(folder);
      const there = [given, stale, erased, kept].map(({ uploadId }) => left.includes(`${uploadId}.sealed`));
      assert.deepEqual(there, [false, false, false, true]);
    });

    it('of submissions that ended are swept: cancelled ones at once, others when they are stale, and whole ones may be kept', async () => {
      const content = randomBytes(1000);
      const of = async (state: string, hoursAgo: number): Promise<string> => {
        const { uploadId } = await begin(content);
        await store.append(uploadId, 0, chunks(content));
        const { submission } = await submit(db, {
          ...who,
          idempotencyKey: randomUUID(),
          kind: 'seizure',
          urgent: false,
          exhibitRef: 'E1',
          mode: 'exact',
          models: false,
          root: UPLOADS_ROOT,
          path: uploadId,
          uploads: [uploadId],
        });
        await db.execute(
          `update submission set state = $2, finished_at = now() - make_interval(hours => $3::integer),
             failure_code = case when $2 = 'failed' then 'HW_INTERNAL' end where submission_id = $1`,
          [submission.submissionId, state, hoursAgo],
        );
        await store.gather(submission.submissionId, [uploadId]);
        return uploadId;
      };
      const uploads = [await of('cancelled', 0), await of('failed', 1), await of('failed', 3), await of('complete', 3)];
      const states = async () =>
        (await Promise.all(uploads.map(async (id) => (await findUpload(db, id))?.state))).join(' ');
      await store.sweep({ staleAfterHours: 2, keep: true });
      assert.equal(await states(), 'gone submitted gone submitted');
      await store.sweep({ staleAfterHours: 2, keep: false });
      assert.equal(await states(), 'gone submitted gone gone');
      const files = (await readdir(folder, { recursive: true })).map((name) => path.basename(name, '.sealed'));
      assert.deepEqual(
        uploads.map((id) => files.includes(id)),
        [false, true, false, false],
      );
    });

    it('of a submission lie in a folder of its own, whenever they were moved there', async () => {
      const content = randomBytes(1000);
      const { uploadId } = await begin(content);
      await store.append(uploadId, 0, chunks(content));
      const submissionId = randomUUID();
      const place = await store.gather(submissionId, [uploadId]);
      assert.equal(await store.gather(submissionId, [uploadId]), place);
      assert.deepEqual(await readdir(place), [`${uploadId}.sealed`]);
      await store.remove([uploadId], submissionId);
      assert.ok(!(await readdir(folder)).includes(submissionId));
    });
  });
}
