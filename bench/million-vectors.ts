import type { Db } from '../engine/store/db.ts';
import { type EmbeddingSpace, openSpaces } from '../engine/store/queries/embedding-spaces.ts';
import { buildVectorIndex, hasVectorIndex, type IndexBuild } from '../engine/store/queries/vector-indexes.ts';
import { real, row } from '../engine/store/row-shape.ts';
import { clusteredVectors, spaceKey } from '../test/vector-kit.ts';
import { addNumberedMedia, fillGallery } from './vector-fill.ts';

/** Vectors of the bench `vector-million` in a database of their own: filled and indexed once, which takes up to an hour, and measured often. */

export interface MillionPlan {
  readonly dimensions: number;
  readonly vectors: number;
  readonly queries: number;
}

export interface Million {
  readonly space: EmbeddingSpace;
  /** Of the same clusters, and not in the table. */
  readonly queries: readonly Float32Array[];
  readonly fillSeconds: number;
  readonly buildSeconds: number;
}

/**
 * Fewer links than a small gallery gets: time to build grows with their cube (each new vector makes each of its neighbours choose its
 * links anew), and a broader search while building costs little beside that.
 */
export const MILLION_BUILD: IndexBuild = { links: 16, breadth: 100 };

const SEED = 20260101;
/** Members of a cluster have a cosine of some 0.6, as pictures of one person or place have. */
const SPREAD = 0.8;
const PER_CLUSTER = 10;

/** Fills the table and builds the index, or finds both as an earlier run left them. */
export async function prepareMillion(db: Db, plan: MillionPlan, say: (text: string) => void): Promise<Million> {
  const [space] = await openSpaces(db, [spaceKey({ packId: `bench-${plan.dimensions}`, dimensions: plan.dimensions })]);
  if (space === undefined) throw new Error('expected a space');
  await db.execute(
    'create table if not exists bench_million (step text primary key, seconds double precision not null)',
  );
  const queries: Float32Array[] = [];
  const fillSeconds = await once(db, 'fill', async () => {
    say(`${plan.dimensions} dimensions: filling ${plan.vectors}`);
    await addNumberedMedia(db, plan.vectors);
    await fillGallery(db, space, vectorsOf(plan, 0, plan.vectors));
  });
  const buildSeconds = await once(db, 'build', async () => {
    if (await hasVectorIndex(db, space, 'gallery')) return;
    say(`${plan.dimensions} dimensions: building the index`);
    await buildVectorIndex(db, space, 'gallery', MILLION_BUILD);
  });
  for (const vector of vectorsOf(plan, plan.vectors, plan.vectors + plan.queries)) queries.push(vector);
  return { space, queries, fillSeconds, buildSeconds };
}

/** Does a step that was not done yet; returns how long it took when it was. */
async function once(db: Db, step: string, work: () => Promise<void>): Promise<number> {
  const [done] = await db.read(row({ seconds: real }), 'select seconds from bench_million where step = $1', [step]);
  if (done !== undefined) return done.seconds;
  const start = performance.now();
  await work();
  const seconds = (performance.now() - start) / 1000;
  await db.execute('insert into bench_million (step, seconds) values ($1, $2)', [step, seconds]);
  return seconds;
}

/** The generator gives the same vectors every time: those in the table first, then those to search with. */
function* vectorsOf(plan: MillionPlan, from: number, to: number): Generator<Float32Array> {
  const options = { dimensions: plan.dimensions, clusters: plan.vectors / PER_CLUSTER, spread: SPREAD, seed: SEED };
  let at = 0;
  for (const vector of clusteredVectors({ count: to, ...options })) {
    if (at >= from) yield vector;
    at += 1;
  }
}
