import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { assignCase } from '../../engine/access/cases.ts';
import { addApiKey } from '../../engine/access/credentials.ts';
import { FIRST, isCode, PURPOSE } from '../../engine/access/test-access-kit.ts';
import { listAudit } from '../../engine/audit/list.ts';
import { uploadsOfSubmission } from '../../engine/upload/upload.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import { type Answer, assertProblem, type Caller, HttpUnderTest, type Method } from './test-http-kit.ts';

const CASES = 'http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/CUSTOM/$metadata#Cases';
const MEDIA = 'http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/CUSTOM/$metadata#Media';
const STANDING = { purpose: PURPOSE, justification: 'hands in what the lab has imaged' };
const md5Of = (bytes: Buffer): string => createHash('md5').update(bytes).digest('hex').toUpperCase();

for (const engine of STORE_ENGINES) {
  describe(`a lab tool that speaks VICS 2.0, on ${engine.name}`, engine.options, () => {
    let http: HttpUnderTest;
    let lab: Caller;
    let key: string;
    let caseRef: string;
    before(async () => {
      http = await HttpUnderTest.open(engine.open);
      lab = await http.caller();
      ({ caseRef = '' } = (
        await http.db.query<{ caseRef: string }>('select case_ref as "caseRef" from case_file where case_id = $1', [
          lab.caseId,
        ])
      )[0] ?? { caseRef: '' });
      const { principalId } = lab;
      const made = await addApiKey(
        http.db,
        { principalId, roles: ['lab'], validDays: 3, standingReason: STANDING },
        FIRST,
      );
      key = made.presented;
    });
    after(async () => await http[Symbol.asyncDispose]());

    /** As a tool asks: a token, no header of ours. */
    const ask = async (method: Method, path: string, body?: object): Promise<Answer> =>
      await http.call(method, `/vics${path}`, body, { authorization: `Bearer ${key}` });
    const place = (bytes: Buffer, caseId = lab.caseId): string => `caseIdentifier=${caseId}&md5=${md5Of(bytes)}`;
    const initialise = async (bytes: Buffer, media: object = {}): Promise<Answer> =>
      await ask('POST', `/upload/initializefile?version=2.0&${place(bytes)}`, {
        '@odata.context': MEDIA,
        value: [{ MediaID: 7, MD5: md5Of(bytes), SHA1: '', PhotoDNA: '', RelativeFilePath: 'media\\x.jpg', ...media }],
      });
    const send = async (bytes: Buffer, offset: number, chunk: Buffer): Promise<Answer> =>
      await lab.raw('POST', `/vics/upload/filechunk?${place(bytes)}&offset=${offset}`, chunk, {
        authorization: `Bearer ${key}`,
        'content-type': 'application/binary',
        'homeward-purpose': undefined,
        'homeward-case': undefined,
        'homeward-justification': undefined,
        'idempotency-key': undefined,
      });
    const finalise = async (bytes: Buffer): Promise<Answer> =>
      await ask('POST', `/upload/finalizefile?${place(bytes)}`);
    const whole = async (bytes: Buffer, media: object = {}): Promise<void> => {
      assert.equal((await initialise(bytes, media)).status, 200);
      for (let at = 0; at < bytes.length; at += 1000)
        assert.equal((await send(bytes, at, bytes.subarray(at, at + 1000))).status, 200);
      const { status, text } = await finalise(bytes);
      assert.equal(status, 200, text);
    };

    it('signs in with its key as a password, finds its case by the number, and hands in file after file', async () => {
      const form = { 'content-type': 'application/x-www-form-urlencoded' };
      const token = await lab.raw(
        'POST',
        '/vics/oauth2/token',
        `grant_type=password&username=lab&password=${key}`,
        form,
      );
      assert.deepEqual([token.status, token.body['access_token'], token.body['token_type']], [200, key, 'bearer']);
      const wrong = await lab.raw(
        'POST',
        '/vics/oauth2/token',
        'grant_type=password&username=lab&password=guess',
        form,
      );
      assertProblem(wrong, 401, 'HW_UNAUTHENTICATED');
      assert.equal((await http.call('GET', '/vics/serverinfo')).status, 200);
      const begun = await ask('POST', '/upload/initializecase?version=2.0&reopen=true', {
        '@odata.context': CASES,
        value: [{ CaseID: 'c18c57e5-f67f-4ec6-8c8b-0ab65a654a23', CaseNumber: caseRef, ContactEmail: '' }],
      });
      assert.deepEqual(begun.body, { caseIdentifier: lab.caseId }, begun.text);
      const filter = encodeURIComponent(`equals(name, "${caseRef}")`);
      const found = await ask('GET', `/cases?include=name%2cidentifier&filter=${filter}`);
      assert.deepEqual(JSON.parse(found.text), [{ name: caseRef, identifier: lab.caseId }]);

      const [first, second, empty] = [randomBytes(5500), randomBytes(10), Buffer.alloc(0)];
      await whole(first, { MediaFiles: [{ MD5: md5Of(first), FileName: 'a.jpg', FilePath: 'C:\\Users\\x' }] });
      await whole(second);
      await whole(empty);
      const wakes = http.wakes;
      const handedIn = await ask('POST', `/upload/finalizecase?caseIdentifier=${lab.caseId}&exhibit=E-4`);
      assert.deepEqual([handedIn.status, handedIn.body['files'], http.wakes], [202, 3, wakes + 1], handedIn.text);
      const submissionId = String(handedIn.body['submissionId']);
      const shown = await lab.call('GET', `/submissions/${submissionId}`);
      assert.deepEqual([shown.body['exhibit'], shown.body['state']], ['E-4', 'waiting']);
      const stored = await uploadsOfSubmission(http.db, submissionId);
      assert.deepEqual(
        new Set(stored.map(({ name, sizeBytes, sha256 }) => `${name} ${sizeBytes} ${sha256.toString('hex')}`)),
        new Set(
          [
            ['C:\\Users\\x\\a.jpg', first] as const,
            ['media\\x.jpg', second] as const,
            ['media\\x.jpg', empty] as const,
          ].map(([name, bytes]) => `${name} ${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`),
        ),
      );
      // An answer that was lost is asked for again.
      const again = await ask('POST', `/upload/finalizecase?caseIdentifier=${lab.caseId}`);
      assert.deepEqual(again.body, { submissionId, files: 0 });
    });

    it('S3: leaves an entry of each act, with the standing reason of its key', async () => {
      const entries = await Array.fromAsync(listAudit(http.db, lab.organisationId));
      for (const action of ['tool cases', 'tool case', 'tool file', 'tool bytes', 'tool file end', 'tool submit'])
        assert.ok(
          entries.some(
            (one) => one.action === action && one.purpose === PURPOSE && one.justification === STANDING.justification,
          ),
          action,
        );
    });

    it('is told of a file that is another than the one of its MD5, and sends it anew', async () => {
      const bytes = randomBytes(3000);
      await initialise(bytes);
      await send(bytes, 0, randomBytes(3000));
      assertProblem(await finalise(bytes), 409, 'HW_UPLOAD_DIGEST');
      assertProblem(await ask('POST', `/upload/finalizecase?caseIdentifier=${lab.caseId}`), 400, 'HW_REQUEST_INVALID');
      assertProblem(await send(bytes, 700, bytes.subarray(700)), 409, 'HW_UPLOAD_OFFSET');
      assertProblem(await send(bytes, 7000, bytes), 409, 'HW_UPLOAD_OFFSET');
      await send(bytes, 0, bytes);
      assert.equal((await finalise(bytes)).status, 200);
      assert.equal((await finalise(bytes)).status, 200);
      const { body } = await ask('POST', `/upload/finalizecase?caseIdentifier=${lab.caseId}`);
      assert.equal(body['files'], 1);
      const [stored] = await uploadsOfSubmission(http.db, String(body['submissionId']));
      assert.equal(stored?.sizeBytes, bytes.length);
    });

    it('begins a file anew by initialising it again, and gives up what it did not finalise', async () => {
      const bytes = randomBytes(2000);
      await initialise(bytes);
      await send(bytes, 0, bytes.subarray(0, 500));
      await whole(bytes);
      const other = randomBytes(2000);
      await initialise(other);
      await send(other, 0, other.subarray(0, 500));
      const cleared = await ask('PUT', `/cases/${lab.caseId}/clearunfinalizeduploads`);
      assert.deepEqual(cleared.body, { files: 1 });
      assertProblem(await finalise(other), 404, 'HW_NOT_FOUND');
      assert.equal((await ask('POST', `/upload/finalizecase?caseIdentifier=${lab.caseId}`)).body['files'], 1);
    });

    it('S5: gets no further than its cases, and with its standing reason no further than handing in', async () => {
      const stranger = await http.caller();
      const bytes = randomBytes(100);
      for (const caseId of [stranger.caseId, '00000000-0000-4000-8000-000000000000'])
        assertProblem(
          await ask('POST', `/upload/initializefile?version=2.0&${place(bytes, caseId)}`, { value: [{}] }),
          404,
          'HW_CASE_NOT_FOUND',
        );
      const unknown = { value: [{ CaseNumber: 'another', CaseID: stranger.caseId }] };
      assertProblem(await ask('POST', '/upload/initializecase?version=2.0', unknown), 404, 'HW_CASE_NOT_FOUND');
      assertProblem(
        await http.call('GET', '/cases', undefined, { authorization: `Bearer ${key}` }),
        400,
        'HW_REQUEST_INVALID',
      );
      const { authorization = '' } = stranger.stated();
      assertProblem(await http.call('GET', '/vics/cases', undefined, { authorization }), 400, 'HW_REQUEST_INVALID');
      // The file of a case belongs to whose organisation sent it, in a joint case too.
      await initialise(bytes);
      await http.db.execute('update case_file set joint = true, last_day = current_date + 9 where case_id = $1', [
        lab.caseId,
      ]);
      await assignCase(http.db, { caseId: lab.caseId, principalId: stranger.principalId }, FIRST);
      const stated = stranger.stated();
      assertProblem(
        await http.call('POST', `/vics/upload/finalizefile?${place(bytes)}`, undefined, stated),
        404,
        'HW_NOT_FOUND',
      );
    });

    it('is refused what it asks wrongly, by name', async () => {
      const bytes = randomBytes(100);
      const wrong: readonly (readonly [Method, string, object?])[] = [
        ['POST', `/upload/initializefile?caseIdentifier=${lab.caseId}&md5=12`, { value: [{}] }],
        ['POST', `/upload/initializefile?${place(bytes)}`, { value: [{ MD5: md5Of(randomBytes(3)) }] }],
        ['POST', `/upload/initializefile?${place(bytes)}`, { value: [] }],
        ['POST', `/upload/finalizefile?${place(bytes)}&getResponse=true`],
        ['GET', '/cases?filter=startswith(name)'],
        ['POST', `/upload/filechunk?md5=${md5Of(bytes)}&offset=0`],
      ];
      for (const [method, path, body] of wrong) {
        const answer = await ask(method, path, body);
        assert.ok(answer.status >= 400 && answer.status < 500, `${path}: ${answer.text}`);
      }
    });

    it('may not fill the disk: what an organisation keeps is bounded in bytes and in files', async () => {
      const other = await http.caller();
      const stated = other.stated();
      const at = (bytes: Buffer): string => `caseIdentifier=${other.caseId}&md5=${md5Of(bytes)}`;
      const large = randomBytes(16);
      assert.equal(
        (await http.call('POST', `/vics/upload/initializefile?${at(large)}`, { value: [{}] }, stated)).status,
        200,
      );
      const beyond = await other.raw('POST', `/vics/upload/filechunk?${at(large)}&offset=9999000`, randomBytes(2000), {
        'content-type': 'application/binary',
      });
      assertProblem(beyond, 413, 'HW_UPLOAD_BUDGET');
      let refused: Answer | null = null;
      for (let made = 0; made < 110 && refused === null; made += 1) {
        const answer = await http.call(
          'POST',
          `/vics/upload/initializefile?${at(randomBytes(16))}`,
          { value: [{}] },
          stated,
        );
        if (answer.status !== 200) refused = answer;
      }
      assert.ok(refused !== null);
      assertProblem(refused, 413, 'HW_UPLOAD_BUDGET');
    });

    it('cannot be given a key with a standing reason that is none', async () => {
      const { principalId } = lab;
      for (const [standingReason, code] of [
        [{ purpose: 'because', justification: STANDING.justification }, 'HW_PURPOSE_UNKNOWN'],
        [{ purpose: PURPOSE, justification: 'why' }, 'HW_USAGE'],
      ] as const)
        await assert.rejects(
          addApiKey(http.db, { principalId, roles: ['lab'], validDays: 3, standingReason }, FIRST),
          isCode(code),
        );
    });
  });
}
