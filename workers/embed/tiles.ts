import type { Box } from './detection.ts';
import type { Region } from './resample.ts';

/** A part of the picture that is looked at by itself; which of its edges are not the picture's own. */
export interface Tile extends Region {
  readonly innerLeft: boolean;
  readonly innerTop: boolean;
  readonly innerRight: boolean;
  readonly innerBottom: boolean;
}

/** More tiles than this would let one strip of 1 x 60,000 pixels take as long as a thousand pictures. */
const MOST_TILES = 64;

/**
 * The whole picture, and where its longer side is above `sidePixels` also overlapping tiles of that side, evenly spread, so that
 * a face that the whole picture's reduction made too small is seen in one of them.
 */
export function tilesOf(widthPixels: number, heightPixels: number, sidePixels: number | null, overlap: number): Tile[] {
  const whole = tile(0, 0, widthPixels, heightPixels, widthPixels, heightPixels);
  if (sidePixels === null || Math.max(widthPixels, heightPixels) <= sidePixels) return [whole];
  const columns = starts(widthPixels, sidePixels, overlap);
  const rows = starts(heightPixels, sidePixels, overlap);
  if (columns.length * rows.length > MOST_TILES) return [whole];
  const side = (length: number) => Math.min(sidePixels, length);
  return [
    whole,
    ...rows.flatMap((y) =>
      columns.map((x) => tile(x, y, side(widthPixels), side(heightPixels), widthPixels, heightPixels)),
    ),
  ];
}

/** How much is added on each side, in parts of the picture's. */
const MARGIN = 0.5;

/** The picture with a broad margin: a crop so tight that it is nothing but face looks to a detector like no face at all. */
export function withMargin(widthPixels: number, heightPixels: number): Tile {
  return {
    x: -MARGIN * widthPixels,
    y: -MARGIN * heightPixels,
    width: (1 + 2 * MARGIN) * widthPixels,
    height: (1 + 2 * MARGIN) * heightPixels,
    innerLeft: false,
    innerTop: false,
    innerRight: false,
    innerBottom: false,
  };
}

function tile(x: number, y: number, width: number, height: number, widthPixels: number, heightPixels: number): Tile {
  return {
    x,
    y,
    width,
    height,
    innerLeft: x > 0,
    innerTop: y > 0,
    innerRight: x + width < widthPixels,
    innerBottom: y + height < heightPixels,
  };
}

/** Where tiles begin on one side: the fewest that overlap by at least `overlap` of their side. */
function starts(lengthPixels: number, sidePixels: number, overlap: number): number[] {
  if (lengthPixels <= sidePixels) return [0];
  const step = Math.max(1, sidePixels * (1 - overlap));
  const count = Math.ceil((lengthPixels - sidePixels) / step) + 1;
  return Array.from({ length: count }, (_, i) => Math.round((i * (lengthPixels - sidePixels)) / (count - 1)));
}

/** A face whose box reaches over this share of the tile's side beyond an inner edge is cut; the next tile has it whole. */
const EDGE_SHARE = 0.01;

export function isCutByTile(box: Box, tile: Tile): boolean {
  const margin = EDGE_SHARE * Math.max(tile.width, tile.height);
  return (
    (tile.innerLeft && box.x < tile.x + margin) ||
    (tile.innerTop && box.y < tile.y + margin) ||
    (tile.innerRight && box.x + box.width > tile.x + tile.width - margin) ||
    (tile.innerBottom && box.y + box.height > tile.y + tile.height - margin)
  );
}
