import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DEFAULT_SUSPEND_AFTER_CASES } from '../../schemas/constants.ts';
import { openTestBatch } from '../../test/batch-kit.ts';
import { digest, evidenceOf, hashOf, picture, record } from '../../test/hashed-picture-kit.ts';
import { addRecord, addSet, turned } from '../../test/known-set-kit.ts';
import { stoppingBeforeCommit, waitingForLocks } from '../../test/race-kit.ts';
import { needsServer, openTestServerDb, STORE_ENGINES } from '../../test/store-engines.ts';
import { Recorder } from '../ingest/recorder.ts';
import type { BitSearch } from '../search/bit-search.ts';
import { PgvectorScan } from '../search/pgvector-scan.ts';
import { openServer } from '../store/adapters/pg.ts';
import type { Db } from '../store/db.ts';
import { pendingRematch } from '../store/queries/rematch-pass.ts';
import { integer, nullable, row } from '../store/row-shape.ts';
import { rematch } from './rematch.ts';

const { signal } = new AbortController();
const request = { signal, suspendAfterCases: DEFAULT_SUSPEND_AFTER_CASES };
/** The first so many bits. */
const first = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

for (const engine of STORE_ENGINES) {
  describe(`new records against stored media on ${engine.name}`, engine.options, () => {
    let db: Db;
    before(async () => {
      db = await engine.open();
    });
    after(async () => await db.close());

    /** A set of its own with these hashes and digests, one record each, all of one series. */
    async function knownSet(
      hashes: readonly { readonly algorithm: string; readonly bits: Uint8Array }[],
      digests: readonly { readonly sha256?: string; readonly sha1?: string; readonly md5?: string }[] = [],
    ): Promise<{ readonly setId: number; readonly recordIds: number[] }> {
      const setId = await addSet(db);
      const recordIds: number[] = [];
      for (const one of hashes) recordIds.push(await addRecord(db, setId, [{ ...one, quality: null }]));
      for (const one of digests) recordIds.push(await addRecord(db, setId, [], one));
      await db.execute(
        `with made as (insert into series (source, name) values ('test', $2) returning series_id)
         update known_record set series_id = (select series_id from made) where set_id = $1`,
        [setId, `series ${setId}`],
      );
      return { setId, recordIds };
    }

    it('R9: finds what a scan after the import would have found', async () => {
      await record(db, [picture('turned'), picture('blocks'), picture('same'), picture('other')]);
      const { recordIds } = await knownSet(
        [
          { algorithm: 'pdq', bits: turned(hashOf('turned', 3), [1, 77, 200]) },
          { algorithm: 'blockhash-256-r512', bits: turned(Buffer.from(digest('blocks blocks'), 'hex'), [5]) },
        ],
        [{ sha256: digest('same') }, { md5: digest('other', 'md5'), sha256: digest('not other') }],
      );
      await rematch(db, request);
      assert.deepEqual(await evidenceOf(db, 'turned'), [`${recordIds[0]} pdq pdq-512/1 3 rot270`]);
      assert.deepEqual(await evidenceOf(db, 'blocks'), [`${recordIds[1]} blockhash blockhash-256-r512/1 1 original`]);
      assert.deepEqual(await evidenceOf(db, 'same'), [`${recordIds[2]} sha256 sha256 0 -`]);
      assert.deepEqual(await evidenceOf(db, 'other'), []);
    });

    it('adds nothing where a scan found it already', async () => {
      const { setId } = await knownSet(
        [{ algorithm: 'pdq', bits: hashOf('scanned') }],
        [{ sha256: digest('scanned') }],
      );
      await record(db, [picture('scanned')]);
      const before = await evidenceOf(db, 'scanned');
      const { sets } = await rematch(db, request);
      assert.deepEqual(await evidenceOf(db, 'scanned'), before);
      assert.equal(before.length, 2);
      assert.ok(!sets.some((set) => set.setId === setId));
    });

    it('opens leads and says of which set', async () => {
      await record(db, [picture('lead one'), picture('lead two')]);
      const { setId } = await knownSet([
        { algorithm: 'pdq-512', bits: turned(hashOf('lead one'), [3]) },
        { algorithm: 'pdq-full', bits: turned(hashOf('lead two'), [4]) },
      ]);
      const { state, sets } = await rematch(db, request);
      assert.equal(state, 'complete');
      assert.deepEqual(
        sets.map(({ setId: of, version, media, leads }) => ({ of, version, media, leads })),
        [{ of: setId, version: 1, media: 2, leads: 2 }],
      );
    });

    it('leaves flat pictures alone', async () => {
      await record(db, [picture('flat', 20)]);
      await knownSet([
        { algorithm: 'pdq', bits: hashOf('flat') },
        { algorithm: 'blockhash-256-r512', bits: Buffer.from(digest('flat blocks'), 'hex') },
      ]);
      await rematch(db, request);
      assert.deepEqual(await evidenceOf(db, 'flat'), []);
    });

    it("holds new records to their set's own distance", async () => {
      await record(db, [picture('within'), picture('beyond')]);
      const { setId, recordIds } = await knownSet([
        { algorithm: 'pdq', bits: turned(hashOf('within'), first(38)) },
        { algorithm: 'pdq', bits: turned(hashOf('beyond'), first(41)) },
      ]);
      await db.execute('update hash_set set radius_bits = 40 where set_id = $1', [setId]);
      await rematch(db, request);
      assert.deepEqual(await evidenceOf(db, 'within'), [`${recordIds[0]} pdq pdq-512/1 38 original`]);
      assert.deepEqual(await evidenceOf(db, 'beyond'), []);
    });

    it('contradicts old evidence where a negative set comes, and new evidence where one came before', async () => {
      const contradicted = async (name: string): Promise<(number | null)[]> =>
        (
          await db.read(
            row({ by: nullable(integer) }),
            `select t.contradicted_by_record as by from match t join media m on m.media_id = t.media_id
              where m.sha256 = decode($1, 'hex') and t.withdrawn_at is null`,
            [digest(name)],
          )
        ).map(({ by }) => by);
      await record(db, [picture('confused'), picture('confused later')]);
      await knownSet([{ algorithm: 'pdq', bits: turned(hashOf('confused'), [9]) }]);
      await rematch(db, request);
      assert.deepEqual(await contradicted('confused'), [null]);
      const { setId, recordIds } = await knownSet([
        { algorithm: 'pdq', bits: turned(hashOf('confused'), [7]) },
        { algorithm: 'pdq', bits: turned(hashOf('confused later'), [7]) },
      ]);
      await db.execute(`update hash_set set purpose = 'negative' where set_id = $1`, [setId]);
      await rematch(db, request);
      assert.deepEqual(await contradicted('confused'), [recordIds[0]]);
      assert.deepEqual(await contradicted('confused later'), [], 'a negative picture alone is no match');
      await knownSet([{ algorithm: 'pdq', bits: turned(hashOf('confused later'), [9]) }]);
      await rematch(db, request);
      assert.deepEqual(await contradicted('confused later'), [recordIds[1]]);
    });

    it('goes on where it was stopped', async () => {
      const names = ['first', 'second', 'third'];
      // One after the other, so that their numbers are in this order.
      for (const name of names) await record(db, [picture(name)]);
      await knownSet(names.map((name) => ({ algorithm: 'pdq', bits: turned(hashOf(name), [9]) })));
      const stop = new AbortController();
      const stopped = await rematch(db, {
        ...request,
        signal: stop.signal,
        mediaPerWindow: 1,
        // The media of the other tests come before.
        onProgress: ({ passedMediaId, lastMediaId }) => {
          if (passedMediaId === lastMediaId - 2) stop.abort();
        },
      });
      assert.equal(stopped.state, 'interrupted');
      assert.equal((await evidenceOf(db, 'first')).length, 1);
      assert.equal((await evidenceOf(db, 'third')).length, 0);
      assert.notEqual(await pendingRematch(db), null);
      const { sets } = await rematch(db, request);
      for (const name of names) assert.equal((await evidenceOf(db, name)).length, 1, name);
      assert.equal(sets.at(-1)?.media, 3);
      assert.equal(await pendingRematch(db), null);
    });

    it('has nothing to do when a set has gone again', async () => {
      await record(db, [picture('gone')]);
      const { setId } = await knownSet([{ algorithm: 'pdq', bits: hashOf('gone') }]);
      await db.execute(`update hash_set set state = 'removed' where set_id = $1`, [setId]);
      assert.deepEqual(await rematch(db, request), { state: 'complete', sets: [], suspended: [] });
    });
  });
}

describe('new records beside a scan that records', needsServer, () => {
  let db: Db;
  let other: Db;
  before(async () => {
    const { db: first, url } = await openTestServerDb();
    [db, other] = [first, await openServer({ url })];
  });
  after(async () => await Promise.all([other.close(), db.close()]));

  it('waits for media that were searched before the records came and are recorded after', async () => {
    const setId = await addSet(db);
    const stopped = stoppingBeforeCommit(db);
    const recorder = new Recorder(stopped.db, new PgvectorScan(db), {
      batchId: await openTestBatch(db),
      mode: 'exact',
    });
    const recording = recorder.record([picture('in flight')]);
    await stopped.written;
    await addRecord(db, setId, [{ algorithm: 'pdq', bits: hashOf('in flight'), quality: null }]);
    const rematching = rematch(other, request);
    await waitingForLocks(db);
    stopped.commit();
    await recording;
    await rematching;
    assert.equal((await evidenceOf(db, 'in flight')).length, 1);
  });

  it('lets a scan search again that had searched before the records came and records after they were gone through', async () => {
    const setId = await addSet(db);
    const searched = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    let searches = 0;
    class SlowScan extends PgvectorScan {
      override async within(queries: Parameters<BitSearch['within']>[0]) {
        const hits = await super.within(queries);
        searches += 1;
        searched.resolve();
        await go.promise;
        return hits;
      }
    }
    const recording = record(db, [picture('late')], { search: new SlowScan(db) });
    await searched.promise;
    await addRecord(db, setId, [{ algorithm: 'pdq', bits: hashOf('late'), quality: null }]);
    await rematch(other, request);
    go.resolve();
    await recording;
    assert.equal(searches, 2);
    assert.equal((await evidenceOf(db, 'late')).length, 1);
  });
});
