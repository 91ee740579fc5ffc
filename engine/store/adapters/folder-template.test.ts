import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { PGlite } from '@electric-sql/pglite';
import { unpackTemplate } from './folder-template.ts';

describe('template of the embedded database', () => {
  let root: string;
  let fromTemplate: PGlite;
  let fromInitdb: PGlite;
  before(async () => {
    root = mkdtempSync(path.join(tmpdir(), 'homeward-template-test-'));
    assert.equal(unpackTemplate(path.join(root, 'postgres')), true, 'there is no template');
    fromTemplate = await PGlite.create({ dataDir: path.join(root, 'postgres') });
    fromInitdb = await PGlite.create();
  });
  after(async () => {
    await fromTemplate.close();
    await fromInitdb.close();
    rmSync(root, { recursive: true, force: true });
  });

  it('S12: holds what initdb of the pinned PGlite makes, catalogue for catalogue, and nothing else', async () => {
    const catalogues = async (pg: PGlite): Promise<string[]> => {
      const { rows } = await pg.query<{ name: string }>(
        "select relname as name from pg_class where relnamespace = 'pg_catalog'::regnamespace and relkind = 'r' order by 1",
      );
      return rows.map((one) => one.name);
    };
    const names = await catalogues(fromInitdb);
    assert.deepEqual(await catalogues(fromTemplate), names);
    // Statistics depend on when they were taken, and the databases' rows on how far transactions had counted.
    const variable = ['pg_statistic', 'pg_database'];
    for (const name of names.filter((one) => !variable.includes(one))) {
      const content = async (pg: PGlite): Promise<unknown> =>
        (
          await pg.query(
            `select count(*) as rows, md5(coalesce(string_agg(line, E'\\n' order by line), '')) as digest
               from (select (to_jsonb(t) - 'relfrozenxid' - 'relminmxid' - 'relpages' - 'reltuples' - 'relallvisible' - 'relallfrozen')::text as line
                       from pg_catalog."${name}" t) lines`,
          )
        ).rows;
      assert.deepEqual(await content(fromTemplate), await content(fromInitdb), name);
    }
  });

  it('holds each page with its checksum', async () => {
    assert.deepEqual((await fromTemplate.query('show data_checksums')).rows, [{ data_checksums: 'on' }]);
  });
});
