import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { HomewardError } from '../../schemas/error.ts';
import { decodeCopy } from '../store/binary-copy.ts';
import type { Db } from '../store/db.ts';
import { scopeSql, type VectorScope } from '../store/queries/gallery.ts';
import { VECTOR_HEADER_BYTES } from '../store/queries/vector-values.ts';
import { integer, row } from '../store/row-shape.ts';
import type { ScanQueries } from './vector-kernel.ts';
import type { MemoryAnswer, MemoryRequest } from './vector-memory-thread.ts';
import {
  assertQueries,
  cosineDistance,
  joinedVectors,
  mediaColumn,
  type NearestOptions,
  type SearchedSpaces,
  sharesOf,
  type VectorHit,
  type VectorQuery,
  type VectorSearch,
} from './vector-search.ts';

/** Vectors read from the database at once: the embedded one makes each answer in one piece, in memory that it keeps. */
const PAGE_BYTES = 8 * 1024 * 1024;

/** What is in the thread under a key; position i of both belongs together. */
interface Loaded {
  /** Rising. */
  readonly ids: Float64Array;
  readonly mediaIds: Float64Array;
  /** Of the galleries when it was loaded. */
  readonly revision: string;
}

/**
 * Exact search in memory, in a thread of its own: the vectors of what is searched are kept there, 4 bytes a value, and compared with
 * every query. A gallery is loaded anew when it has changed, `all` only once: it is a snapshot of when it was first searched.
 */
export class MemoryVectors implements VectorSearch {
  readonly description = 'in-memory scan (exact)';
  readonly #db: Db;
  readonly #loaded = new Map<string, Loaded>();
  #thread: Worker | undefined;
  #failure: Error | undefined;
  /** One call after the other: the thread gives one answer for each message. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(db: Db) {
    this.#db = db;
  }

  async nearest(
    spaces: SearchedSpaces,
    queries: readonly VectorQuery[],
    options: NearestOptions,
  ): Promise<(readonly VectorHit[])[]> {
    assertQueries(spaces, queries, options);
    return await this.#inTurn(async () => {
      const key = searchKey(spaces, options.scope);
      const loaded = await this.#current(spaces, options.scope);
      if (loaded.ids.length === 0 || queries.length === 0) return queries.map(() => []);
      const shares = sharesOf(spaces);
      const scan: ScanQueries = {
        limit: options.limit,
        minimumSimilarity: options.minimumSimilarity,
        queries: concatenated(queries, shares),
        positions: options.among === undefined ? null : positionsOf(loaded.ids, options.among),
        exceptMediaIds:
          options.exceptMediaIds === undefined
            ? null
            : Float64Array.from(options.exceptMediaIds, (mediaId) => mediaId ?? Number.NaN),
      };
      const partStarts = startsOf(spaces);
      const answer = await this.#ask({ kind: 'scan', key, scan, partStarts }, []);
      return answer === null ? queries.map(() => []) : hitsOf(answer, loaded, spaces, shares);
    });
  }

  size(spaces: SearchedSpaces, scope: VectorScope): Promise<number> {
    // Never what was loaded before: whoever asks first whether there is anything to search must not be told of an earlier emptiness.
    return this.#inTurn(async () => (await this.#current(spaces, scope)).ids.length);
  }

  close(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#thread?.terminate();
      this.#thread = undefined;
      this.#loaded.clear();
    });
  }

  #inTurn<T>(call: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(call, call);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #current(spaces: SearchedSpaces, scope: VectorScope): Promise<Loaded> {
    const key = searchKey(spaces, scope);
    const before = this.#loaded.get(key);
    // Asked before anything is loaded: what changes meanwhile makes the next query load anew, and is never missed.
    const revision = await revisionOf(this.#db, spaces, scope);
    if (before?.revision === revision) return before;
    this.#loaded.delete(key);
    if (before !== undefined) await this.#ask({ kind: 'drop', key }, []);
    const loaded = await this.#load(spaces, scope, key, revision);
    this.#loaded.set(key, loaded);
    return loaded;
  }

  async #load(spaces: SearchedSpaces, scope: VectorScope, key: string, revision: string): Promise<Loaded> {
    const dimensions = dimensionsOf(spaces);
    const pageRows = Math.max(1, Math.floor(PAGE_BYTES / (dimensions * 4)));
    const ids: number[] = [];
    const mediaIds: number[] = [];
    await this.#db.transaction(async (tx) => {
      for (let pageEnd = pageRows; pageEnd === pageRows; ) {
        const rows = new Float32Array(pageRows * dimensions);
        pageEnd = 0;
        const select = pageSql(spaces, scope, ids.at(-1) ?? 0, pageRows);
        for await (const [id, mediaId, ...vectors] of decodeCopy(tx.copyOut(select))) {
          if (id == null || mediaId == null) continue;
          ids.push(Number(id.readBigInt64BE()));
          mediaIds.push(Number(mediaId.readBigInt64BE()));
          fill(rows.subarray(pageEnd * dimensions, (pageEnd + 1) * dimensions), spaces, vectors);
          pageEnd += 1;
        }
        if (pageEnd === 0) break;
        const ofPage = Float64Array.from(mediaIds.slice(-pageEnd));
        const filled = pageEnd === pageRows ? rows : rows.slice(0, pageEnd * dimensions);
        await this.#ask({ kind: 'rows', key, dimensions, rows: filled, mediaIds: ofPage }, [
          filled.buffer,
          ofPage.buffer,
        ]);
      }
    });
    return { ids: Float64Array.from(ids), mediaIds: Float64Array.from(mediaIds), revision };
  }

  async #ask(request: MemoryRequest, transfer: ArrayBuffer[]): Promise<MemoryAnswer | null> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#thread ??= this.#start();
    const thread = this.#thread;
    thread.ref();
    thread.postMessage(request, transfer);
    try {
      const messages = await once(thread, 'message');
      const answer: MemoryAnswer | null = messages[0];
      return answer;
    } finally {
      // The engine ends when its work is done, whether or not this was closed.
      thread.unref();
    }
  }

  #start(): Worker {
    const thread = new Worker(new URL('vector-memory-thread.ts', import.meta.url));
    thread.on('error', (cause) => {
      this.#failure = new HomewardError(
        'HW_INTERNAL',
        'expected the thread that searches vectors to go on, received its end; begin again, with less memory for vectors if it ran out of it',
        { cause },
      );
    });
    return thread;
  }
}

/** One name for each thing that is searched. */
export const searchKey = (spaces: SearchedSpaces, scope: VectorScope): string =>
  `${scope} ${spaces.map(({ space, weight }) => `${space.spaceRef}x${weight}`).join('+')}`;

const dimensionsOf = (spaces: SearchedSpaces): number => spaces.reduce((sum, { space }) => sum + space.dimensions, 0);

/** Where each space begins in a row, and where the last one ends. */
function startsOf(spaces: SearchedSpaces): number[] {
  const starts = [0];
  for (const { space } of spaces) starts.push((starts.at(-1) ?? 0) + space.dimensions);
  return starts;
}

/** Changes with the galleries of these spaces; `all` is taken as it is first seen. */
export async function revisionOf(db: Db, spaces: SearchedSpaces, scope: VectorScope): Promise<string> {
  if (scope === 'all') return 'once';
  const found = await db.read(
    row({ galleryRevision: integer }),
    'select gallery_revision from embedding_space where space_ref = any($1::smallint[]) order by space_ref',
    [spaces.map(({ space }) => space.spaceRef)],
  );
  return found.map((one) => one.galleryRevision).join(' ');
}

function pageSql(spaces: SearchedSpaces, scope: VectorScope, afterId: number, rows: number): string {
  const [first] = spaces;
  if (first === undefined) throw new RangeError('expected a space to load');
  const { from, id } = joinedVectors(spaces);
  const vectors = spaces.map((_, at) => `${at === 0 ? 'v' : `p${at}`}.embedding`).join(', ');
  return `select ${id}, ${mediaColumn(spaces)}, ${vectors} from ${from}
           where ${scopeSql(first.space, scope)} and ${id} > ${afterId} order by ${id} limit ${rows}`;
}

/** Puts the vectors of one row end to end, each brought to the length of the root of its share. */
function fill(target: Float32Array, spaces: SearchedSpaces, vectors: readonly (Buffer | null)[]): void {
  const shares = sharesOf(spaces);
  let start = 0;
  for (const [at, { space }] of spaces.entries()) {
    const part = target.subarray(start, start + space.dimensions);
    start += space.dimensions;
    const binary = vectors[at];
    if (binary == null || binary.length !== VECTOR_HEADER_BYTES + part.byteLength) continue;
    const bytes = Buffer.from(part.buffer, part.byteOffset, part.byteLength);
    binary.copy(bytes, 0, VECTOR_HEADER_BYTES);
    bytes.swap32();
    scale(part, shares[at] ?? 0);
  }
}

function scale(vector: Float32Array, share: number): void {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const factor = squares > 0 ? Math.sqrt(share / squares) : 0;
  for (let at = 0; at < vector.length; at += 1) vector[at] = (vector[at] ?? 0) * factor;
}

function concatenated(queries: readonly VectorQuery[], shares: readonly number[]): Float32Array {
  const length = queries[0]?.reduce((sum, part) => sum + part.length, 0) ?? 0;
  const all = new Float32Array(queries.length * length);
  let end = 0;
  for (const query of queries) {
    for (const [at, part] of query.entries()) {
      all.set(part, end);
      scale(all.subarray(end, end + part.length), shares[at] ?? 0);
      end += part.length;
    }
  }
  return all;
}

/** Rising, without those that are not there. */
function positionsOf(ids: Float64Array, among: readonly number[]): Int32Array {
  const wanted = new Set(among);
  const positions: number[] = [];
  for (const [position, id] of ids.entries()) if (wanted.has(id)) positions.push(position);
  return Int32Array.from(positions);
}

function hitsOf(
  answer: MemoryAnswer,
  loaded: Loaded,
  spaces: SearchedSpaces,
  shares: readonly number[],
): (readonly VectorHit[])[] {
  const ofFaces = spaces[0]?.space.kind === 'faceEmbedding';
  let at = 0;
  return Array.from(answer.counts, (count) =>
    Array.from({ length: count }, (): VectorHit => {
      const position = answer.positions[at] ?? 0;
      const similarities = shares.map((share, part) => (answer.parts[at * shares.length + part] ?? 0) / share);
      const hit = {
        faceId: ofFaces ? (loaded.ids[position] ?? 0) : null,
        mediaId: loaded.mediaIds[position] ?? 0,
        distance: cosineDistance(answer.similarities[at] ?? 0),
        similarities,
      };
      at += 1;
      return hit;
    }),
  );
}
