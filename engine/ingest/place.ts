import { createHash } from 'node:crypto';

/** Where an item lies: its raw path, and the 32-byte key that stands for it in the database. */
export interface Place {
  readonly path: Buffer;
  readonly pathKey: Buffer;
  readonly containerPathKey: Buffer | null;
}

/** Between an archive and the name of an entry in it. */
const INSIDE = Buffer.from('!/');
/** The table's bound on a stored path; a longer one is cut there, its key is made of the whole. */
const MAX_STORED_PATH_BYTES = 16_384;

export function placeOfFile(path: Buffer): Place {
  return { path: bounded(path), pathKey: createHash('sha256').update(path).digest(), containerPathKey: null };
}

/** Names may repeat within an archive, so the entry's index is part of its key. */
export function placeOfEntry(container: Place, index: number, name: Buffer): Place {
  return {
    path: bounded(Buffer.concat([container.path, INSIDE, name])),
    pathKey: createHash('sha256').update(container.pathKey).update(`entry ${index} `).update(name).digest(),
    containerPathKey: container.pathKey,
  };
}

function bounded(path: Buffer): Buffer {
  return path.length > MAX_STORED_PATH_BYTES ? path.subarray(0, MAX_STORED_PATH_BYTES) : path;
}
