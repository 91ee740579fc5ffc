import type { Db, Transaction } from '../store/db.ts';
import { type EmbeddingSpace, listSpaces, vectorTable } from '../store/queries/embedding-spaces.ts';
import { scopeSql } from '../store/queries/gallery.ts';
import { knownChangesAfter, latestKnownChange } from '../store/queries/known-changes.ts';
import { integer, row } from '../store/row-shape.ts';
import { askingShards, foreignTable, type Shard, shardStates, shardsInUse } from './shard.ts';

export interface ShardSync {
  readonly shard: Shard;
  /** Hashes and vectors sent. */
  readonly hashes: number;
  readonly vectors: number;
  /** The change of what is known that it is as of now. */
  readonly changeId: number;
}

/** A shard that lacks more changes than this is filled anew instead. */
const MOST_CHANGES = 1000;

/**
 * Brings the copies up to what is known here: each shard in one transaction of its own, which holds its rows and the number of the change they are as of,
 * so that a stop at any moment leaves it as it was or as it is to be. Returns what was sent to each.
 * @throws HW_SHARD_SETUP, HW_SHARD_UNREACHABLE; those before the one that failed are up to date
 */
export async function syncShards(db: Db): Promise<ShardSync[]> {
  const shards = await shardsInUse(db);
  const done: ShardSync[] = [];
  for (const shard of shards) {
    done.push(
      await askingShards(db, [shard], async () => {
        const hashes = await syncBits(db, shard, shards.length);
        return { shard, ...hashes, vectors: await syncVectors(db, shard, shards.length) };
      }),
    );
  }
  return done;
}

/** Sees one moment here and on the shard; one at a time. */
async function inOneMoment<T>(db: Db, work: (tx: Transaction) => Promise<T>): Promise<T> {
  return await db.transaction(async (tx) => {
    // A lock of a table is had before the moment is fixed; an advisory lock, which a query takes, would fix it first and then wait.
    await tx.script(
      `set transaction isolation level repeatable read; lock table known_shard in share row exclusive mode;
       set local statement_timeout = 0`,
    );
    return await work(tx);
  });
}

async function syncBits(db: Db, shard: Shard, shards: number): Promise<{ hashes: number; changeId: number }> {
  return await inOneMoment(db, async (tx) => {
    const latest = await latestKnownChange(tx);
    const [state] = await shardStates(tx, [shard]);
    const from = state?.changeId ?? 0;
    if (from === latest) return { hashes: 0, changeId: latest };
    const table = foreignTable('bits', shard);
    const changes = await knownChangesAfter(tx, from);
    let hashes = 0;
    if (from === 0 || from > latest || changes.length > MOST_CHANGES) {
      await tx.execute(`truncate ${table}`);
      hashes = await send(tx, shard, shards, 'true');
    } else {
      for (const change of changes) {
        const range = `record_id between ${change.firstRecordId} and ${change.lastRecordId}`;
        await tx.execute(`delete from ${table} where ${range}`);
        // What is searched by now: a record that was added and has left since is not sent.
        if (change.kind === 'added') hashes += await send(tx, shard, shards, range);
      }
    }
    await tx.execute(`update ${foreignTable('state', shard)} set change_id = $1`, [latest]);
    return { hashes, changeId: latest };
  });
}

async function send(tx: Transaction, shard: Shard, shards: number, which: string): Promise<number> {
  return await tx.execute(
    `insert into ${foreignTable('bits', shard)} (record_id, set_id, algorithm, bits, quality)
     select record_id, set_id, algorithm, bits, quality from searched_bits
      where satisfies_hash_partition('homeward_shard.bits'::regclass, ${shards}, ${shard.shardNumber}, record_id) and ${which}`,
  );
}

/** A gallery that has changed is sent whole: it is far smaller than what is known by hashes. */
async function syncVectors(db: Db, shard: Shard, shards: number): Promise<number> {
  const spaces = (await listSpaces(db)).filter((space) => space.state === 'active');
  let vectors = 0;
  for (const space of spaces) vectors += await inOneMoment(db, (tx) => sendGallery(tx, space, shard, shards));
  return vectors;
}

async function sendGallery(tx: Transaction, space: EmbeddingSpace, shard: Shard, shards: number): Promise<number> {
  const own = await galleryRevision(tx, space);
  const [theirs] = await tx.read(
    row({ galleryRevision: integer }),
    `select gallery_revision from ${foreignTable('gallery', shard)} where space_ref = ${space.spaceRef}`,
  );
  if (theirs?.galleryRevision === own) return 0;
  const table = foreignTable('vectors', shard);
  const { table: from, idColumn } = vectorTable(space);
  const media = idColumn === 'face_id' ? 'f.media_id' : 'v.media_id';
  const join = idColumn === 'face_id' ? 'join face f on f.face_id = v.face_id' : '';
  await tx.execute(`delete from ${table} where space_ref = ${space.spaceRef}`);
  const sent = await tx.execute(
    `insert into ${table} (space_ref, owner_id, media_id, embedding)
     select v.space_ref, v.${idColumn}, ${media}, v.embedding from ${from} v ${join}
      where ${scopeSql(space, 'gallery')}
        and satisfies_hash_partition('homeward_shard.vectors'::regclass, ${shards}, ${shard.shardNumber}, v.${idColumn})`,
  );
  await tx.execute(`delete from ${foreignTable('gallery', shard)} where space_ref = ${space.spaceRef}`);
  await tx.execute(
    `insert into ${foreignTable('gallery', shard)} (space_ref, gallery_revision) values (${space.spaceRef}, $1)`,
    [own],
  );
  return sent;
}

/** How often the gallery of a space changed; a trigger counts it. */
export async function galleryRevision(tx: Pick<Transaction, 'read'>, space: EmbeddingSpace): Promise<number> {
  const [found] = await tx.read(
    row({ galleryRevision: integer }),
    'select gallery_revision from embedding_space where space_ref = $1',
    [space.spaceRef],
  );
  return found?.galleryRevision ?? 0;
}
