import { HomewardError } from '../../schemas/error.ts';
import { type EmbeddingSpace, spaceName, vectorTable } from '../store/queries/embedding-spaces.ts';
import type { VectorScope } from '../store/queries/gallery.ts';
import { vectorProblem } from '../store/queries/vector-values.ts';

/**
 * A space and its share in a score. The score of several is the mean of their cosines by weight, which is the cosine of the vectors set
 * end to end, each scaled by the root of its share: so one search finds the nearest by the fused score itself.
 */
export interface WeightedSpace {
  readonly space: EmbeddingSpace;
  /** Above 0. */
  readonly weight: number;
}

/** One space, or several of one kind (all of faces, or all of pictures); what has no vector in one of them is not compared. */
export type SearchedSpaces = readonly WeightedSpace[];

/** One vector for each of the spaces, in their order, each of length 1. */
export type VectorQuery = readonly Float32Array[];

export interface NearestOptions {
  readonly scope: VectorScope;
  /** Hits of a query, the nearest ones. */
  readonly limit: number;
  /** By the fused score, -1 to 1. */
  readonly minimumSimilarity: number;
  /** Only these: face ids for spaces of faces, media ids for others. Undefined: all of the scope. */
  readonly among?: readonly number[] | undefined;
  /** By query: what belongs to this media is no hit. A media that is searched with is in `all`, and may be in the gallery. */
  readonly exceptMediaIds?: readonly (number | null)[] | undefined;
}

/** As pgvector gives it: rounding makes the cosine of a vector with itself a little more than 1. */
export const cosineDistance = (similarity: number): number => Math.min(2, Math.max(0, 1 - similarity));

export interface VectorHit {
  /** Null for a picture. */
  readonly faceId: number | null;
  readonly mediaId: number;
  /** 1 - similarity, 0 to 2. */
  readonly distance: number;
  /** Cosines by space, in the order asked. */
  readonly similarities: readonly number[];
}

export interface VectorSearch {
  /** For reports. */
  readonly description: string;
  /**
   * The hits of each query, the nearest first and then by id. Over the gallery, what an index does not find is looked for exactly before
   * nothing is answered. Distances of different ways of searching agree to 1e-5.
   * A hit may have been erased since: join it when recording.
   * @throws HW_INTERNAL for a query that is not finite, not of length 1, or not of its space
   */
  nearest(
    spaces: SearchedSpaces,
    queries: readonly VectorQuery[],
    options: NearestOptions,
  ): Promise<(readonly VectorHit[])[]>;
  /** How many a query is compared with now. */
  size(spaces: SearchedSpaces, scope: VectorScope): Promise<number>;
  close(): Promise<void>;
}

/** Shares of the spaces, which sum to 1. */
export function sharesOf(spaces: SearchedSpaces): number[] {
  const sum = spaces.reduce((total, { weight }) => total + weight, 0);
  return spaces.map(({ weight }) => weight / sum);
}

/** The tables of the spaces as SQL: `v` and `p1`, `p2`, ... joined by what they belong to, and `f`, which has the media. Spaces only, no outside text. */
export function joinedVectors(spaces: SearchedSpaces): { readonly from: string; readonly id: string } {
  const [first] = spaces;
  if (first === undefined) throw unfit('at least one space', 'none');
  const { table, idColumn } = vectorTable(first.space);
  const parts = spaces.slice(1).map(({ space }, at) => {
    if (vectorTable(space).table !== table) throw unfit('spaces of one kind', spaceName(space));
    return ` join ${table} p${at + 1} on p${at + 1}.${idColumn} = v.${idColumn} and p${at + 1}.space_ref = ${space.spaceRef}`;
  });
  const media = idColumn === 'face_id' ? ' join face f on f.face_id = v.face_id' : '';
  return { from: `${table} v${parts.join('')}${media}`, id: `v.${idColumn}` };
}

/** The column of the media in `joinedVectors`. */
export const mediaColumn = (spaces: SearchedSpaces): string =>
  spaces[0]?.space.kind === 'faceEmbedding' ? 'f.media_id' : 'v.media_id';

/** @throws HW_INTERNAL: a query of NaN would find nothing and look like an answer */
export function assertQueries(spaces: SearchedSpaces, queries: readonly VectorQuery[], options: NearestOptions): void {
  if (spaces.some(({ weight }) => !(weight > 0)))
    throw unfit('weights above 0', spaces.map((one) => one.weight).join(', '));
  if (!Number.isSafeInteger(options.limit) || options.limit < 1)
    throw unfit('a limit of 1 or more', String(options.limit));
  if (options.exceptMediaIds !== undefined && options.exceptMediaIds.length !== queries.length) {
    throw unfit(`${queries.length} media to leave out`, String(options.exceptMediaIds.length));
  }
  for (const query of queries) {
    if (query.length !== spaces.length) throw unfit(`${spaces.length} vectors a query`, String(query.length));
    for (const [at, { space }] of spaces.entries()) {
      const problem = vectorProblem(query[at] ?? new Float32Array(0), space.dimensions);
      if (problem !== null) throw unfit('vectors as they are stored', `for ${spaceName(space)}: ${problem}`);
    }
  }
}

function unfit(expected: string, received: string): HomewardError {
  return new HomewardError(
    'HW_INTERNAL',
    `expected ${expected} for a search of vectors, received ${received}; report this`,
  );
}
