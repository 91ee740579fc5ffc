import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { addSet } from '../../test/known-set-kit.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import { listSets, setTlp } from '../hashset/sets.ts';
import type { Db } from '../store/db.ts';
import { integer, row } from '../store/row-shape.ts';
import { seedOrganisation, seedPurpose, TERMS } from './test-access-kit.ts';
import { toldKnown } from './told-known.ts';

for (const engine of STORE_ENGINES) {
  describe(`how far a hash set may go, on ${engine.name}`, engine.options, () => {
    let db: Db;
    before(async () => {
      db = await engine.open();
      await seedPurpose(db);
    });
    after(async () => await db.close());

    it('S5: is for the set, its series and its versions to come, and for no other set', async () => {
      const { organisationId, agreementId } = await seedOrganisation(db, { highestTlp: 'AMBER' });
      const agreement = { ...TERMS, agreementId: agreementId ?? '' };
      const [setId, otherId] = [await addSet(db), await addSet(db)];
      const [series] = await db.read(
        row({ seriesId: integer }),
        "insert into series (source, name) values ('test', 'a series') returning series_id",
      );
      const seriesId = series?.seriesId ?? 0;
      await db.execute('insert into known_record (set_id, md5, series_id) values ($1, $2, $3)', [
        setId,
        Buffer.alloc(16, 1),
        seriesId,
      ]);
      const told = async (): Promise<unknown> => {
        const { setIds, seriesIds } = await toldKnown(db, organisationId, agreement, [seriesId]);
        return [setIds.has(setId), seriesIds.has(seriesId), setIds.has(otherId)];
      };
      const set = (await listSets(db)).find((one) => one.setId === setId);
      assert.ok(set !== undefined);
      assert.deepEqual([set.tlp, set.owner, await told()], ['AMBER', null, [true, true, true]]);
      await setTlp(db, set, 'RED');
      assert.deepEqual(await told(), [false, false, true]);
      await db.execute(
        `insert into hash_set (source, name, version, content_sha256, format, category_scheme, state, imported_by)
         values ($1, $2, 2, $3, 'ndjson', 'x', 'held', 'a')`,
        [set.source, set.name, Buffer.alloc(32, 99)],
      );
      const versions = (await listSets(db)).filter(({ name }) => name === set.name);
      assert.deepEqual(
        versions.map(({ tlp }) => tlp),
        ['RED', 'RED'],
      );
    });
  });
}
