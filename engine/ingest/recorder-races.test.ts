import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { type Examination, ORIENTATIONS, PIPELINE_VERSION } from '../../schemas/fingerprint.ts';
import { examinedPicture, openTestBatch } from '../../test/batch-kit.ts';
import { addRecord, addSet } from '../../test/known-set-kit.ts';
import { stoppingBeforeCommit, waitingForLocks } from '../../test/race-kit.ts';
import { needsServer, openTestServerDb } from '../../test/store-engines.ts';
import { removeSet } from '../hashset/sets.ts';
import { reportItems } from '../report/items.ts';
import { PgvectorScan } from '../search/pgvector-scan.ts';
import { openServer } from '../store/adapters/pg.ts';
import type { Db, Transaction } from '../store/db.ts';
import { integer, row, text } from '../store/row-shape.ts';
import { placeOfFile } from './place.ts';
import { Recorder } from './recorder.ts';
import type { ItemRow } from './row-writer.ts';

function fileOf(name: string): ItemRow {
  const digest = (algorithm: string) => createHash(algorithm).update(name).digest('hex');
  const pdq = (flavour: 'pdq-512' | 'pdq-full') => ({
    flavour,
    hex: digest('sha256'),
    quality: 90,
    dihedral: ORIENTATIONS.map(() => digest('sha256')),
  });
  const examination: Examination = {
    ...examinedPicture({ pdq: [pdq('pdq-512'), pdq('pdq-full')], blockhash: null }),
    sizeBytes: name.length,
    digests: { md5: digest('md5'), sha1: digest('sha1'), sha256: digest('sha256') },
    trailingBytes: 0,
    capture: null,
  };
  return { ...placeOfFile(Buffer.from(name)), modifiedAt: null, examination };
}

/** A known record that has the digest and the PDQ of `fileOf(name)`. */
async function addKnown(db: Db, setId: number, name: string): Promise<void> {
  const hex = createHash('sha256').update(name).digest('hex');
  await addRecord(db, setId, [], { sha256: hex });
  await addRecord(db, setId, [{ algorithm: 'pdq', bits: Buffer.from(hex, 'hex'), quality: 90 }]);
}

describe('recording beside other processes on one server', needsServer, () => {
  let db: Db;
  let other: Db;
  before(async () => {
    const server = await openTestServerDb();
    db = server.db;
    other = await openServer({ url: server.url });
  });
  after(async () => {
    await other.close();
    await db.close();
  });

  async function newRecorder(on: Db = db): Promise<{ readonly recorder: Recorder; readonly batchId: string }> {
    const batchId = await openTestBatch(db);
    return { recorder: new Recorder(on, new PgvectorScan(on), { batchId, mode: 'exact' }), batchId };
  }

  /** The sets that the report names for the one item of a batch. */
  async function reportedSets(batchId: string): Promise<string[]> {
    const named: string[] = [];
    for await (const { item } of reportItems(db, {
      batchId,
      pipelineVersion: PIPELINE_VERSION,
      mode: 'exact',
      awaitsChangeId: null,
      models: null,
    }))
      named.push(...item.matches.map((match) => match.setName));
    return [...new Set(named)].sort();
  }

  async function nameOf(setId: number): Promise<string> {
    const [set] = await db.read(row({ name: text }), 'select name from hash_set where set_id = $1', [setId]);
    return set?.name ?? assert.fail('no set');
  }

  async function inForce(setId: number): Promise<number> {
    const [found] = await db.read(
      row({ matches: integer }),
      'select count(*) as matches from match where set_id = $1 and withdrawn_at is null',
      [setId],
    );
    return found?.matches ?? 0;
  }

  const waiting = async () => await waitingForLocks(other);

  /** Begins a transaction elsewhere, and does `last` and the commit when told to. */
  async function begin(first: (tx: Transaction) => Promise<void>, last: (tx: Transaction) => Promise<void>) {
    const begun = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const done = other.transaction(async (tx) => {
      await first(tx);
      begun.resolve();
      await go.promise;
      await last(tx);
    });
    await Promise.race([begun.promise, done]);
    return async () => {
      go.resolve();
      await done;
    };
  }

  it('finds the successor of a set that went out of force while it recorded', async () => {
    const [old, successor] = [await addSet(db), await addSet(db, 'importing')];
    await addKnown(db, old, 'superseded');
    const { recorder, batchId } = await newRecorder();
    // As an import promotes its set: the records of both are there while it goes on, and one commit turns them over.
    const commit = await begin(
      async (tx) => {
        await tx.execute(`update hash_set set state = 'superseded' where set_id = $1`, [old]);
        await tx.execute('update match set withdrawn_at = now() where set_id = $1', [old]);
      },
      async (tx) => {
        await tx.execute(
          `insert into known_record (set_id, sha256) select $2, sha256 from known_record where set_id = $1 and sha256 is not null`,
          [old, successor],
        );
        await tx.execute('delete from known_bits where set_id = $1', [old]);
        await tx.execute('delete from known_record where set_id = $1', [old]);
        await tx.execute(`update hash_set set state = 'active' where set_id = $1`, [successor]);
      },
    );
    const recording = recorder.record([fileOf('superseded')]);
    try {
      await waiting();
    } finally {
      await commit();
    }
    assert.equal((await recording)[0]?.standing, 'known');
    assert.equal(await inForce(old), 0);
    assert.deepEqual(await reportedSets(batchId), [await nameOf(successor)]);
  });

  it('leaves nothing in force of a set that is removed right after its evidence was recorded', async () => {
    const setId = await addSet(db);
    await addKnown(db, setId, 'removed');
    // The recorder's own connection.
    const stopped = stoppingBeforeCommit(db);
    const { recorder, batchId } = await newRecorder(stopped.db);
    const recording = recorder.record([fileOf('removed')]);
    await stopped.written;
    const removing = removeSet(other, setId);
    try {
      await waiting();
    } finally {
      stopped.commit();
    }
    await Promise.all([recording, removing]);
    assert.equal(await inForce(setId), 0);
    assert.deepEqual(await reportedSets(batchId), []);
  });

  it('records a group once whose connection the server cut', async () => {
    const { recorder, batchId } = await newRecorder();
    const release = await begin(
      async (tx) => void (await tx.execute('lock table item in exclusive mode')),
      async () => undefined,
    );
    const recording = recorder.record([fileOf('cut')]);
    try {
      for (const pid of await waiting()) await other.query('select pg_terminate_backend($1)', [pid]);
    } finally {
      await release();
    }
    assert.equal((await recording).length, 1);
    assert.deepEqual(await db.query('select count(*) as items from item where batch_id = $1', [batchId]), [
      { items: 1 },
    ]);
  });

  it('records the same contents from two scans at once, whatever their order', async () => {
    const setId = await addSet(db);
    const names = Array.from({ length: 60 }, (_, at) => `shared ${at}`);
    const [first, second] = [await newRecorder(), await newRecorder(other)];
    await first.recorder.record(names.map(fileOf));
    for (const name of names) await addKnown(db, setId, name);
    await Promise.all([
      first.recorder.record(names.map(fileOf)),
      second.recorder.record([...names].reverse().map(fileOf)),
    ]);
    assert.equal(await inForce(setId), 2 * names.length);
    assert.equal(first.recorder.added.matches + second.recorder.added.matches, 2 * names.length);
  });
});
