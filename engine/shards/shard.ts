import { HomewardError } from '../../schemas/error.ts';
import type { Db, Queryable } from '../store/db.ts';
import { integer, type RowOf, row, text } from '../store/row-shape.ts';
import { sqlStateOf } from '../store/sqlstate.ts';

const SHARD = row({ shardNumber: integer, name: text, host: text, port: integer, database: text });

/** Another server that holds a part of the copies; its number is its partition. */
export type Shard = RowOf<typeof SHARD>;

/** What a shard has copies of. */
export interface ShardState {
  readonly shard: Shard;
  /** The change of what is known that its hashes are as of. */
  readonly changeId: number;
}

export async function listShards(db: Queryable): Promise<Shard[]> {
  return await db.read(SHARD, 'select shard_number, name, host, port, database from known_shard order by shard_number');
}

/** A line of EXPLAIN, by the name that the server gives its only column. */
export interface PlanLine {
  readonly 'QUERY PLAN': string;
}

/** @throws HW_SHARD_SETUP where there are none */
export async function shardsInUse(db: Queryable): Promise<Shard[]> {
  const shards = await listShards(db);
  if (shards.length > 0) return shards;
  throw new HomewardError(
    'HW_SHARD_SETUP',
    'expected shards that were set up, received none; homeward db shard add sets them up',
  );
}

/** Names of a shard's objects on the server that asks. A number, so that nothing from outside becomes part of SQL. */
export const serverName = (shard: Pick<Shard, 'shardNumber'>): string => `homeward_shard_${shard.shardNumber}`;
export const foreignTable = (
  kind: 'bits' | 'vectors' | 'state' | 'gallery',
  shard: Pick<Shard, 'shardNumber'>,
): string => `homeward_shard.${kind}_${shard.shardNumber}`;

/** The state of every shard, read from the shards themselves; within a transaction also the moment that their tables are seen at. */
export async function shardStates(db: Queryable, shards: readonly Shard[]): Promise<ShardState[]> {
  const states = await db.read(
    row({ shardNumber: integer, changeId: integer }),
    shards
      .map((shard) => `select ${shard.shardNumber} as shard_number, change_id from ${foreignTable('state', shard)}`)
      .join(' union all '),
  );
  return shards.map((shard) => {
    const state = states.find((one) => one.shardNumber === shard.shardNumber);
    // A shard that was emptied or put in another's place must not be taken for one in which nothing is near.
    if (state === undefined) throw lost(shard);
    return { shard, changeId: state.changeId };
  });
}

function lost(shard: Shard): HomewardError {
  return new HomewardError(
    'HW_SHARD_SETUP',
    `expected the shard ${shard.name} to say what it holds, received nothing; set it up again with homeward db shard add`,
  );
}

/** SQLSTATE classes of a connection that failed and of postgres_fdw's own errors (PostgreSQL, Appendix A). */
const OF_SHARDS = new Set(['08', 'HV', '57']);

/**
 * Runs something that asks the shards. Where one does not answer there is no answer: one that lacks a part would say of what is known that it is not.
 * @throws HW_SHARD_UNREACHABLE naming those that do not answer
 */
export async function askingShards<T>(db: Db, shards: readonly Shard[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const state = sqlStateOf(error);
    if (state === null || !OF_SHARDS.has(state.slice(0, 2))) throw error;
    const silent: string[] = [];
    for (const shard of shards) {
      await db.query(`select 1 as one from ${foreignTable('state', shard)}`).catch(() => silent.push(shard.name));
    }
    throw new HomewardError(
      'HW_SHARD_UNREACHABLE',
      `expected every shard to answer, received SQLSTATE ${state} (${silent.length === 0 ? 'all answer by now' : `no answer of ${silent.join(', ')}`}); the answer would be incomplete and is not given; start it or take it out of use, and ask again`,
      { cause: error },
    );
  }
}
