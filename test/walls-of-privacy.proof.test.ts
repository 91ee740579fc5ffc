import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { picturesInText } from '../api/report/test-canaries.ts';
import { listAudit } from '../engine/audit/list.ts';
import { verifyChain } from '../engine/audit/verify/chain.ts';
import type { Db } from '../engine/store/db.ts';
import type { FingerprintOutput } from '../schemas/report.ts';
import { drawing, drawnJpeg, jpegWithCameraText } from '../workers/decode/test-encoded-pictures.ts';
import { type Finished, runCli, TestFolder, withData } from './cli-kit.ts';

const CHECKOUT = path.resolve(import.meta.dirname, '..');
const SECRET = 'correct-horse-battery';
const STAFF = 'J. Mustermann';
const GROUNDS = ['--faces', '--authority', 'order 17/2026', '--necessity', 'not identified yet'];
/**
 * Columns of bytes and how many of them one value may hold: digests, eight hashes, a raw file name, 68 points of a
 * face, or keypoints, which are capped. Nothing else is there.
 */
const BYTES_ALLOWED: Readonly<Record<string, number>> = {
  'batch.identity': 32,
  'media.sha256': 32,
  'media.sha1': 20,
  'media.md5': 16,
  'fingerprint.pdq_512_dihedral': 256,
  'fingerprint.pdq_full_dihedral': 256,
  'item.path_key': 32,
  'item.path': 16_384,
  'item.container_path_key': 32,
  'hash_set.content_sha256': 32,
  'hash_set_revision.content_sha256': 32,
  'known_record.md5': 16,
  'known_record.sha1': 20,
  'known_record.sha256': 32,
  'audit_entry.hash': 32,
  'api_key.salt': 16,
  'api_key.hash': 32,
  'certificate.sha256': 32,
  'access_secret.key': 32,
  'audit_key.signature': 64,
  'audit_key.endorsement': 64,
  'audit_checkpoint.digest': 32,
  'audit_checkpoint.signature': 64,
  // Hashes of the tree, one for each of its levels.
  'audit_checkpoint.frontier': 53 * 32,
  'audit_checkpoint.proof': 110 * 32,
  'audit_witness.digest': 32,
  'idempotent_answer.request_sha256': 32,
  'upload.sha256': 32,
  'upload.md5': 16,
  'embedding_run.profile': 32,
  'custody_event.source_key': 32,
  'custody_event.sha256_before': 32,
  'custody_event.sha256_after': 32,
  'custody_event.salt': 16,
  'custody_event.previous_hash': 32,
  'custody_event.hash': 32,
  'case_closure.commitment': 32,
  'face.landmarks': 544,
  'picture_keypoints.data': 400 * 134,
};

describe('the walls around imagery, hashes, secrets and the audit trail', { timeout: 600_000 }, () => {
  let folder: TestFolder;
  /** What the commands printed and wrote, by what it is. */
  const outputs = new Map<string, Buffer>();
  const pictures: Buffer[] = [];
  let fingerprints: FingerprintOutput[];
  const homeward = async (
    name: string,
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<Finished> => {
    const run = await runCli([...args, '--data', folder.at('data')], {
      HOMEWARD_SCRATCH: folder.at('scratch'),
      ...environment,
    });
    outputs.set(`${name} stdout`, Buffer.from(run.stdout)).set(`${name} stderr`, Buffer.from(run.stderr));
    return run;
  };

  before(async () => {
    folder = await TestFolder.make();
    for (const name of ['own', 'seizure']) mkdirSync(folder.at(name));
    const tiny = (await drawing(1, { widthPixels: 16, heightPixels: 12 }).jpeg({ quality: 5 }).toBuffer()).toString(
      'base64',
    );
    const seizure: Record<string, Buffer> = {
      'plain.jpg': await drawnJpeg(501),
      'base64 in camera fields.jpg': await jpegWithCameraText(502, {
        Make: tiny,
        Model: `data:image/jpeg;base64,${tiny}`,
        Software: '\u001b]0;owned\u0007\u001b[31mred',
      }),
      'base64 as comment.png': await drawing(503)
        .withExif({ IFD0: { ImageDescription: `data:image/png;base64,${tiny}` } })
        .png()
        .toBuffer(),
      'known.jpg': await drawnJpeg(504),
      'photo\u202egpj.\u001b[2J.jpg': await drawnJpeg(505),
      'data:image;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk.jpg': await drawnJpeg(506),
      'cut.jpg': (await drawnJpeg(507)).subarray(0, 4_000),
    };
    for (const [name, bytes] of Object.entries(seizure)) {
      pictures.push(bytes);
      writeFileSync(folder.at('seizure', name), bytes);
    }
    writeFileSync(folder.at('own', 'known.jpg'), await drawnJpeg(504));
    await homeward('make', ['hashset', 'make', folder.at('own'), '--series', 'S-1', '--out', folder.at('own.ndjson')]);
    const scan = ['scan', folder.at('seizure'), '--case', 'P-1', '--as', STAFF, ...GROUNDS];
    const scanned = await homeward('scan', [
      ...scan,
      '--known',
      folder.at('own.ndjson'),
      '--report',
      folder.at('report.json'),
      '--html',
      folder.at('page.html'),
    ]);
    assert.equal(scanned.code, 0, scanned.stderr);
    await homeward('revealed scan', [...scan, '--html', folder.at('revealed.html'), '--reveal', '--json']);
    const exported = await homeward('export', [
      'hashset',
      'export',
      'own',
      '--format',
      'ndjson',
      '--purpose',
      'joint case',
      '--recipient',
      'Unit B',
      '--as',
      STAFF,
      '--out',
      folder.at('export.ndjson'),
    ]);
    assert.equal(exported.code, 0, exported.stderr);
    await homeward('show', ['hashset', 'show', 'own']);
    for (const name of ['report.json', 'page.html', 'revealed.html', 'export.ndjson'])
      outputs.set(name, readFileSync(folder.at(name)));
    const run = await homeward('fingerprint', [
      'fingerprint',
      ...Object.keys(seizure).map((name) => folder.at('seizure', name)),
      '--json',
    ]);
    fingerprints = JSON.parse(run.stdout);
  });
  after(async () => await folder[Symbol.asyncDispose]());

  it('S1: no bytes of any picture, plain or in base64, are in any output', () => {
    for (const [name, bytes] of outputs) {
      for (const sign of signsOf(pictures)) assert.equal(bytes.includes(sign), false, name);
      assert.equal(bytes.includes(Buffer.from('ffd8ff', 'hex')), false, `magic number in ${name}`);
    }
  });

  it('S1: no text that could carry a picture is in any output, except the names of files in the JSON', () => {
    assert.ok(outputs.size > 14);
    for (const [name, bytes] of outputs) {
      const text = bytes.toString('utf8');
      const namesItsFiles = name === 'report.json' || name === 'revealed scan stdout' || name === 'fingerprint stdout';
      const rest = namesItsFiles ? text.replaceAll(/"path": ?"(?:[^"\\]|\\.)*"/g, '') : text;
      assert.deepEqual(picturesInText(rest), [], name);
    }
  });

  it('S1: no picture is in the database or in any file of the data folder, and no column could hold one', async () => {
    await withData(folder.at('data'), async (db) => {
      const columns = await db.query<{ table: string; column: string; type: string }>(
        // A view holds nothing of its own.
        `select table_name::text as "table", column_name::text as "column", data_type::text as type
           from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
          where table_schema = 'public' and t.table_type = 'BASE TABLE'`,
      );
      for (const { table, column, type } of columns) {
        const where = `${table}.${column}`;
        if (type === 'bytea') {
          const allowed = BYTES_ALLOWED[where];
          assert.ok(allowed !== undefined, `${where} holds bytes and nobody said how many`);
          const [most] = await db.query<{ most: number }>(
            `select coalesce(max(octet_length("${column}")), 0) as most from "${table}"`,
          );
          assert.ok((most?.most ?? Number.POSITIVE_INFINITY) <= allowed, where);
        } else if (type === 'text' || type === 'jsonb') {
          const values = await db.query<{ value: string }>(
            `select "${column}"::text as value from "${table}" where "${column}" is not null`,
          );
          for (const { value } of values) assert.deepEqual(picturesInText(value), [], where);
        }
      }
    });
    const signs = signsOf(pictures);
    for (const entry of readdirSync(folder.at('data'), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = path.join(entry.parentPath, entry.name);
      const bytes = readFileSync(file);
      for (const sign of signs) assert.equal(bytes.includes(sign), false, file);
    }
    assert.deepEqual(readdirSync(folder.at('scratch')), []);
  });

  it('S2: perceptual hashes are in the export and the fingerprint command, and nowhere else', () => {
    const own = fingerprints.find(({ path: place }) => place.endsWith('known.jpg'));
    const hashes = fingerprints.flatMap(({ pdq, blockhash }) => [
      ...pdq.flatMap(({ dihedral }) => dihedral),
      ...(blockhash === null ? [] : [blockhash]),
    ]);
    assert.ok(hashes.length > 80 && own?.pdq[0] !== undefined);
    assert.ok(outputs.get('export.ndjson')?.includes(own.pdq[0].hex), 'the export carries hashes');
    for (const [name, bytes] of outputs) {
      if (name === 'export.ndjson' || name === 'fingerprint stdout') continue;
      const text = bytes.toString('utf8').toLowerCase();
      for (const hash of hashes) {
        assert.equal(text.includes(hash), false, `a hash in ${name}`);
        assert.equal(bytes.includes(Buffer.from(hash, 'hex').toString('base64')), false, `a hash in base64 in ${name}`);
      }
    }
  });

  it('S2: vectors of the models are in no output', async () => {
    const vectors = await withData(folder.at('data'), async (db) => {
      const found = await db.query<{ text: string }>('select embedding::text as text from picture_vector');
      return found.map(({ text }) => text.slice(1, -1).split(',').map(Number));
    });
    assert.ok(vectors.length > 10);
    for (const [name, bytes] of outputs) {
      for (const values of vectors) {
        const floats = Buffer.from(Float32Array.from(values.slice(0, 6)).buffer);
        assert.equal(bytes.includes(floats), false, name);
        assert.equal(bytes.includes(floats.toString('base64').slice(0, 30)), false, name);
        assert.equal(bytes.includes(values.slice(0, 3).join(',')), false, name);
      }
    }
  });

  it('S9: no control character of a file reaches terminal, page or progress', () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    const unprintable = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
    for (const [name, bytes] of outputs) {
      // JSON escapes them, and keeps the direction marks of a name, which are part of it.
      if (/report\.json|revealed scan stdout|fingerprint stdout|export/.test(name)) continue;
      assert.doesNotMatch(bytes.toString('utf8'), unprintable, name);
    }
    for (const name of ['report.json', 'revealed scan stdout', 'fingerprint stdout'])
      assert.equal(outputs.get(name)?.includes(0x1b), false, name);
  });

  it('S9: the password of a database URL is in no output, nor is who acts in any log', async () => {
    const url = { HOMEWARD_DATABASE_URL: `postgresql://homeward:${SECRET}@127.0.0.1:9/homeward` };
    const runs = await Promise.all([
      runCli(['scan', '--hash-only', folder.at('seizure')], url),
      runCli(['doctor'], url),
      runCli(['config', 'show'], url),
      runCli(['scan', '--hash-only', folder.at('seizure')], {
        HOMEWARD_DATABASE_URL: `postgresql://homeward:${SECRET}@[bad`,
      }),
      runCli(['scan', '--hash-only', folder.at('seizure')], { HOMEWARD_DATABASE_URL: SECRET }),
    ]);
    for (const { stdout, stderr } of runs)
      assert.equal(`${stdout}${stderr}`.includes(SECRET), false, `${stdout}${stderr}`.slice(0, 500));
    assert.equal(outputs.get('scan stderr')?.includes(STAFF), false);
  });

  it('S10: errors say what to do, and nothing of how we are built', async () => {
    writeFileSync(folder.at('cut.json'), '{"value":[{"MediaID":1,"MD5":"');
    writeFileSync(folder.at('bad-config.json'), '{"hosts":"many"}');
    mkdirSync(folder.at('broken'));
    writeFileSync(folder.at('broken', 'folder.json'), 'nonsense');
    const runs = await Promise.all([
      runCli(['hashset', 'import', folder.at('cut.json'), '--source', 'x', '--data', folder.at('other')]),
      runCli(['scan', '--hash-only', folder.at('seizure'), '--config', folder.at('bad-config.json')]),
      runCli(['hashset', 'list', '--data', folder.at('broken')]),
      runCli([
        'scan',
        '--hash-only',
        folder.at('seizure'),
        '--html',
        folder.at('no', 'such', 'page.html'),
        '--data',
        folder.at('third'),
      ]),
      runCli(['hashset', 'show', "x'; drop table item;--", '--data', folder.at('data')]),
    ]);
    for (const { code, stdout, stderr } of runs) {
      const said = `${stdout}${stderr}`;
      assert.ok([1, 2, 3].includes(code), `${code}: ${said.slice(-500)}`);
      assert.match(stderr, /^HW_[A-Z_]+: .{30,}/m);
      assert.doesNotMatch(
        said,
        /\n\s+at |\.ts:\d+|node_modules|node:internal|\b(?:select|insert into|update|delete from) [a-z_"*(]/,
      );
      assert.equal(said.includes(CHECKOUT), false, said);
      assert.doesNotMatch(stderr, /HW_INTERNAL/);
    }
  });

  it('S3: an export without purpose and recipient ends with 2 and discloses nothing', async () => {
    for (const given of [[], ['--purpose', 'x'], ['--recipient', 'y']]) {
      const run = await runCli([
        'hashset',
        'export',
        'own',
        '--format',
        'ndjson',
        '--data',
        folder.at('data'),
        '--out',
        folder.at('not.ndjson'),
        ...given,
      ]);
      assert.equal(run.code, 2);
      assert.match(run.stderr, /^HW_PURPOSE_REQUIRED: /m);
      assert.equal(statSync(folder.at('not.ndjson'), { throwIfNoEntry: false }), undefined);
    }
  });

  it('S3: what was done is in a whole chain, with who, why and for whom', async () => {
    await withData(folder.at('data'), async (db) => {
      assert.equal((await verifyChain(listAudit(db, 'local'))).whole, true);
      const entries = await Array.fromAsync(listAudit(db, 'local'));
      const done = entries.filter(({ outcome }) => outcome === 'done');
      const scan = done.find(({ action }) => action === 'scan');
      assert.deepEqual([scan?.operation, scan?.actor, scan?.caseRef], ['collection', STAFF, 'P-1']);
      assert.ok(done.some(({ action }) => action === 'scan with names revealed'));
      const disclosed = done.find(({ operation }) => operation === 'disclosure');
      assert.deepEqual([disclosed?.actor, disclosed?.purpose, disclosed?.recipient], [STAFF, 'joint case', 'Unit B']);
      assert.equal(disclosed?.objects.length, 1);
      assert.ok(done.some(({ operation }) => operation === 'consultation'));
      assert.equal(
        entries.filter(({ outcome }) => outcome === 'started').length,
        entries.filter(({ outcome }) => outcome !== 'started').length,
      );
    });
  });

  it('S3: where the audit trail cannot be written, nothing is done', async () => {
    const before = await withData(folder.at('data'), async (db) => {
      await db.transaction(async (tx) => {
        await tx.script(`create function refuse() returns trigger language plpgsql as $$ begin raise exception 'full'; end $$;
          create trigger refuse before insert on audit_entry execute function refuse();`);
      });
      return await rowCounts(db);
    });
    writeFileSync(folder.at('seizure', 'new.jpg'), await drawnJpeg(599));
    writeFileSync(folder.at('more.txt'), `${'ab'.repeat(16)}\n`);
    const commands = [
      ['scan', '--hash-only', folder.at('seizure'), '--case', 'P-1', '--report', folder.at('refused.json')],
      ['hashset', 'import', folder.at('more.txt'), '--source', 'x'],
      [
        'hashset',
        'export',
        'own',
        '--format',
        'ndjson',
        '--purpose',
        'x',
        '--recipient',
        'y',
        '--out',
        folder.at('refused.ndjson'),
      ],
      ['hashset', 'show', 'own'],
      ['hashset', 'remove', 'own'],
      ['series', 'list'],
      ['series', 'create', 'own'],
      ['leads', 'list'],
      ['unseen', 'list'],
      ['rematch'],
      ['affected', '--version', 'pdq-512/1'],
      ['models', 'reembed'],
    ];
    for (const command of commands) {
      const run = await runCli([...command, '--data', folder.at('data')]);
      assert.equal(run.code, 1, `${command.join(' ')}: ${run.stdout}${run.stderr}`);
      assert.match(run.stderr, /^HW_AUDIT_UNWRITABLE: .*nothing was done/m);
      assert.equal(run.stdout, '', command.join(' '));
    }
    for (const name of ['refused.json', 'refused.ndjson'])
      assert.equal(statSync(folder.at(name), { throwIfNoEntry: false }), undefined, name);
    assert.deepEqual(await withData(folder.at('data'), rowCounts), before);
    rmSync(folder.at('seizure', 'new.jpg'));
  });
});

/** Pieces of each picture's own data, plain and as any base64 of it would show them. */
function signsOf(pictures: readonly Buffer[]): Buffer[] {
  return pictures.flatMap((bytes) => {
    const middle = bytes.subarray(bytes.length >> 1, (bytes.length >> 1) + 32);
    return [
      middle,
      ...[0, 1, 2].map((shift) =>
        Buffer.from(
          bytes
            .subarray((bytes.length >> 1) + shift)
            .subarray(0, 24)
            .toString('base64'),
        ),
      ),
    ];
  });
}

async function rowCounts(db: Db): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of [
    'batch',
    'media',
    'fingerprint',
    'item',
    'hash_set',
    'series',
    'known_record',
    'known_bits',
    'match',
    'audit_entry',
  ]) {
    const [found] = await db.query<{ rows: number }>(`select count(*) as rows from ${table}`);
    counts[table] = found?.rows ?? -1;
  }
  return counts;
}
