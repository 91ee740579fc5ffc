import type { CalibratedAlgorithm } from '../match/calibration.ts';
import { type BitHit, type BitQuery, type BitSearch, comparedWith } from '../search/bit-search.ts';
import { SCAN_HIT, scanned } from '../search/pgvector-scan.ts';
import type { Db, Transaction } from '../store/db.ts';
import { type KnownChange, knownChangesAfter, latestKnownChange } from '../store/queries/known-changes.ts';
import { integer, row } from '../store/row-shape.ts';
import { askingShards, type PlanLine, type Shard, shardStates, shardsInUse } from './shard.ts';

/** How often a scan begins anew because the shards were brought up to a later change than it sees. */
const MOST_ATTEMPTS = 5;

// One round trip to all shards at once for each query. `offset 0` keeps the inner query to itself, so that the hash asked for is a parameter of it and goes along:
// pulled up it would be a join, and the planner sends no join condition to a server it has no estimates of, but fetches every row from it.
const ON_SHARDS = `
  select distinct q.number, s.record_id
    from q cross join lateral (
      select b.record_id from homeward_shard.bits b
       where b.algorithm = any($2::text[]) and (b.bits <~> q.bits) <= $3 offset 0
    ) s`;

/**
 * The scan of every stored hash over several servers: each compares its part with pgvector's Hamming distance, all at the same time. What they find is
 * looked up here, where the truth is, and what came in after their copies is compared here; so the answer is that of the scan of one server.
 * A shard that does not answer makes the search fail, never its answer smaller.
 */
export class ShardScan implements BitSearch {
  readonly description: string;
  readonly #db: Db;
  readonly #shards: readonly Shard[];

  private constructor(db: Db, shards: readonly Shard[]) {
    this.#db = db;
    this.#shards = shards;
    this.description = `pgvector <~> scan over ${shards.length} shards (exact)`;
  }

  /** @throws HW_SHARD_SETUP where there are none */
  static async open(db: Db): Promise<ShardScan> {
    return new ShardScan(db, await shardsInUse(db));
  }

  /** @throws HW_SHARD_UNREACHABLE */
  async within(queries: readonly BitQuery[]): Promise<BitHit[]> {
    return await scanned(
      queries,
      async (params) => await this.#asking(async (tx, later) => await tx.read(SCAN_HIT, withinSql(later), params)),
    );
  }

  /** The plan of a search as the server makes it, for tests and for whoever wonders: one line each. */
  async explain(query: BitQuery): Promise<string[]> {
    return await this.#asking(async (tx, later) => {
      const asked = [[Buffer.from(query.bits).toString('hex')], comparedWith(query.algorithm), query.radiusBits];
      const lines = await tx.query<PlanLine>(`explain (verbose, costs off) ${withinSql(later)}`, asked);
      return lines.map((line) => line['QUERY PLAN']);
    });
  }

  async size(algorithm: CalibratedAlgorithm): Promise<number> {
    const [counted] = await this.#db.read(
      row({ hashes: integer }),
      `select count(*) as hashes from searched_bits where algorithm = any($1::text[])`,
      [comparedWith(algorithm)],
    );
    return counted?.hashes ?? 0;
  }

  async close(): Promise<void> {}

  /** `later`: what came in after the copies of the shard that is farthest behind. */
  async #asking<T>(work: (tx: Transaction, later: readonly KnownChange[]) => Promise<T>): Promise<T> {
    return await askingShards(this.#db, this.#shards, async () => {
      for (let attempt = 1; ; attempt += 1) {
        const answer = await this.#db.transaction(async (tx) => {
          // One moment here, and one on each shard from its first statement on: postgres_fdw opens its transactions as repeatable read.
          await tx.script('set transaction isolation level repeatable read');
          const latest = await latestKnownChange(tx);
          const states = await shardStates(tx, this.#shards);
          const ahead = states.some(({ changeId }) => changeId > latest);
          // A shard that is ahead may lack records that are searched at this moment here.
          if (ahead && attempt < MOST_ATTEMPTS) return null;
          if (ahead) throw new RangeError('expected shards at a change that is known here');
          const oldest = Math.min(...states.map(({ changeId }) => changeId));
          return { result: await work(tx, await knownChangesAfter(tx, oldest)) };
        });
        if (answer !== null) return answer.result;
      }
    });
  }
}

/** Ranges are numbers that were read as such, so that they may become part of the SQL. */
function withinSql(later: readonly KnownChange[]): string {
  const ranges = later
    .filter((change) => change.kind === 'added')
    .map((change) => `h.record_id between ${change.firstRecordId} and ${change.lastRecordId}`);
  const here =
    ranges.length === 0
      ? ''
      : `union select q.number, h.record_id from q join searched_bits h
          on h.algorithm = any($2::text[]) and (h.bits <~> q.bits) <= $3 and (${ranges.join(' or ')})`;
  return `
with q as materialized (
  select ordinality as number, ('x' || hex)::bit(256) as bits from unnest($1::text[]) with ordinality as t(hex, ordinality)
), found as materialized (${ON_SHARDS} ${here})
select q.number - 1 as query, k.record_id, (k.bits <~> q.bits)::int as distance_bits, k.quality
  from found join q using (number)
  join searched_bits k on k.record_id = found.record_id and k.algorithm = any($2::text[]) and (k.bits <~> q.bits) <= $3`;
}
