import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import type { KnownRecord } from '../../../../schemas/known-record.ts';
import { cutAt, streamOf } from '../../../../test/hash-set-kit.ts';
import { needsShared, requireShared } from '../../../../test/shared-data.ts';
import type { SetReader } from '../reader.ts';
import { noRejections, recordsOf } from '../record-batch.ts';
import { isSqliteFile, openNsrlDatabase } from './database.ts';
import { type DeltaBatch, readNsrlDelta } from './delta.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'homeward-nsrl-'));
after(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function databaseOf(sql: string): string {
  files += 1;
  const file = path.join(folder, `${files}.db`);
  const db = new DatabaseSync(file);
  db.exec(sql);
  db.close();
  return file;
}

const hex = (value: number, digits: number) => value.toString(16).toUpperCase().padStart(digits, '0');
const digestsOf = (value: number) => `'${hex(value, 64)}', '${hex(value, 40)}', '${hex(value, 32)}'`;
const nothing = async () => undefined;
const openFile = (file: string, unchanged = nothing) => openNsrlDatabase(file, 1000, unchanged);

async function read(reader: SetReader) {
  const records: KnownRecord[] = [];
  const rejected = noRejections();
  for await (const batch of reader.batches()) {
    records.push(...recordsOf(batch));
    for (const reason of Object.keys(rejected) as (keyof typeof rejected)[]) rejected[reason] += batch.rejected[reason];
  }
  return { records, rejected };
}
const md5sOf = (records: readonly KnownRecord[]) => records.map(({ md5 }) => Number.parseInt(md5 ?? '', 16));

const MINIMAL = `create table FILE (sha256 varchar not null, sha1 varchar not null, md5 varchar not null, crc32 varchar not null,
  file_name varchar not null, file_size integer not null, package_id integer not null,
  constraint PK_FILE__FILE primary key (sha256, sha1, md5, file_name, file_size, package_id));
  create table VERSION (version varchar unique not null, description varchar not null);`;
const row = (value: number, name: string, size = 1) => `(${digestsOf(value)}, '00000000', '${name}', ${size}, 1)`;

describe('an NSRL RDS version 3 database', () => {
  it('is read, with its version', needsShared, async () => {
    const file = requireShared('data/exchange/nsrl/RDSv3_minimal_synthetic.db');
    const reader = openFile(file);
    assert.deepEqual(
      [reader.description.format, reader.description.formatVersion, reader.sourceVersion],
      ['nsrl', '3', '2026.03.1'],
    );
    const { records } = await read(reader);
    assert.ok(
      records.some(
        ({ md5, sha1, sizeBytes }) =>
          md5 === '33d9a49e6f9a0c732182afa3e89ea841' &&
          sha1 === '23aa47e785cf6b5ec439d15d644b97d6e9a0f945' &&
          sizeBytes === 1756,
      ),
    );
    assert.equal(await isSqliteFile(file), true);
    assert.equal(await isSqliteFile(requireShared('data/exchange/nsrl/RDSv3_minimal_delta.sql')), false);
  });

  it('gives each content once, however many packages have it', async () => {
    const file = databaseOf(
      `${MINIMAL} insert into FILE values ${[row(2, 'b'), row(1, 'a'), row(2, 'c'), row(1, 'd')].join()}`,
    );
    const { records, rejected } = await read(openFile(file));
    assert.deepEqual([md5sOf(records), rejected.duplicate], [[1, 2], 2]);
  });

  it('is read from METADATA where FILE is a view, and no view is run', async () => {
    const file =
      databaseOf(`create table METADATA (object_id integer, md5 text, SHA1 text, sha256 text, file_name text, bytes integer);
      insert into METADATA values (1, '${hex(7, 32)}', '${hex(7, 40)}', '${hex(7, 64)}', 'x', 12);
      create view FILE as with recursive n(i) as (select 1 union all select i + 1 from n) select i as sha256, i as sha1, i as md5 from n;`);
    const { records } = await read(openFile(file));
    assert.deepEqual(
      records.map(({ md5, sizeBytes }) => [md5, sizeBytes]),
      [[hex(7, 32), 12]],
    );
  });

  it('counts what is no digest, and the empty file, and goes on', async () => {
    const file = databaseOf(`create table FILE (sha256, sha1, md5, file_size);
      insert into FILE values (null, null, 'D41D8CD98F00B204E9800998ECF8427E', 0), ('no', x'00ff', 5, 'many'),
      (null, null, '${hex(9, 32)}', null), (null, null, '${'0'.repeat(500_000)}', 1)`);
    const { records, rejected } = await read(openFile(file));
    assert.deepEqual([md5sOf(records), rejected.emptyFile, rejected.badDigest], [[9], 1, 2]);
  });

  it('is refused where it holds no table of digests', () => {
    const file = databaseOf(`create table FILES (md5 text); create view FILE as select 1 as md5;`);
    assert.throws(() => openFile(file), { code: 'HW_SET_FORMAT' });
  });

  it('is refused where it is damaged', async () => {
    const whole = databaseOf(
      `${MINIMAL} insert into FILE values ${Array.from({ length: 2000 }, (_, at) => row(at, `name ${at}`)).join()}`,
    );
    const bytes = readFileSync(whole);
    bytes.fill(0xab, 8192, bytes.length - 4096);
    const file = path.join(folder, 'damaged.db');
    writeFileSync(file, bytes);
    await assert.rejects(async () => await read(openFile(file)), { code: 'HW_SET_DAMAGED' });
  });

  it('is refused where its bytes changed while it was read', async () => {
    const changed = async () => {
      throw new RangeError('other bytes');
    };
    const reader = openFile(databaseOf(`${MINIMAL} insert into FILE values ${row(1, 'a')}`), changed);
    await assert.rejects(read(reader), { message: 'other bytes' });
  });

  it('takes nothing out of a journal that lies beside it', async () => {
    const file = databaseOf(`pragma journal_mode = wal; ${MINIMAL} insert into FILE values ${row(1, 'a')}`);
    const writer = new DatabaseSync(file);
    writer.exec(`pragma wal_autocheckpoint = 0; insert into FILE values ${row(2, 'in the journal')}`);
    const { records } = await read(openFile(file));
    writer.close();
    assert.deepEqual(md5sOf(records), [1]);
  });
});

async function readDelta(text: string | Uint8Array, cuts: readonly number[] = []) {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  const found: string[] = [];
  const batches: DeltaBatch[] = [];
  for await (const part of readNsrlDelta(streamOf(cutAt(bytes, cuts)))) {
    batches.push(part);
    for (const { md5, sha256 } of recordsOf(part.batch))
      found.push(`${part.kind} ${Number.parseInt(md5 ?? sha256 ?? '', 16)}`);
  }
  return { found, batches };
}
const insert = (value: number, name = 'x') =>
  `INSERT INTO FILE(sha256,sha1,md5,crc32,file_name,file_size,package_id) VALUES(${digestsOf(value)},'0','${name}',1,1);\n`;
const remove = (value: number) => `DELETE FROM FILE WHERE md5 = '${hex(value, 32)}';\n`;

describe('a delta of NSRL RDS version 3', () => {
  it('is read as data: the public sample', needsShared, async () => {
    const { found } = await readDelta(readFileSync(requireShared('data/exchange/nsrl/RDSv3_minimal_delta.sql')));
    assert.deepEqual(
      found.slice(0, 5),
      [1, 2, 3, 4, 5].map((value) => `add ${value}`),
    );
    assert.equal(found.length, 6);
    assert.match(found[5] ?? '', /^withdraw/);
  });

  it('keeps the order of what leaves and comes again', async () => {
    const { found } = await readDelta(insert(1) + remove(2) + insert(2) + insert(3) + remove(1));
    assert.deepEqual(found, ['add 1', 'withdraw 2', 'add 2', 'add 3', 'withdraw 1']);
  });

  it('reads several rows of one statement, names in quotes, comments and semicolons in texts', async () => {
    const text = `-- a comment; with a semicolon's sign
      PRAGMA foreign_keys = off; /* ; ' */
      insert or replace into main."FILE"([md5], \`file_name\`) values ('${hex(1, 32)}', 'it''s; "here" -- no'), ('${hex(2, 32)}', null);
      INSERT INTO PKG(package_id, name) VALUES (1, 'O;K');
      delete from FILE where md5 is '${hex(3, 32)}' and file_name = 'a''b;';`;
    assert.deepEqual((await readDelta(text)).found, ['add 1', 'add 2', 'withdraw 3']);
  });

  it('withdraws and adds where a digest is changed, and passes over other changes', async () => {
    const text = `UPDATE FILE SET file_name = 'y' WHERE md5 = '${hex(1, 32)}';
      UPDATE FILE SET md5 = '${hex(3, 32)}' WHERE md5 = '${hex(2, 32)}' AND file_size = 5;`;
    const { found, batches } = await readDelta(text);
    assert.deepEqual(found, ['withdraw 2', 'add 3']);
    assert.deepEqual(
      batches.flatMap(({ kind, batch }) =>
        kind === 'add' ? [...recordsOf(batch)].map(({ sizeBytes }) => sizeBytes) : [],
      ),
      [5],
    );
  });

  it('gives the same wherever its bytes are cut', async () => {
    const text = `BEGIN;\n${insert(1, "n;a''m")}${remove(2)}/* x */${insert(3)}COMMIT;\n`;
    const whole = (await readDelta(text)).found;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(2000), { maxLength: 8 }), async (cuts) => {
        assert.deepEqual((await readDelta(text, cuts)).found, whole);
      }),
      { numRuns: 60 },
    );
  });

  for (const statement of [
    'DROP TABLE FILE;',
    `ATTACH 'x.db' AS x;`,
    'INSERT INTO FILE SELECT * FROM other;',
    'INSERT INTO FILE(md5) VALUES (lower(hex(randomblob(16))));',
    `DELETE FROM FILE WHERE md5 IN ('${hex(1, 32)}');`,
    'DELETE FROM FILE;',
    `UPDATE FILE SET md5 = md5 || 'x' WHERE md5 = '1';`,
    `INSERT INTO FILE(md5, sha1) VALUES ('1');`,
    `WITH x AS (SELECT 1) DELETE FROM FILE WHERE md5 = '1';`,
    `DELETE FROM FILE WHERE md5 = 'no digest';`,
  ]) {
    it(`is refused for ${statement}`, async () => {
      await assert.rejects(readDelta(insert(1) + statement), { code: 'HW_SET_DAMAGED' });
    });
  }

  it('is refused where it names a row by something else than its digests', async () => {
    await assert.rejects(readDelta('DELETE FROM FILE WHERE rowid = 5;'), { code: 'HW_SET_FORMAT' });
  });

  it('is refused where it is truncated', async () => {
    await assert.rejects(readDelta(`BEGIN;${insert(1)}`), { code: 'HW_SET_DAMAGED' });
    await assert.rejects(readDelta(insert(1).slice(0, -5)), { code: 'HW_SET_DAMAGED' });
  });

  it('never adds the empty file and passes over its withdrawal', async () => {
    const empty = `'d41d8cd98f00b204e9800998ecf8427e'`;
    const text = `INSERT INTO FILE(md5) VALUES (${empty}); DELETE FROM FILE WHERE md5 = ${empty};`;
    assert.deepEqual((await readDelta(text)).found, []);
  });
});
