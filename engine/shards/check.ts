import { CALIBRATED_ALGORITHMS } from '../match/calibration.ts';
import { drawQueries, sameHits } from '../search/check-search.ts';
import { PgvectorScan } from '../search/pgvector-scan.ts';
import { PgvectorVectors } from '../search/vector-pgvector.ts';
import { decodeCopy } from '../store/binary-copy.ts';
import type { Db } from '../store/db.ts';
import { type EmbeddingSpace, listSpaces, spaceName, vectorTable } from '../store/queries/embedding-spaces.ts';
import { scopeSql } from '../store/queries/gallery.ts';
import { vectorFromBinary } from '../store/queries/vector-values.ts';
import { nearestOverShards } from './nearest.ts';
import { ShardScan } from './scan.ts';

export interface ShardCheck {
  readonly queries: number;
  readonly hits: number;
  /** What was asked where the two answers differ; none is what it has to be. */
  readonly differences: readonly string[];
}

const NEAREST = 10;

/**
 * Asks the shards and this server alone the same: hashes that are known, and vectors of galleries, taken at random. Both are exact, so any difference is a defect.
 * @throws HW_SHARD_SETUP, HW_SHARD_UNREACHABLE, HW_SHARD_STALE
 */
export async function checkShards(db: Db, queriesEach: number): Promise<ShardCheck> {
  const scan = await ShardScan.open(db);
  const alone = new PgvectorScan(db);
  const differences: string[] = [];
  let queries = 0;
  let hits = 0;
  for (const algorithm of CALIBRATED_ALGORITHMS) {
    const asked = await drawQueries(db, algorithm, queriesEach);
    const own = await alone.within(asked);
    queries += asked.length;
    hits += own.length;
    if (!sameHits(await scan.within(asked), own)) differences.push(algorithm);
  }
  for (const space of (await listSpaces(db)).filter(({ state }) => state === 'active')) {
    const asked = await someVectors(db, space, queriesEach);
    if (asked.length === 0) continue;
    const theirs = await nearestOverShards(db, space, asked, NEAREST);
    const own = await new PgvectorVectors(db, null).nearest(
      [{ space, weight: 1 }],
      asked.map((query) => [query]),
      { scope: 'gallery', limit: NEAREST, minimumSimilarity: -1 },
    );
    queries += asked.length;
    hits += own.flat().length;
    const ids = (of: readonly (readonly { readonly distance: number }[])[]): string =>
      of.map((one) => one.map(({ distance }) => distance.toFixed(5)).join()).join(';');
    if (ids(theirs) !== ids(own)) differences.push(spaceName(space));
  }
  return { queries, hits, differences };
}

async function someVectors(db: Db, space: EmbeddingSpace, count: number): Promise<Float32Array[]> {
  const found: Float32Array[] = [];
  await db.transaction(async (tx) => {
    const select = `select v.embedding from ${vectorTable(space).table} v where ${scopeSql(space, 'gallery')} order by random() limit ${Math.trunc(count)}`;
    for await (const [vector] of decodeCopy(tx.copyOut(select)))
      if (vector != null) found.push(vectorFromBinary(vector));
  });
  return found;
}
