import type { Candidate } from './geometry-kernel.ts';

/** Cells along the longer side of the picture. */
const CELLS = 8;
/** A cell may hold so many times what an even spread would give it, as long as others have candidates left. */
const MOST_SHARE = 3;

/** The strongest `most`, but so that one textured corner does not take all: what is above a cell's share comes after everything else. */
export function chooseCandidates(
  candidates: readonly Candidate[],
  picture: { readonly widthPixels: number; readonly heightPixels: number },
  most: number,
): Candidate[] {
  const strongestFirst = candidates.toSorted((a, b) => b.response - a.response || a.index - b.index);
  const cellPixels = Math.max(picture.widthPixels, picture.heightPixels) / CELLS;
  const columns = Math.ceil(picture.widthPixels / cellPixels);
  const rows = Math.ceil(picture.heightPixels / cellPixels);
  const share = Math.ceil((most / (columns * rows)) * MOST_SHARE);
  const taken = new Map<number, number>();
  const chosen: Candidate[] = [];
  const left: Candidate[] = [];
  for (const candidate of strongestFirst) {
    if (chosen.length === most) break;
    const cell = Math.floor(candidate.y / cellPixels) * columns + Math.floor(candidate.x / cellPixels);
    const before = taken.get(cell) ?? 0;
    taken.set(cell, before + 1);
    (before < share ? chosen : left).push(candidate);
  }
  return [...chosen, ...left].slice(0, most);
}
