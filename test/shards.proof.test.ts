import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { seededRandom } from '../bench/random.ts';
import { listAudit } from '../engine/audit/list.ts';
import type { BitHit, BitQuery } from '../engine/search/bit-search.ts';
import { followKnownChanges } from '../engine/search/follow-changes.ts';
import { PgvectorScan } from '../engine/search/pgvector-scan.ts';
import { PgvectorVectors } from '../engine/search/vector-pgvector.ts';
import { explainNearest, nearestOverShards } from '../engine/shards/nearest.ts';
import { ShardScan } from '../engine/shards/scan.ts';
import { openServer } from '../engine/store/adapters/pg.ts';
import { CopyEncoder } from '../engine/store/binary-copy.ts';
import type { Db } from '../engine/store/db.ts';
import { type EmbeddingSpace, openSpaces } from '../engine/store/queries/embedding-spaces.ts';
import { latestKnownChange, noteAdded, noteWithdrawn } from '../engine/store/queries/known-changes.ts';
import { vectorToBinary } from '../engine/store/queries/vector-values.ts';
import { integer, row } from '../engine/store/row-shape.ts';
import { HomewardError } from '../schemas/error.ts';
import { type Finished, runCli, TestFolder } from './cli-kit.ts';
import { type Cluster, needsClusters, startCluster } from './cluster-kit.ts';
import { addSet, turned } from './known-set-kit.ts';
import { needsServer, openTestServerDb } from './store-engines.ts';
import { addMedia, clusteredVectors, spaceKey } from './vector-kit.ts';

const NAMES = ['scale-a', 'scale-b', 'scale-c'] as const;
const random = seededRandom(31);
const someBytes = (): Uint8Array => Uint8Array.from({ length: 32 }, () => random.integer(0, 255));
const CENTRES = Array.from({ length: 12 }, someBytes);
const COPIES = 250;
const DIMENSIONS = 16;
/** With a few hundred a shard the planner may as well cut here what they send in order. */
const GALLERY = 9000;

const isError = (code: string) => (error: unknown) => error instanceof HomewardError && error.code === code;
const seen = (hits: readonly BitHit[]): string[] =>
  hits
    .map((hit) => `${hit.query.tag} ${hit.query.algorithm} ${hit.recordId} ${hit.distanceBits} ${hit.quality}`)
    .sort();

const skip = needsServer.skip || needsClusters.skip;

describe('partitions over three servers', { skip, timeout: 900_000 }, () => {
  let db: Db;
  let url: string;
  let folder: TestFolder;
  const clusters: Cluster[] = [];
  let space: EmbeddingSpace;
  let asked: readonly Float32Array[];
  let setId: number;
  const passwords = (): string[] => clusters.map((cluster) => new URL(cluster.url).password);
  const homeward = async (...args: string[]): Promise<Finished> =>
    await runCli(args, { HOMEWARD_DATABASE_URL: url, HOMEWARD_DATA: folder.at('data') });
  const queries = (): BitQuery[] =>
    CENTRES.flatMap((bits, tag) =>
      (['pdq-512', 'pdq-full', 'blockhash-256-r512'] as const).map((algorithm) => ({
        tag,
        algorithm,
        orientation: 'original' as const,
        bits,
        radiusBits: 31,
      })),
    );

  before(async () => {
    folder = await TestFolder.make();
    ({ db, url } = await openTestServerDb());
    // One after the other: two that look for a free port at once take the same one.
    for (const name of NAMES) clusters.push(await startCluster(name));
    setId = await addSet(db);
    await addHashes(db, setId, COPIES * CENTRES.length);
    ({ space, asked } = await addGallery(db));
  });
  after(async () => {
    await db.close();
    await Promise.all(clusters.map((cluster) => cluster.wipe()));
    await folder[Symbol.asyncDispose]();
  });

  it('are not set up with a password in the arguments', async () => {
    const refused = await homeward('db', 'shard', 'add', `a=${clusters[0]?.url}`);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /HW_USAGE/);
    assert.ok(!refused.stderr.includes(passwords()[0] ?? 'none'), 'the password was printed');
  });

  it('are set up and filled by one command, whose passwords are told nowhere', async () => {
    const lines = clusters.map((cluster) => {
      const { hostname, port, username, password } = new URL(cluster.url);
      return `${hostname}:${port}:*:${username}:${password}`;
    });
    const file = folder.at('shards.pgpass');
    await writeFile(file, lines.join('\n'), { mode: 0o600 });
    await chmod(file, 0o600);
    const addresses = clusters.map((cluster, at) => {
      const address = new URL(cluster.url);
      address.password = '';
      return `${NAMES[at]}=${address.href}`;
    });
    const { code, stdout, stderr } = await homeward('db', 'shard', 'add', ...addresses, '--password-file', file);
    assert.equal(code, 0, stderr);
    assert.equal(stdout.match(/vectors sent, as of change/g)?.length, 3, stdout);
    const told = stdout + stderr + JSON.stringify(await listAudit(db, 'local'));
    for (const password of passwords()) assert.ok(!told.includes(password), 'a password was told');
  });

  it('hold each hash once, spread over all of them', async () => {
    const counts = await Promise.all(clusters.map(heldBy));
    const sum = counts.reduce((total, n) => total + n, 0);
    const [own] = await db.read(row({ n: integer }), 'select count(*) as n from searched_bits');
    assert.equal(sum, own?.n);
    for (const n of counts) assert.ok(n > sum / 5, `uneven: ${counts.join()}`);
  });

  it('R9: answer for a radius as one server alone does', async () => {
    const alone = seen(await new PgvectorScan(db).within(queries()));
    const search = await ShardScan.open(db);
    assert.deepEqual(seen(await search.within(queries())), alone);
    assert.ok(alone.length > 1000, `only ${alone.length} hits`);
  });

  it('get the radius sent along, and work at the same time', async () => {
    const [query] = queries();
    assert.ok(query !== undefined);
    const plan = await (await ShardScan.open(db)).explain(query);
    const foreign = plan.filter((line) => line.includes('Async Foreign Scan on homeward_shard.bits_'));
    const remote = plan.filter((line) => /Remote SQL: .*<~>\) \$\d.* <= /.test(line));
    assert.equal(foreign.length, 3, plan.join('\n'));
    assert.equal(remote.length, 3, plan.join('\n'));
  });

  it('take as long as the slowest, not as all of them one after the other', async () => {
    const [query] = queries();
    assert.ok(query !== undefined);
    await Promise.all(clusters.map((cluster) => addSlowView(cluster, 2)));
    for (const at of [0, 1, 2])
      await db.execute(`alter foreign table homeward_shard.bits_${at} options (set table_name 'slow')`);
    try {
      const search = await ShardScan.open(db);
      const start = performance.now();
      const hits = await search.within([query]);
      const seconds = (performance.now() - start) / 1000;
      assert.ok(hits.length > 0);
      assert.ok(seconds >= 2 && seconds < 5, `took ${seconds} s; one after the other would be 6`);
    } finally {
      for (const at of [0, 1, 2])
        await db.execute(`alter foreign table homeward_shard.bits_${at} options (set table_name 'bits')`);
    }
  });

  it('give the nearest vectors as one server alone does, each cutting its own', async () => {
    const alone = await new PgvectorVectors(db, null).nearest(
      [{ space, weight: 1 }],
      asked.map((query) => [query]),
      { scope: 'gallery', limit: 10, minimumSimilarity: -1 },
    );
    const theirs = await nearestOverShards(db, space, asked, 10);
    assert.deepEqual(
      theirs.map((hits) => hits.map((hit) => hit.mediaId)),
      alone.map((hits) => hits.map((hit) => hit.mediaId)),
    );
    const plan = await explainNearest(db, space, asked[0] ?? assert.fail('no query'));
    assert.equal(plan.filter((line) => /Remote SQL: .*ORDER BY .*<=>.* LIMIT/.test(line)).length, 3, plan.join('\n'));
    assert.equal(plan.filter((line) => line.includes('Async Foreign Scan')).length, 3, plan.join('\n'));
  });

  it('answer of what came and went since their copies were made, before and after they are brought up to it', async () => {
    const search = await ShardScan.open(db);
    await addHashes(db, await addSet(db), 60);
    const [gone] = await db.read(
      row({ first: integer, last: integer }),
      'select min(record_id) + 10 as first, min(record_id) + 200 as last from known_record where set_id = $1',
      [setId],
    );
    const range = { setId, firstRecordId: gone?.first ?? 0, lastRecordId: gone?.last ?? 0 };
    await db.transaction(async (tx) => {
      await tx.execute('delete from known_record where record_id between $1 and $2', [
        range.firstRecordId,
        range.lastRecordId,
      ]);
      await noteWithdrawn(tx, [range]);
    });
    const alone = seen(await new PgvectorScan(db).within(queries()));
    assert.deepEqual(seen(await search.within(queries())), alone, 'before');
    const { code, stdout } = await homeward('db', 'shard', 'sync');
    assert.equal(code, 0);
    assert.match(stdout, /sent, as of change/);
    assert.deepEqual(seen(await search.within(queries())), alone, 'after');
    const held = await Promise.all(clusters.map(heldBy));
    const [own] = await db.read(row({ n: integer }), 'select count(*) as n from searched_bits');
    assert.equal(
      held.reduce((sum, n) => sum + n, 0),
      own?.n,
    );
  });

  it('refuse the nearest of a gallery that has changed since', async () => {
    await db.execute(
      'update picture_vector set in_gallery = false where media_id = (select min(media_id) from picture_vector)',
    );
    await assert.rejects(nearestOverShards(db, space, asked, 10), isError('HW_SHARD_STALE'));
    assert.equal((await homeward('db', 'shard', 'sync')).code, 0);
    assert.equal((await nearestOverShards(db, space, asked, 10)).length, asked.length);
  });

  it('say by one command that they answer as the server alone does', async () => {
    const { code, stdout, stderr } = await homeward('db', 'shard', 'status', '--check', '4');
    assert.equal(code, 0, stderr);
    assert.equal(stdout.match(/up to date/g)?.length, 3, stdout);
    assert.match(stdout, /Both answer alike: 16 queries/);
  });

  it('R9: give no answer while one of them is down, and the whole one when it is back', async () => {
    const search = await ShardScan.open(db);
    const alone = seen(await new PgvectorScan(db).within(queries()));
    await clusters[1]?.stop();
    await assert.rejects(search.within(queries()), (error: unknown) => {
      assert.ok(isError('HW_SHARD_UNREACHABLE')(error), String(error));
      assert.match(String(error), /no answer of scale-b/);
      return true;
    });
    await assert.rejects(nearestOverShards(db, space, asked, 10), isError('HW_SHARD_UNREACHABLE'));
    const status = await homeward('db', 'shard', 'status');
    assert.equal(status.code, 3);
    assert.match(status.stderr, /HW_SHARD_UNREACHABLE.*scale-b/);
    await clusters[1]?.start();
    assert.deepEqual(seen(await search.within(queries())), alone);
  });

  it('are taken out of use by one command', async () => {
    assert.equal((await homeward('db', 'shard', 'remove')).code, 0);
    await assert.rejects(ShardScan.open(db), isError('HW_SHARD_SETUP'));
    assert.ok((await new PgvectorScan(db).within(queries())).length > 1000);
  });

  it('leave a node that follows its changes following, when the server that tells of them restarts', async () => {
    const [cluster] = clusters;
    assert.ok(cluster !== undefined);
    const node = await openServer({ url: cluster.url });
    const stop = new AbortController();
    const told: number[] = [];
    const following = followKnownChanges(node, {
      after: await latestKnownChange(node),
      pollMs: 500,
      signal: stop.signal,
      onChange: async (changeId) => void told.push(changeId),
      onFailure: () => undefined,
    });
    const note = async (server: Db): Promise<number> => {
      const [noted] = await server.read(row({ id: integer }), `select note_known_change(1, 'withdrawn', 1, 1) as id`);
      return noted?.id ?? assert.fail('no change was noted');
    };
    const toldOf = async (changes: number): Promise<void> => {
      for (let waited = 0; told.length < changes && waited < 20_000; waited += 50) await delay(50);
    };
    try {
      // It follows by now: before that there is no connection that a restart could cut.
      const before = await note(node);
      await toldOf(1);
      await cluster.stop();
      await cluster.start();
      // Another connection than the one that listens, which may not be back yet: then only looking finds it.
      const other = await openServer({ url: cluster.url, maxConnections: 1 });
      const after = await note(other);
      await other.close();
      await toldOf(2);
      assert.deepEqual(told, [before, after]);
    } finally {
      stop.abort();
      await following;
      await node.close();
    }
  });
});

/** Hashes that a shard holds. */
async function heldBy(cluster: Cluster): Promise<number> {
  const server = await openServer({ url: cluster.url, maxConnections: 1 });
  try {
    const [held] = await server.read(row({ n: integer }), 'select count(*) as n from homeward_shard.bits');
    return held?.n ?? 0;
  } finally {
    await server.close();
  }
}

/** Makes every read of a shard's hashes under this name wait first. */
async function addSlowView(cluster: Cluster, seconds: number): Promise<void> {
  const server = await openServer({ url: cluster.url, maxConnections: 1 });
  try {
    await server.execute(
      `create view homeward_shard.slow as select b.* from homeward_shard.bits b, (select pg_sleep(${seconds}) offset 0) s`,
    );
  } finally {
    await server.close();
  }
}

/** Records of one hash each, copies of the centres with up to 40 bits turned, of every algorithm. */
async function addHashes(db: Db, setId: number, count: number): Promise<void> {
  const algorithms = ['pdq', 'pdq-512', 'pdq-full', 'blockhash-256-r512'];
  const hashes = Array.from({ length: count }, (_, at) => {
    const flips = Array.from({ length: random.integer(0, 40) }, () => random.integer(0, 255));
    return Buffer.from(turned(CENTRES[at % CENTRES.length] ?? someBytes(), flips)).toString('hex');
  });
  await db.transaction(async (tx) => {
    const records = await tx.read(
      row({ recordId: integer }),
      `insert into known_record (set_id, source_key) select $1, place::text from generate_series(1, $2::int) place returning record_id`,
      [setId, count],
    );
    const recordIds = records.map((one) => one.recordId);
    await tx.execute(
      `insert into known_bits (record_id, set_id, algorithm, bits, quality)
       select record_id, $1, algorithm, ('x' || hex)::bit(256), 80 from unnest($2::bigint[], $3::text[], $4::text[]) as t(record_id, algorithm, hex)`,
      [setId, recordIds, hashes.map((_, at) => algorithms[at % algorithms.length] ?? ''), hashes],
    );
    await noteAdded(tx, { setId, firstRecordId: Math.min(...recordIds), lastRecordId: Math.max(...recordIds) });
  });
}

async function addGallery(db: Db): Promise<{ space: EmbeddingSpace; asked: readonly Float32Array[] }> {
  const [space] = await openSpaces(db, [spaceKey({ dimensions: DIMENSIONS })]);
  assert.ok(space !== undefined);
  const mediaIds = await addMedia(
    db,
    Array.from({ length: GALLERY }, (_, at) => `media ${at}`),
  );
  const vectors = [
    ...clusteredVectors({ count: GALLERY + 20, dimensions: DIMENSIONS, clusters: 300, spread: 0.8, seed: 5 }),
  ];
  const encoder = new CopyEncoder();
  for (const [at, mediaId] of mediaIds.entries()) {
    encoder.beginRow(4);
    encoder.int8(mediaId);
    encoder.int2(space.spaceRef);
    encoder.bytes(vectorToBinary(vectors[at] ?? new Float32Array(DIMENSIONS)));
    encoder.bool(true);
  }
  const columns = ['media_id', 'space_ref', 'embedding', 'in_gallery'];
  await db.transaction(async (tx) => await tx.copyIn({ table: 'picture_vector', columns }, [encoder.take()]));
  return { space, asked: vectors.slice(GALLERY) };
}
