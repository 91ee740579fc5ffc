import { createHash } from 'node:crypto';
import type { DecodeMode } from '../../schemas/fingerprint.ts';

export interface BatchIdentity {
  readonly caseRef: string;
  readonly exhibitRef: string;
  readonly organisation: string;
  readonly mode: DecodeMode;
  /** Absolute paths. */
  readonly roots: readonly Buffer[];
}

/**
 * 32 bytes that are the same whenever the same thing is scanned again: that is how a second scan finds the first one and adds
 * nothing, and how an interrupted one goes on. The order in which the roots were given does not matter.
 */
export function batchIdentity(batch: BatchIdentity): Buffer {
  const roots = batch.roots.map((root) => root.toString('hex')).sort();
  return createHash('sha256')
    .update(JSON.stringify(['homeward batch', batch.organisation, batch.caseRef, batch.exhibitRef, batch.mode, roots]))
    .digest();
}
