import path from 'node:path';

export interface ReadablePathsRequest {
  readonly checkout: string;
  /** The host's script. */
  readonly entry: string;
  readonly readableRoots: readonly string[];
  readonly scratchRoot: string;
}

/** What of the checkout a host loads code from; neither .git nor a data folder beside it. */
const CODE = ['workers', 'schemas', 'models', 'node_modules', 'package.json'];
/** More than this does not fit a command line well; then everything is readable, and the sandbox state says so. */
const MOST_ROOTS = 500;

/**
 * A path as `--allow-fs-read` understands it: `*` would be a pattern, and arguments are UTF-8, so a name that is not cannot be said.
 * Such a root is widened to the nearest folder above that can.
 */
export function expressible(root: string): string {
  let place = path.resolve(root);
  while (/[*\uFFFD]/.test(place)) place = path.dirname(place);
  return place;
}

/** Every place that the JavaScript of a host may read: its code, what is to be examined, and the scratch folder. */
export function readablePaths(request: ReadablePathsRequest): string[] {
  const { checkout, entry, readableRoots, scratchRoot } = request;
  const roots = readableRoots.length > MOST_ROOTS ? [path.parse(checkout).root] : readableRoots.map(expressible);
  return [...new Set([...CODE.map((name) => path.join(checkout, name)), entry, ...roots, expressible(scratchRoot)])];
}

/**
 * The folder a host starts in. Worker threads of Node 24 may read the whole of it beside what the flags allow (they take their missing
 * script argument for the working directory), so it is one that holds nothing but code.
 */
export const workingFolder = (checkout: string): string => path.join(checkout, 'workers', 'host');

export const isInside = (inner: string, outer: string): boolean => {
  const relative = path.relative(outer, inner);
  return relative === '' || (!relative.startsWith('..') && !path.isAbsolute(relative));
};
