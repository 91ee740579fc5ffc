import { withAudit } from '../../engine/audit/with-audit.ts';
import { followKnownChanges } from '../../engine/search/follow-changes.ts';
import { checkShards, type ShardCheck } from '../../engine/shards/check.ts';
import { addShards, removeShards, type ShardServer } from '../../engine/shards/set-up.ts';
import { askingShards, listShards, type Shard, type ShardState, shardStates } from '../../engine/shards/shard.ts';
import { type ShardSync, syncShards } from '../../engine/shards/sync.ts';
import { SHARD_SIDE_SQL } from '../../engine/shards/tables.ts';
import { prepareShardServer } from '../../engine/store/adapters/shard-server.ts';
import type { Db } from '../../engine/store/db.ts';
import { latestKnownChange } from '../../engine/store/queries/known-changes.ts';
import type { Config } from '../../schemas/config.ts';
import { auditActOf } from './audit-act.ts';
import { withDatabase } from './open-database.ts';

/** Acts of `homeward db shard`, each recorded in the audit trail. */

export interface ShardStatus {
  readonly states: readonly ShardState[];
  /** The latest change of what is known here; a shard that is behind it is still answered for exactly, more slowly. */
  readonly latestChangeId: number;
  readonly check: ShardCheck | null;
}

const objectOf = (shard: Pick<Shard, 'name' | 'host' | 'port'>): string =>
  `shard ${shard.name} at ${shard.host}:${shard.port}`;

/** Sets the shards up and fills them. */
export async function addShardServers(config: Config, servers: readonly ShardServer[]): Promise<ShardSync[]> {
  return await withDatabase(config, async (db) => {
    const act = { ...auditActOf(config, 'alteration', 'db shard add'), objects: servers.map(objectOf) };
    return await withAudit(db, act, async () => {
      await addShards(db, servers, (server, identity) => prepareShardServer(server, SHARD_SIDE_SQL, identity));
      return { result: await syncShards(db) };
    });
  });
}

export async function syncShardServers(config: Config): Promise<ShardSync[]> {
  return await withDatabase(config, async (db) => await synced(db, config));
}

async function synced(db: Db, config: Config): Promise<ShardSync[]> {
  return await withAudit(db, auditActOf(config, 'alteration', 'db shard sync'), async () => {
    const result = await syncShards(db);
    return { result, objects: result.map(({ shard }) => objectOf(shard)) };
  });
}

/** Keeps the shards up to date until `signal` is aborted: at once where the server tells of a change, by looking at the latest after `pollMs`. */
export async function followShardServers(
  config: Config,
  options: {
    readonly pollMs: number;
    readonly signal: AbortSignal;
    readonly onSync: (done: readonly ShardSync[]) => void;
    readonly onFailure: (error: unknown) => void;
  },
): Promise<void> {
  await withDatabase(config, async (db) => {
    options.onSync(await synced(db, config));
    await followKnownChanges(db, {
      after: await latestKnownChange(db),
      pollMs: options.pollMs,
      signal: options.signal,
      onChange: async () => options.onSync(await synced(db, config)),
      onFailure: options.onFailure,
    });
  });
}

/** @throws HW_SHARD_UNREACHABLE */
export async function shardStatus(config: Config, checkQueries: number | null): Promise<ShardStatus> {
  return await withDatabase(
    config,
    async (db) =>
      await withAudit<ShardStatus>(db, auditActOf(config, 'consultation', 'db shard status'), async () => {
        const shards = await listShards(db);
        const states = shards.length === 0 ? [] : await askingShards(db, shards, () => shardStates(db, shards));
        const check = checkQueries === null ? null : await checkShards(db, checkQueries);
        return {
          result: { states, latestChangeId: await latestKnownChange(db), check },
          objects: shards.map(objectOf),
        };
      }),
  );
}

/** Takes all shards out of use. */
export async function removeShardServers(config: Config): Promise<Shard[]> {
  return await withDatabase(
    config,
    async (db) =>
      await withAudit(db, auditActOf(config, 'alteration', 'db shard remove'), async () => {
        const result = await removeShards(db);
        return { result, objects: result.map(objectOf) };
      }),
  );
}
