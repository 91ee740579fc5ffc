import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import type { KnownRecord } from '../../schemas/known-record.ts';
import { emptyRecord, joined, streamOf } from '../../test/hash-set-kit.ts';
import { needsShared, requireShared } from '../../test/shared-data.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import type { Db } from '../store/db.ts';
import { findDigestMatches } from '../store/queries/record-matches.ts';
import { integer, nullable, row, text } from '../store/row-shape.ts';
import { writeSet } from './formats/writer.ts';
import { type ImportRequest, importSetFile } from './import.ts';
import { listSets, removeSet, setInForce } from './sets.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'homeward-good-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const digest = (algorithm: string, content: string) => createHash(algorithm).update(content).digest('hex');
const digestsOf = (content: string) => ({
  md5: digest('md5', content),
  sha1: digest('sha1', content),
  sha256: digest('sha256', content),
});

let files = 0;
function fileOf(ending: string, bytes: string | Uint8Array): string {
  files += 1;
  const file = path.join(folder, `${files}.${ending}`);
  writeFileSync(file, bytes);
  return file;
}
function rdsOf(contents: readonly string[]): string {
  files += 1;
  const file = path.join(folder, `${files}.db`);
  const db = new DatabaseSync(file);
  db.exec(`create table FILE (sha256, sha1, md5, file_size); create table VERSION (version, description);
    insert into VERSION values ('2026.03.1', 'test'); begin`);
  const insert = db.prepare('insert into FILE values (upper(?), upper(?), upper(?), 1)');
  for (const content of contents) {
    const { sha256, sha1, md5 } = digestsOf(content);
    insert.run(sha256, sha1, md5);
  }
  db.exec('commit');
  db.close();
  return file;
}
const ndjson = async (records: readonly KnownRecord[], scheme = 'unspecified') =>
  fileOf('ndjson', await joined(writeSet('ndjson', streamOf(records), scheme)));

for (const engine of STORE_ENGINES) {
  describe(`known-good sets on ${engine.name}`, engine.options, () => {
    let db: Db;
    before(async () => {
      db = await engine.open();
    });
    after(async () => await db.close());

    const importFile = async (file: string, name: string, more: Partial<ImportRequest> = {}) =>
      await importSetFile(db, {
        file,
        name,
        source: 'NIST',
        purpose: 'good',
        importedBy: 'tester',
        signal: new AbortController().signal,
        ...more,
      });
    async function mediaOf(content: string): Promise<number> {
      const { md5, sha1, sha256 } = digestsOf(content);
      const [media] = await db.read(
        row({ mediaId: integer }),
        `insert into media (sha256, sha1, md5, size_bytes, type) values (decode($1, 'hex'), decode($2, 'hex'), decode($3, 'hex'), $4, 'image/jpeg') returning media_id`,
        [sha256, sha1, md5, content.length],
      );
      return media?.mediaId ?? assert.fail('no media');
    }
    const goodOf = async (mediaId: number): Promise<string[]> => {
      const found = await db.read(
        row({ name: text, version: integer, method: text }),
        `select s.name, s.version, g.method from media_good g join hash_set s on s.set_id = g.set_id where g.media_id = $1 order by 1, 2, 3`,
        [mediaId],
      );
      return found.map(({ name, version, method }) => `${name} ${version} by ${method}`);
    };
    const setsNamed = async (name: string) => (await listSets(db)).filter((set) => set.name === name);

    it('imports an RDS 3 database, and the same file again changes nothing', async () => {
      const file = rdsOf(['a.dll', 'b.dll']);
      const first = await importFile(file, 'rds');
      assert.deepEqual([first.state, first.format, first.records], ['imported', 'nsrl 3', 2]);
      assert.equal((await importFile(file, 'rds')).state, 'unchanged');
      const [stored] = await db.read(
        row({ purpose: text, sourceVersion: nullable(text) }),
        `select purpose, source_version from hash_set where name = 'rds'`,
      );
      assert.deepEqual(stored, { purpose: 'good', sourceVersion: '2026.03.1' });
      assert.equal((await setInForce(db, 'rds', 'NIST')).purpose, 'good');
    });

    it('goes on with an interrupted import of an RDS 3 database', async () => {
      const file = rdsOf(Array.from({ length: 10_000 }, (_, at) => `file ${at}`));
      const stop = new AbortController();
      const first = await importFile(file, 'interrupted', {
        rowsPerCheckpoint: 1_000,
        signal: stop.signal,
        onProgress: () => stop.abort(),
      });
      assert.equal(first.state, 'interrupted');
      const second = await importFile(file, 'interrupted');
      assert.ok(second.resumedFromRow > 0);
      assert.deepEqual([second.state, second.records], ['imported', 10_000]);
    });

    it('imports NSRLFile.txt of RDS 2, latin-1 names and all', async () => {
      const head = '"SHA-1","MD5","CRC32","FileName","FileSize","ProductCode","OpSystemCode","SpecialCode"\n';
      const { sha1, md5 } = digestsOf('umlaut');
      const line = Buffer.from(`"${sha1}","${md5}","00000000","gr\u00fcn, \u00e9.dll",5,1,"WIN",""\n`, 'latin1');
      const file = fileOf('txt', Buffer.concat([Buffer.from(head), line]));
      const imported = await importFile(file, 'rds 2');
      assert.deepEqual([imported.format, imported.records], ['nsrl 2', 1]);
      assert.deepEqual(await goodOf(await mediaOf('unrelated')), []);
    });

    it('marks contents that were stored before, and makes no evidence of them', async () => {
      const [bySha256, byMd5, other] = [await mediaOf('word.exe'), await mediaOf('excel.exe'), await mediaOf('own')];
      await importFile(rdsOf(['word.exe']), 'office');
      await importFile(fileOf('txt', `${digestsOf('excel.exe').md5}\n`), 'list');
      assert.deepEqual(
        [await goodOf(bySha256), await goodOf(byMd5), await goodOf(other)],
        [['office 1 by sha256'], ['list 1 by md5'], []],
      );
      assert.deepEqual(await findDigestMatches(db, [bySha256, byMd5]), []);
    });

    it('forgets what a newer version or nothing holds any more', async () => {
      const [kept, dropped] = [await mediaOf('kept'), await mediaOf('dropped')];
      await importFile(rdsOf(['kept', 'dropped']), 'versions');
      await importFile(rdsOf(['kept']), 'versions');
      assert.deepEqual([await goodOf(kept), await goodOf(dropped)], [['versions 2 by sha256'], []]);
      await removeSet(db, (await setInForce(db, 'versions', 'NIST')).setId);
      assert.deepEqual(await goodOf(kept), []);
    });

    it('never takes the empty file', async () => {
      const empty = await mediaOf('');
      const imported = await importFile(rdsOf(['', 'not empty']), 'empty');
      assert.deepEqual([imported.records, imported.rejected['emptyFile']], [1, 1]);
      assert.deepEqual(await goodOf(empty), []);
    });

    it('keeps no perceptual hash of a known-good set', async () => {
      const record = emptyRecord({
        md5: digest('md5', 'logo'),
        bits: [{ algorithm: 'pdq', flavour: null, hex: digest('sha256', 'pdq'), quality: 90 }],
      });
      const imported = await importFile(await ndjson([record]), 'with bits');
      assert.equal(imported.notes['bitsIgnored'], 1);
      const { setId } = await setInForce(db, 'with bits', 'NIST');
      assert.deepEqual(await db.query('select 1 as one from known_bits where set_id = $1', [setId]), []);
    });

    describe('refusals', () => {
      for (const sample of [
        'vics/vics2.0_US_Media_hashset.json',
        'vics/vics1.3_Media_hashset.json',
        'vics/vics2.0_Default_Media_nsrl.json',
        'vics/nist_caid_nonrds_1.2_Media.json',
        'icse/icse_synthetic.csv',
      ]) {
        it(`never loads ${sample} as known-good`, needsShared, async () => {
          await assert.rejects(importFile(requireShared(`data/exchange/${sample}`), sample), {
            code: 'HW_SET_PURPOSE',
          });
          assert.deepEqual(await setsNamed(sample), []);
        });
      }

      it('never loads known material as known-good that was exported in another format', async () => {
        const md5 = digest('md5', 'known');
        const later = Array.from({ length: 5_000 }, (_, at) => emptyRecord({ md5: digest('md5', `${at}`) }));
        for (const [name, record] of [
          ['of a series', emptyRecord({ md5, series: 'a series' })],
          ['flagged', emptyRecord({ md5, victimIdentified: true })],
        ] as const) {
          const file = await ndjson([...later, record]);
          await assert.rejects(importFile(file, name, { rowsPerCheckpoint: 1_000 }), { code: 'HW_SET_PURPOSE' });
          assert.deepEqual(await setsNamed(name), []);
        }
        await assert.rejects(importFile(await ndjson([emptyRecord({ md5, categoryCode: '1' })], 'vic-us'), 'scheme'), {
          code: 'HW_SET_PURPOSE',
        });
      });

      it('loads NSRL as nothing but known-good', async () => {
        await assert.rejects(importFile(rdsOf(['x']), 'as known', { purpose: 'known' }), { code: 'HW_SET_PURPOSE' });
        const file = fileOf('txt', `SHA-1,MD5,CRC32,FileName,FileSize,ProductCode\n${digestsOf('x').sha1},,,x,1,1\n`);
        await assert.rejects(importFile(file, 'as known', { purpose: 'known' }), { code: 'HW_SET_PURPOSE' });
      });

      it('lets no version of a set become something else', async () => {
        const list = fileOf('txt', `${digest('md5', 'turncoat')}\n`);
        await importFile(list, 'turncoat', { purpose: 'known' });
        await assert.rejects(importFile(list, 'turncoat'), { code: 'HW_SET_PURPOSE' });
        await assert.rejects(importFile(rdsOf(['y']), 'turncoat'), { code: 'HW_SET_PURPOSE' });
        assert.equal((await setInForce(db, 'turncoat', 'NIST')).purpose, 'known');
      });

      it('keeps the version in force where a newer file is damaged', async () => {
        const media = await mediaOf('survivor');
        await importFile(rdsOf(['survivor']), 'damaged');
        const broken = fileOf(
          'db',
          Buffer.concat([Buffer.from('SQLite format 3\0', 'latin1'), Buffer.alloc(5_000, 7)]),
        );
        await assert.rejects(importFile(broken, 'damaged'), { code: 'HW_SET_DAMAGED' });
        assert.deepEqual(await goodOf(media), ['damaged 1 by sha256']);
      });

      it('takes no delta for a set', needsShared, async () => {
        await assert.rejects(importFile(requireShared('data/exchange/nsrl/RDSv3_minimal_delta.sql'), 'delta'), {
          code: 'HW_SET_FORMAT',
          message: /homeward hashset update/,
        });
      });
    });

    describe('the non-RDS sets of NIST', () => {
      it('are read when they are named', needsShared, async () => {
        const file = requireShared('data/exchange/vics/nist_caid_nonrds_1.2_Media.json');
        const imported = await importFile(file, 'non-RDS', { format: 'nist-non-rds' });
        assert.deepEqual([imported.state, imported.format, imported.records], ['imported', 'nist-non-rds 1.2', 2]);
      });

      for (const sample of [
        'vics2.0_US_Media_hashset.json',
        'vics1.3_Media_hashset.json',
        'vics2.0_Default_Media_nsrl.json',
      ]) {
        it(`are never what ${sample} is`, needsShared, async () => {
          const file = requireShared(`data/exchange/vics/${sample}`);
          await assert.rejects(importFile(file, sample, { format: 'nist-non-rds' }), /HW_SET|expected/);
          assert.deepEqual(await setsNamed(sample), []);
        });
      }
    });
  });
}
