import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { addRecord, addSet, turned } from '../../../test/known-set-kit.ts';
import { STORE_ENGINES } from '../../../test/store-engines.ts';
import type { Db } from '../../store/db.ts';
import { latestKnownChange, noteSearchedAgain, noteWithdrawn } from '../../store/queries/known-changes.ts';
import { acknowledgeSearchAlarms, openSearchAlarms } from '../../store/queries/search-alarms.ts';
import type { BitHit, BitQuery } from '../bit-search.ts';
import { checkSearch } from '../check-search.ts';
import { CheckedBitSearch } from '../checked-bit-search.ts';
import { PgvectorScan } from '../pgvector-scan.ts';
import { MihSearch } from './mih-search.ts';
import { MihThreads } from './mih-threads.ts';
import { openSnapshot } from './snapshot.ts';

const CENTRE = Uint8Array.from({ length: 32 }, (_, at) => (at * 37) & 0xff);
const QUERY: BitQuery = { tag: 0, algorithm: 'pdq-512', orientation: 'original', bits: CENTRE, radiusBits: 31 };

const textOf = (hits: readonly BitHit[]): string[] =>
  hits.map((hit) => `${hit.recordId} ${hit.distanceBits} ${hit.quality}`).sort();

async function suspend(db: Db, setId: number, recordId: number): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.execute(`insert into known_suspension (record_id, set_id, reason) values ($1, $2, 'test')`, [
      recordId,
      setId,
    ]);
    await noteWithdrawn(tx, [{ setId, firstRecordId: recordId, lastRecordId: recordId }]);
  });
}

async function resume(db: Db, setId: number, recordId: number): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.execute('update known_suspension set resumed_at = now() where record_id = $1 and resumed_at is null', [
      recordId,
    ]);
    await noteSearchedAgain(tx, { setId, firstRecordId: recordId, lastRecordId: recordId });
  });
}

for (const engine of STORE_ENGINES) {
  describe(`the index over the store on ${engine.name}`, engine.options, () => {
    let db: Db;
    let setId: number;
    let folder: string;
    before(async () => {
      db = await engine.open();
      setId = await addSet(db);
      folder = await mkdtemp(path.join(tmpdir(), 'homeward-index-'));
    });
    after(async () => {
      await db.close();
      await rm(folder, { recursive: true, force: true });
    });

    const add = async (places: readonly number[]): Promise<number> =>
      await addRecord(db, setId, [{ algorithm: 'pdq', bits: turned(CENTRE, places), quality: 80 }]);

    it('R9: answers as the scan does after any sequence of records added, suspended and resumed, gathering as it goes', async () => {
      const search = await MihSearch.open(db, { threads: 2 });
      const oracle = new PgvectorScan(db);
      const records: number[] = [];
      const suspended = new Set<number>();
      const steps = fc.sample(fc.tuple(fc.constantFrom('add', 'suspend', 'resume'), fc.nat()), {
        numRuns: 60,
        seed: 3,
      });
      try {
        for (const [step, choice] of steps) {
          const recordId = records[choice % Math.max(1, records.length)];
          if (step === 'add' || recordId === undefined) records.push(await add([choice % 256, (choice * 7) % 256]));
          else if (step === 'suspend' && !suspended.has(recordId)) {
            suspended.add(recordId);
            await suspend(db, setId, recordId);
          } else if (step === 'resume' && suspended.delete(recordId)) await resume(db, setId, recordId);
          assert.deepEqual(textOf(await search.within([QUERY])), textOf(await oracle.within([QUERY])), step);
          if (choice % 3 === 0) await search.settled();
        }
        assert.equal(await search.size('pdq-512'), await oracle.size('pdq-512'));
      } finally {
        await search.close();
      }
    });

    it('R9: a record that is told of again while it is searched is found once, as by the scan', async () => {
      const search = await MihSearch.open(db, { threads: 1 });
      try {
        const recordId = await add([20, 21]);
        const once = textOf(await search.within([QUERY]));
        await db.transaction(
          async (tx) => await noteSearchedAgain(tx, { setId, firstRecordId: recordId, lastRecordId: recordId }),
        );
        assert.deepEqual(textOf(await search.within([QUERY])), once);
        assert.equal(await search.size('pdq-512'), await new PgvectorScan(db).size('pdq-512'));
      } finally {
        await search.close();
      }
    });

    it('R9: a search that is under way does not lose a record that is told of again meanwhile', async () => {
      const search = await MihSearch.open(db, { threads: 1 });
      try {
        const recordId = await add([30, 31]);
        await search.within([QUERY]);
        for (let round = 0; round < 20; round += 1) {
          // The second one takes the change over while the threads still work for the first.
          const first = search.within(Array.from({ length: 200 }, () => QUERY));
          await db.transaction(
            async (tx) => await noteSearchedAgain(tx, { setId, firstRecordId: recordId, lastRecordId: recordId }),
          );
          const second = search.within([QUERY]);
          const found = (await first).filter((hit) => hit.recordId === recordId);
          assert.equal(found.length, 200);
          assert.equal((await second).filter((hit) => hit.recordId === recordId).length, 1);
        }
      } finally {
        await search.close();
      }
    });

    it('R9: what another connection commits is found by the next query', async () => {
      const search = await MihSearch.open(db, { threads: 1 });
      try {
        const before = textOf(await search.within([QUERY])).length;
        await add([1, 2, 3]);
        assert.equal((await search.within([QUERY])).length, before + 1);
      } finally {
        await search.close();
      }
    });

    it('R9: each of several nodes has taken a new record over within a second, without being asked anything', async () => {
      const nodes = [await MihSearch.open(db, { threads: 1 }), await MihSearch.open(db, { threads: 1 })];
      const stop = new AbortController();
      const keeping = nodes.map((node) =>
        node.keepUp({ signal: stop.signal, pollMs: 60_000, onFailure: (error) => assert.fail(String(error)) }),
      );
      try {
        await add([4, 5]);
        const latest = await latestKnownChange(db);
        const committedMs = performance.now();
        while (nodes.some((node) => node.changeId < latest) && performance.now() - committedMs < 1000)
          await new Promise((resolve) => setTimeout(resolve, 5));
        assert.deepEqual(
          nodes.map((node) => node.changeId),
          [latest, latest],
        );
      } finally {
        stop.abort();
        await Promise.all(keeping);
        for (const node of nodes) await node.close();
      }
    });

    it('is kept on disk, and opens with what changed since', async () => {
      const first = await MihSearch.open(db, { threads: 2, snapshotFolder: folder, leastSaved: 1 });
      const kept = await add([9]);
      await suspend(db, setId, kept);
      const expected = textOf(await first.within([QUERY]));
      await first.close();
      const later = await add([10]);
      const threads = new MihThreads(1);
      assert.ok((await openSnapshot(db, folder, threads)) !== null, 'the snapshot was not used');
      await threads.close();
      const second = await MihSearch.open(db, { threads: 1, snapshotFolder: folder, leastSaved: 1 });
      try {
        assert.deepEqual(textOf(await second.within([QUERY])), [...expected, `${later} 1 80`].sort());
      } finally {
        await second.close();
      }
      const files = (await readdir(folder)).filter((name) => name.endsWith('.segment'));
      const manifest = await readFile(path.join(folder, 'index.json'), 'utf8');
      for (const file of files) assert.ok(manifest.includes(file), `${file} belongs to no snapshot and stayed`);
    });

    it('refuses a snapshot that is damaged anywhere, and loads from the store instead', async () => {
      const [name = ''] = (await readdir(folder)).filter((file) => file.endsWith('.segment'));
      const expected = textOf(await new PgvectorScan(db).within([QUERY]));
      for (const file of [path.join(folder, name), path.join(folder, 'index.json')]) {
        const whole = await readFile(file);
        const damages = [0, 1027, whole.length >> 1, whole.length - 2].filter((at) => at < whole.length);
        for (const at of damages) {
          const damaged = Buffer.from(whole);
          damaged[at] = (damaged[at] ?? 0) ^ 1;
          await writeFile(file, damaged);
          const threads = new MihThreads(1);
          assert.equal(await openSnapshot(db, folder, threads), null, `a bit at ${at} of ${path.basename(file)}`);
          await threads.close();
        }
        await writeFile(file, whole);
        await truncate(file, whole.length - 1);
        const search = await MihSearch.open(db, { threads: 1, snapshotFolder: folder });
        assert.deepEqual(textOf(await search.within([QUERY])), expected);
        await search.close();
        await writeFile(file, whole);
      }
    });

    it('refuses a snapshot of another database, and of a state that a restore has undone', async () => {
      const threads = new MihThreads(1);
      try {
        assert.ok((await openSnapshot(db, folder, threads)) !== null);
        const undone = 'delete from known_change where change_id = (select max(change_id) from known_change)';
        await db.transaction(async (tx) => await tx.script(undone));
        assert.equal(await openSnapshot(db, folder, threads), null, 'a state that is not there');
        await add([11]);
        assert.equal(await openSnapshot(db, folder, threads), null, 'another change of the same number');
        const search = await MihSearch.open(db, { threads: 1, snapshotFolder: folder, leastSaved: 1 });
        await search.close();
        assert.ok((await openSnapshot(db, folder, threads)) !== null);
        await db.execute('update database_identity set identity = gen_random_uuid()');
        assert.equal(await openSnapshot(db, folder, threads), null, 'another database');
      } finally {
        await threads.close();
      }
    });

    it('R9: a check finds what reached the store without being noted, and raises an alarm', async () => {
      const index = await MihSearch.open(db, { threads: 1 });
      try {
        const [fine] = await checkSearch(db, index, 5);
        assert.deepEqual({ queries: fine?.queries, differing: fine?.differing }, { queries: 5, differing: 0 });
        assert.deepEqual(await openSearchAlarms(db), []);
        await db.execute(
          `insert into known_bits (record_id, set_id, algorithm, bits) select record_id + 1000000, set_id, algorithm, bits from known_bits`,
        );
        const found = await checkSearch(db, index, 5);
        assert.deepEqual(
          found.map(({ algorithm, differing }) => `${algorithm} ${differing}`),
          ['pdq-512 5', 'pdq-full 5'],
        );
        const details = (await openSearchAlarms(db)).map(({ detail }) => detail);
        assert.ok(
          details.some((detail) => /pdq-512: 5 of 5 queries/.test(detail)),
          details.join('; '),
        );
        await db.execute('delete from known_bits where record_id > 1000000');
        assert.equal(await acknowledgeSearchAlarms(db, 'tester'), 2);
        assert.deepEqual(await openSearchAlarms(db), []);
      } finally {
        await index.close();
      }
    });

    it('R9: raises an alarm when the index misses something, and lets the scan answer from then on', async () => {
      const index = await MihSearch.open(db, { threads: 1 });
      const missing = {
        description: 'an index that misses',
        changeId: index.changeId,
        within: async (queries: readonly BitQuery[]) => (await index.within(queries)).slice(1),
        size: async () => 0,
        close: async () => await index.close(),
      };
      const checked = new CheckedBitSearch(db, missing, { queriesBetweenChecks: 1 });
      try {
        const oracle = textOf(await new PgvectorScan(db).within([QUERY]));
        assert.deepEqual(textOf(await checked.within([QUERY])), oracle);
        assert.match(checked.description, /pgvector/);
        const [alarm] = await openSearchAlarms(db);
        assert.equal(alarm?.search, 'an index that misses');
        assert.match(alarm?.detail ?? '', /pdq-512 at 31 bits/);
      } finally {
        await checked.close();
      }
    });
  });
}
