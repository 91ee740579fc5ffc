import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { assignCase, openCase } from '../engine/access/cases.ts';
import { FIRST, PURPOSE, seedKey, seedOrganisation, seedPurpose } from '../engine/access/test-access-kit.ts';
import { listAudit } from '../engine/audit/list.ts';
import { verifyChain } from '../engine/audit/verify/chain.ts';
import { drawnJpeg } from '../workers/decode/test-encoded-pictures.ts';
import { makeZip } from '../workers/unpack/test-kit.ts';
import { filesWith } from './case-kit.ts';
import { killHard, type RunningCli, runCli, startCli, supervisorOf, TestFolder, withData } from './cli-kit.ts';

/** Goals R1, S1, S3 and S10 over real processes: the server as it is started, material on disk, a caller with a key. */

const SIZE = { widthPixels: 600, heightPixels: 450 };
const PICTURES = 80;

interface Told {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

describe('a served engine', { timeout: 600_000 }, () => {
  let folder: TestFolder;
  let cli: RunningCli;
  let address = '';
  let key = '';
  let caseId = '';
  let organisationId = '';
  const specialist = { key: '', caseId: '' };

  const start = async (): Promise<void> => {
    cli = startCli(['serve', '--port', '0', '--data', folder.at('data'), '--config', folder.at('homeward.json')]);
    cli.process.stdout?.setEncoding('utf8');
    for await (const text of cli.process.stdout ?? []) {
      const found = /listening on (\S+)/.exec(String(text));
      if (found?.[1] === undefined) continue;
      address = found[1];
      return;
    }
    assert.fail(`it did not come up: ${cli.stderrSoFar()}`);
  };
  const call = async (
    method: string,
    path: string,
    body?: object,
    headers: object = {},
    bytes?: Uint8Array,
  ): Promise<Told> => {
    const response = await fetch(`${address}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        'homeward-purpose': PURPOSE,
        'homeward-case': caseId,
        'homeward-justification': encodeURIComponent('examination of exhibit 7'),
        'idempotency-key': randomUUID(),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(bytes === undefined ? {} : { 'content-type': 'application/octet-stream' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(bytes === undefined ? {} : { body: Buffer.from(bytes) }),
    });
    const told: unknown = await response.json();
    assert.ok(typeof told === 'object' && told !== null);
    return { status: response.status, body: { ...told } };
  };
  const submit = async (path: string, urgent = false): Promise<Told> =>
    await call('POST', '/submissions', {
      kind: 'seizure',
      urgent,
      exhibit: `exhibit of ${path}`,
      mode: 'exact',
      models: false,
      source: { kind: 'path', root: 'seized', path },
    });
  const until = async (submissionId: unknown, state: string, headers: object = {}): Promise<Told> => {
    for (let attempt = 0; attempt < 600; attempt += 1) {
      const told = await call('GET', `/submissions/${String(submissionId)}`, undefined, headers);
      if (told.body['state'] === state) return told;
      assert.notEqual(told.body['state'], 'failed', `${JSON.stringify(told.body)} ${cli.stderrSoFar()}`);
      await sleep(100);
    }
    return assert.fail(`it never was ${state}`);
  };

  before(async () => {
    folder = await TestFolder.make();
    for (const name of ['seized', 'seized/disk-1', 'seized/disk-2', 'own', 'elsewhere']) mkdirSync(folder.at(name));
    for (let number = 0; number < PICTURES; number += 1)
      writeFileSync(folder.at('seized', 'disk-1', `${number}.jpg`), await drawnJpeg(500 + number, SIZE));
    writeFileSync(folder.at('seized', 'disk-2', 'urgent.jpg'), await drawnJpeg(600, SIZE));
    writeFileSync(folder.at('own', 'known.jpg'), await drawnJpeg(500, SIZE));
    symlinkSync(folder.at('elsewhere'), folder.at('seized', 'way-out'));
    const roots = [{ name: 'seized', folder: folder.at('seized') }];
    writeFileSync(folder.at('homeward.json'), JSON.stringify({ evidenceRoots: roots, hosts: 2 }));
    const data = ['--data', folder.at('data'), '--as', 'examiner'];
    const made = await runCli([
      'hashset',
      'make',
      folder.at('own'),
      '--series',
      'case 44',
      '--out',
      folder.at('own.ndjson'),
      ...data,
    ]);
    assert.equal(made.code, 0, made.stderr);
    const imported = await runCli(['hashset', 'import', folder.at('own.ndjson'), '--source', 'lab', ...data]);
    assert.equal(imported.code, 0, imported.stderr);
    await withData(folder.at('data'), async (db) => {
      await seedPurpose(db);
      ({ organisationId } = await seedOrganisation(db, { fields: ['distance', 'seriesName'], dailyQuota: 10_000 }));
      const granted = await seedKey(db, organisationId, ['lab']);
      key = granted.presented;
      caseId = await openCase(db, { organisationId, caseRef: 'C-7', jointUntil: null }, FIRST);
      await assignCase(db, { caseId, principalId: granted.principalId }, FIRST);
      const home = await seedOrganisation(db, 'home');
      const own = await seedKey(db, home.organisationId, ['specialist']);
      specialist.key = own.presented;
      specialist.caseId = await openCase(
        db,
        { organisationId: home.organisationId, caseRef: 'sets', jointUntil: null },
        FIRST,
      );
      await assignCase(db, { caseId: specialist.caseId, principalId: own.principalId }, FIRST);
    });
    await start();
  });
  after(async () => {
    const supervisor = supervisorOf(cli);
    if (supervisor !== undefined) killHard(supervisor.pid);
    await folder[Symbol.asyncDispose]();
  });

  it('looks at what is handed in, the urgent first, and tells its matches', async () => {
    const ordinary = await submit('disk-1');
    assert.equal(ordinary.status, 202, JSON.stringify(ordinary.body));
    const second = await submit('disk-1/1.jpg');
    const urgent = await submit('disk-2', true);
    const urgentDone = await until(urgent.body['submissionId'], 'complete');
    const others = [
      await until(ordinary.body['submissionId'], 'complete'),
      await until(second.body['submissionId'], 'complete'),
    ];
    for (const other of others) assert.ok(String(other.body['finishedAt']) > String(urgentDone.body['finishedAt']));
    const counts = others[0]?.body['counts'];
    assert.ok(typeof counts === 'object' && counts !== null && 'read' in counts);
    assert.equal(counts.read, PICTURES);
    const { body } = await call('GET', `/submissions/${String(ordinary.body['submissionId'])}/matches`);
    const matches = body['matches'];
    assert.ok(Array.isArray(matches) && matches.length > 0);
    assert.ok(matches.some(({ method, distance }) => method === 'sha256' && distance === 0));
    const report = await call('GET', `/submissions/${String(ordinary.body['submissionId'])}/report`);
    assert.equal(report.status, 200, JSON.stringify(report.body));
    const text = JSON.stringify(report.body);
    assert.match(text, /"stage":"hashes","state":"complete"/);
    assert.ok(!text.includes(folder.path), 'a partner reads nothing of the machine');
  });

  it('refuses what leads out of an evidence root as it refuses what is not there', async () => {
    const answers = [];
    for (const path of ['way-out', '../elsewhere', '/etc', 'nothing', 'disk-1/../../elsewhere', 'disk-1\0']) {
      const { status, body } = await submit(path);
      answers.push(JSON.stringify({ status, ...body }));
    }
    assert.equal(new Set(answers).size, 1, answers.join('\n'));
    assert.match(answers[0] ?? '', /"status":400/);
    assert.ok(!(answers[0] ?? '').includes(folder.path));
  });

  it('R1: goes on with what was accepted when it is killed and started again', async () => {
    for (let number = 0; number < PICTURES; number += 1)
      writeFileSync(folder.at('seized', 'disk-2', `more-${number}.jpg`), await drawnJpeg(700 + number, SIZE));
    const accepted = await submit('disk-2');
    await until(accepted.body['submissionId'], 'running').catch(() => undefined);
    const supervisor = supervisorOf(cli);
    assert.ok(supervisor !== undefined);
    killHard(supervisor.pid);
    await cli.finished;
    await start();
    const done = await until(accepted.body['submissionId'], 'complete');
    const counts = done.body['counts'];
    assert.ok(typeof counts === 'object' && counts !== null && 'failed' in counts && counts.failed === 0);
  });

  it('R1, S1: takes an upload through its own death, looks into it, and leaves none of it behind', async () => {
    const pictures = [await drawnJpeg(500, SIZE), await drawnJpeg(801, SIZE), await drawnJpeg(802, SIZE)];
    // Padding keeps the line busy long enough to be killed in the middle.
    const padding = randomBytes(24_000_000);
    const archive = await makeZip([
      ...pictures.map((picture, at) => [`seized/${at}.jpg`, picture] as const),
      ['padding.bin', padding],
    ]);
    const begun = await call('POST', '/uploads', {
      name: 'phone.zip',
      sizeBytes: archive.length,
      sha256: createHash('sha256').update(archive).digest('hex'),
    });
    assert.equal(begun.status, 201, JSON.stringify(begun.body));
    const upload = `/uploads/${String(begun.body['uploadId'])}`;
    const send = async (from: number, to: number): Promise<Told> =>
      await call('PATCH', upload, undefined, { 'upload-offset': String(from) }, archive.subarray(from, to));
    const half = 12_000_000;
    assert.equal((await send(0, half)).body['offsetBytes'], half);
    const dying = send(half, archive.length).catch(() => null);
    await sleep(20);
    const supervisor = supervisorOf(cli);
    assert.ok(supervisor !== undefined);
    killHard(supervisor.pid);
    await cli.finished;
    await dying;
    await start();
    const offset = Number((await call('GET', upload)).body['offsetBytes']);
    assert.ok(offset >= half);
    if (offset < archive.length) assert.equal((await send(offset, archive.length)).body['state'], 'complete');
    const plain = pictures.map((picture) => picture.subarray(200, 232));
    for (const part of [...plain, padding.subarray(1000, 1032)])
      assert.deepEqual([...filesWith(folder.at('data-uploads'), part).keys()], []);
    const handedIn = await call('POST', '/submissions', {
      kind: 'seizure',
      urgent: true,
      exhibit: 'phone',
      mode: 'exact',
      models: false,
      source: { kind: 'uploads', uploads: [begun.body['uploadId']] },
    });
    assert.equal(handedIn.status, 202, JSON.stringify(handedIn.body));
    const done = await until(handedIn.body['submissionId'], 'complete');
    const counts = done.body['counts'];
    assert.ok(typeof counts === 'object' && counts !== null && 'failed' in counts && counts.failed === 0);
    const { body } = await call('GET', `/submissions/${String(handedIn.body['submissionId'])}/matches`);
    assert.ok(Array.isArray(body['matches']) && body['matches'].some(({ method }) => method === 'sha256'));
    assert.equal((await call('GET', upload)).body['state'], 'gone');
    assert.deepEqual(
      readdirSync(folder.at('data-uploads'), { recursive: true }).filter((name) => String(name).endsWith('.sealed')),
      [],
    );
    for (const part of plain)
      assert.deepEqual(
        [...filesWith(folder.path, part).keys()].filter(
          (file) => !file.startsWith('seized') && !file.startsWith('own'),
        ),
        [],
      );
  });

  it('says what is known of a list of hashes whose material stays where it is', async () => {
    const known = createHash('sha256')
      .update(await drawnJpeg(500, SIZE))
      .digest('hex');
    const lines = Array.from({ length: 3000 }, (_, at) => (at === 1234 ? known : randomBytes(32).toString('hex')));
    const list = Buffer.from(`${lines.join('\n')}\n`);
    const begun = await call('POST', '/uploads', {
      name: 'list.sha256',
      sizeBytes: list.length,
      sha256: createHash('sha256').update(list).digest('hex'),
    });
    const uploadId = begun.body['uploadId'];
    const sent = await call('PATCH', `/uploads/${String(uploadId)}`, undefined, { 'upload-offset': '0' }, list);
    assert.equal(sent.body['state'], 'complete', JSON.stringify(sent.body));
    const handedIn = await call('POST', '/submissions', {
      kind: 'referral',
      urgent: false,
      exhibit: 'list',
      mode: 'exact',
      models: false,
      source: { kind: 'hashes', upload: uploadId, format: 'auto' },
    });
    assert.equal(handedIn.status, 202, JSON.stringify(handedIn.body));
    const done = await until(handedIn.body['submissionId'], 'complete');
    const counts = done.body['counts'];
    assert.ok(
      typeof counts === 'object' && counts !== null && 'read' in counts && 'known' in counts && 'unseen' in counts,
    );
    assert.deepEqual([counts.read, counts.known, counts.unseen], [lines.length, 1, lines.length - 1]);
    const { body } = await call('GET', `/submissions/${String(handedIn.body['submissionId'])}/answers`);
    const [answer, ...others] = Array.isArray(body['answers']) ? body['answers'] : [];
    assert.deepEqual([others.length, answer?.number, answer?.answer], [0, 1235, 'known']);
    assert.equal(answer?.matches?.[0]?.method, 'sha256');
  });

  it('looks at files that a lab tool hands in one by one, and removes them afterwards', async () => {
    const files = [await drawnJpeg(500, SIZE), await drawnJpeg(902, SIZE)];
    for (const bytes of files) {
      const place = `caseIdentifier=${caseId}&md5=${createHash('md5').update(bytes).digest('hex')}`;
      const media = { value: [{ MediaFiles: [{ FileName: 'x.jpg', FilePath: 'C:\\seized' }] }] };
      assert.equal((await call('POST', `/vics/upload/initializefile?version=2.0&${place}`, media)).status, 200);
      const half = Math.floor(bytes.length / 2);
      for (const [from, to] of [
        [0, half],
        [half, bytes.length],
      ] as const) {
        const chunk = bytes.subarray(from, to);
        const sent = await call('POST', `/vics/upload/filechunk?${place}&offset=${from}`, undefined, {}, chunk);
        assert.equal(sent.body['receivedBytes'], to, JSON.stringify(sent.body));
      }
      assert.equal((await call('POST', `/vics/upload/finalizefile?${place}`)).status, 200);
    }
    const handedIn = await call('POST', `/vics/upload/finalizecase?caseIdentifier=${caseId}`);
    assert.equal(handedIn.status, 202, JSON.stringify(handedIn.body));
    const { body } = await until(handedIn.body['submissionId'], 'complete');
    const { counts } = body;
    assert.ok(typeof counts === 'object' && counts !== null && 'known' in counts && 'unseen' in counts);
    assert.deepEqual([counts.known, counts.unseen], [1, 1], JSON.stringify(counts));
    assert.deepEqual(
      readdirSync(folder.at('data-uploads'), { recursive: true }).filter((one) => String(one).endsWith('.sealed')),
      [],
    );
  });

  it('imports a hash set that was uploaded by the unit, and by nobody else', async () => {
    const [pictured] = [await drawnJpeg(801, SIZE)];
    const list = Buffer.from(`${createHash('sha256').update(pictured).digest('hex')}\n`);
    const upload = async (headers: object = {}): Promise<unknown> => {
      const begun = await call(
        'POST',
        '/uploads',
        { name: 'new.sha256', sizeBytes: list.length, sha256: createHash('sha256').update(list).digest('hex') },
        headers,
      );
      const { uploadId } = begun.body;
      await call('PATCH', `/uploads/${String(uploadId)}`, undefined, { ...headers, 'upload-offset': '0' }, list);
      return uploadId;
    };
    const handIn = async (uploadId: unknown, headers: object = {}): Promise<Told> =>
      await call(
        'POST',
        '/submissions',
        {
          kind: 'referral',
          urgent: false,
          exhibit: 'set',
          mode: 'exact',
          models: false,
          source: {
            kind: 'hashSet',
            upload: uploadId,
            source: 'partner',
            name: 'new',
            format: 'auto',
            purpose: 'known',
          },
        },
        headers,
      );
    const refused = await handIn(await upload());
    assert.deepEqual([refused.status, refused.body['code']], [403, 'HW_FORBIDDEN']);
    const ours = { authorization: `Bearer ${specialist.key}`, 'homeward-case': specialist.caseId };
    const accepted = await handIn(await upload(ours), ours);
    assert.equal(accepted.status, 202, JSON.stringify(accepted.body));
    await until(accepted.body['submissionId'], 'complete', ours);
    const { body } = await call('GET', '/hash-sets/versions', undefined, ours);
    assert.ok(
      Array.isArray(body['sets']) && body['sets'].some(({ name, state }) => name === 'new' && state === 'active'),
    );
  });

  it('stops when it is asked to, and leaves a whole chain of what was asked of it', async () => {
    supervisorOf(cli);
    cli.process.kill('SIGTERM');
    const { code } = await cli.finished;
    assert.equal(code, 0);
    await withData(folder.at('data'), async (db) => {
      const entries = await Array.fromAsync(listAudit(db, organisationId));
      assert.equal((await verifyChain(entries)).whole, true);
      assert.ok(entries.some(({ action, outcome }) => action === 'submit' && outcome === 'done'));
      const own = await Array.fromAsync(listAudit(db, 'local'));
      for (const [chain, act] of [
        [entries, 'scan'],
        [entries, 'submission look-up'],
        [own, 'hashset import'],
      ] as const)
        assert.ok(
          chain.some(({ action, outcome, caseRef }) => action === act && outcome === 'done' && caseRef !== null),
          act,
        );
      const items = await db.query<{ items: number }>(
        'select count(*) as items from item i join batch b using (batch_id) where b.organisation_id = $1 group by path_key, i.batch_id having count(*) > 1',
        [organisationId],
      );
      assert.deepEqual(items, []);
    });
  });
});
