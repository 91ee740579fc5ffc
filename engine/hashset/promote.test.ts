import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { emptyRecord, joined, streamOf } from '../../test/hash-set-kit.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import type { Db } from '../store/db.ts';
import { integer, row, text } from '../store/row-shape.ts';
import { writeSet } from './formats/writer.ts';
import { importSetFile } from './import.ts';

const indexDefinitions = async (db: Db): Promise<string[]> => {
  const found = await db.read(
    row({ definition: text }),
    `select indexdef as definition from pg_indexes where tablename in ('known_record', 'known_bits') order by indexdef`,
  );
  return found.map((index) => index.definition);
};

for (const engine of STORE_ENGINES) {
  describe(`known records on ${engine.name}`, engine.options, () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'homeward-promote-'));
    let db: Db;
    let indexesBefore: string[];
    before(async () => {
      db = await engine.open();
      indexesBefore = await indexDefinitions(db);
      const file = path.join(folder, 'set.ndjson');
      const bits = [{ algorithm: 'pdq' as const, flavour: null, hex: 'a5'.repeat(32), quality: 80 }];
      const records = [emptyRecord({ md5: '1'.repeat(32), series: 'one' }), emptyRecord({ bits })];
      writeFileSync(file, await joined(writeSet('ndjson', streamOf(records), 'vic-us')));
      const signal = new AbortController().signal;
      await importSetFile(db, { file, name: 'set', source: 'unit', importedBy: 'tester', signal });
    });
    after(async () => {
      await db.close();
      rmSync(folder, { recursive: true });
    });
    const count = async (table: string): Promise<number | undefined> =>
      (await db.read(row({ count: integer }), `select count(*) as count from ${table}`))[0]?.count;

    it('have every index again after the first set was loaded without them', async () => {
      assert.equal(indexesBefore.length, 10);
      assert.deepEqual(await indexDefinitions(db), indexesBefore);
    });

    it('keep their set and their series from being deleted', async () => {
      await assert.rejects(db.execute('delete from hash_set'), { code: 'HW_DATABASE' });
      await assert.rejects(db.execute('delete from series'), { code: 'HW_DATABASE' });
    });

    it('take their perceptual hashes along', async () => {
      assert.equal(await count('known_bits'), 1);
      await db.execute('delete from known_record where md5 is null');
      assert.equal(await count('known_bits'), 0);
      assert.equal(await count('known_record'), 1);
    });
  });
}
