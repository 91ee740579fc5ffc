/**
 * Search of a million vectors on a real server: how long the index takes to build after bulk loading, how many of the ten nearest it finds at several breadths, how many
 * queries a second it answers, and what a filter that lets one in a hundred or one in ten through is answered by best. A bench of `npm run bench`.
 * Filling and building take up to an hour: on a server named in HOMEWARD_BENCH_DATABASE_URL the databases homeward_bench_million_* stay for the next run.
 */
import pg from 'pg';
import { PgvectorVectors } from '../engine/search/vector-pgvector.ts';
import type { NearestOptions, VectorHit } from '../engine/search/vector-search.ts';
import { openServer } from '../engine/store/adapters/pg.ts';
import type { Db } from '../engine/store/db.ts';
import { filteredByIndex, ITERATIVE_SCANS } from './filtered-index.ts';
import {
  type Bench,
  type BenchOptions,
  type BenchResult,
  figure,
  judged,
  type Measure,
  significant,
} from './harness.ts';
import { MILLION_BUILD, type Million, type MillionPlan, prepareMillion } from './million-vectors.ts';
import { withServerDatabase } from './real-server.ts';

const LIMIT = 10;
const LEAST_RECALL = 0.99;
const BREADTHS = [200, 1000, 2000, 4000, 16_000] as const;
const FILTERS = [100, 10] as const;
const SCOPE: NearestOptions = { scope: 'gallery', limit: LIMIT, minimumSimilarity: -1 };

interface Timed {
  readonly hits: (readonly VectorHit[])[];
  readonly perSecond: number;
}

async function timed(count: number, search: () => Promise<(readonly VectorHit[])[]>): Promise<Timed> {
  const start = performance.now();
  const hits = await search();
  return { hits, perSecond: (count * 1000) / (performance.now() - start) };
}

function recallOf(found: readonly (readonly VectorHit[])[], exact: Timed): number {
  let wanted = 0;
  let had = 0;
  for (const [query, hits] of exact.hits.entries()) {
    const ids = new Set(found[query]?.map((hit) => hit.mediaId));
    wanted += hits.length;
    had += hits.filter((hit) => ids.has(hit.mediaId)).length;
  }
  return had / wanted;
}

interface Measured {
  readonly measures: Measure[];
  readonly breadthRows: (string | number)[][];
  readonly filterRows: (string | number)[][];
}

async function measure(db: Db, plan: MillionPlan, prepared: Million, { say }: BenchOptions): Promise<Measured> {
  const { space, queries } = prepared;
  const one = `${plan.dimensions} dimensions`;
  const asked = queries.map((query) => [query]);
  const spaces = [{ space, weight: 1 }];
  const exactly = new PgvectorVectors(db, null);
  say(`${one}: comparing with all`);
  const exact = await timed(asked.length, () => exactly.nearest(spaces, asked, SCOPE));

  const breadthRows: (string | number)[][] = [];
  let chosen: { breadth: number; recall: number; perSecond: number } | null = null;
  for (const breadth of BREADTHS) {
    const index = new PgvectorVectors(db, breadth);
    await index.nearest(spaces, asked.slice(0, 5), SCOPE);
    const found = await timed(asked.length, () => index.nearest(spaces, asked, SCOPE));
    const recall = recallOf(found.hits, exact);
    say(`${one}, breadth ${breadth}: recall ${significant(recall)}`);
    breadthRows.push([plan.dimensions, breadth, significant(recall), significant(found.perSecond)]);
    if (chosen === null || (chosen.recall < LEAST_RECALL && recall > chosen.recall))
      chosen = { breadth, recall, perSecond: found.perSecond };
  }

  const filterRows: (string | number)[][] = [];
  for (const oneIn of FILTERS) {
    const among = Array.from({ length: Math.floor(plan.vectors / oneIn) }, (_, at) => at * oneIn + 1);
    const options = { ...SCOPE, among };
    const few = asked.slice(0, 20);
    const byKey = await timed(few.length, () => exactly.nearest(spaces, few, options));
    filterRows.push([plan.dimensions, `${100 / oneIn} %`, 'by key, exact', 1, significant(byKey.perSecond)]);
    for (const scan of ITERATIVE_SCANS) {
      const found = await timed(few.length, () => filteredByIndex(db, space, queries.slice(0, 20), among, LIMIT, scan));
      const recall = recallOf(found.hits, byKey);
      say(`${one}, filter ${100 / oneIn} %, ${scan.order} up to ${scan.mostTuples}: recall ${significant(recall)}`);
      const way = `index, ${scan.order}, up to ${scan.mostTuples} tuples`;
      filterRows.push([plan.dimensions, `${100 / oneIn} %`, way, significant(recall), significant(found.perSecond)]);
    }
  }
  const measures = [
    judged(`${one}: recall@10 of the index`, chosen?.recall ?? 0, '', '>=', LEAST_RECALL),
    figure(`${one}: breadth of that search`, chosen?.breadth ?? 0, 'candidates'),
    figure(`${one}: index`, chosen?.perSecond ?? 0, 'queries/s'),
    figure(`${one}: database scan, exact`, exact.perSecond, 'queries/s'),
    figure(`${one}: filling by binary COPY`, prepared.fillSeconds, 's'),
    figure(`${one}: building the index`, prepared.buildSeconds, 's'),
  ];
  return { measures, breadthRows, filterRows };
}

const PLANS: readonly MillionPlan[] = [816, 128].map((dimensions) => ({
  dimensions,
  vectors: 1_000_000,
  queries: 100,
}));
const QUICK: readonly MillionPlan[] = [{ dimensions: 128, vectors: 5000, queries: 20 }];

/** On a server that was named, in databases that stay; otherwise in one that goes with its server. */
async function withMillionDatabase<T>(
  options: BenchOptions,
  name: string,
  work: (url: string) => Promise<T>,
): Promise<T> {
  if (options.databaseUrl === undefined || options.quick) return await withServerDatabase(options.databaseUrl, work);
  const client = new pg.Client({ connectionString: options.databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query('select from pg_database where datname = $1', [name]);
    if (rows.length === 0) await client.query(`create database ${name}`);
  } finally {
    await client.end();
  }
  const own = new URL(options.databaseUrl);
  own.pathname = `/${name}`;
  return await work(own.href);
}

async function run(options: BenchOptions): Promise<BenchResult> {
  const measured: Measured[] = [];
  const plans = options.quick ? QUICK : PLANS;
  for (const plan of plans) {
    await withMillionDatabase(options, `homeward_bench_million_${plan.dimensions}`, async (url) => {
      const db = await openServer({ url });
      try {
        measured.push(await measure(db, plan, await prepareMillion(db, plan, options.say), options));
      } finally {
        await db.close();
      }
    });
  }
  return {
    measures: measured.flatMap((one) => one.measures),
    tables: [
      {
        title: 'By the index, at several breadths of the search',
        columns: ['dimensions', 'breadth', 'recall@10', 'queries/s'],
        rows: measured.flatMap((one) => one.breadthRows),
      },
      {
        title: 'With a filter, by the key of what is allowed and by reading on in the index',
        columns: ['dimensions', 'allowed', 'way', 'recall@10', 'queries/s'],
        rows: measured.flatMap((one) => one.filterRows),
      },
    ],
    parameters: {
      vectors: plans[0]?.vectors ?? 0,
      queries: plans[0]?.queries ?? 0,
      limit: LIMIT,
      links: MILLION_BUILD.links,
      buildBreadth: MILLION_BUILD.breadth,
    },
    notes: [
      'Breadths above 1,000, which hnsw.ef_search ends at, are had by reading on in the index (hnsw.iterative_scan) and ranking again by the full vectors.',
      'The vectors are random directions in clusters of ten, cosine 0.6 within one and 0 between: harder for an index than real ones, between which there are intermediate steps.',
      'Building time is that of the run that built the index; it stays with its database.',
    ],
  };
}

export const bench: Bench = { name: 'vector-million', run };
