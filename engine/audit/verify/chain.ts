import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';

/** What a chain needs to know of its entries; the rest of an entry is hashed as it is. */
export interface ChainedEntry {
  readonly organisation: string;
  readonly sequence: number;
  readonly previousHash: string;
  readonly hash: string;
}

/** Before the first entry. */
export const NO_PREVIOUS_HASH = '0'.repeat(64);

/** SHA-256 in hexadecimal over the canonical JSON of an entry without its hash. */
export function entryHash(entry: Readonly<Record<string, unknown>>): string {
  const { hash: _own, ...hashed } = entry;
  return createHash('sha256').update(canonicalJson(hashed), 'utf8').digest('hex');
}

export type ChainFault = 'sequence' | 'organisation' | 'previousHash' | 'hash' | 'head';

export type ChainVerdict =
  | { readonly whole: true; readonly entries: number; readonly headHash: string }
  | { readonly whole: false; readonly entries: number; readonly fault: ChainFault; readonly atSequence: number };

/**
 * Follows the chain of one organisation from its first entry. An edited, deleted, inserted or moved entry breaks it.
 * A tail that was cut off does not: only a head known from elsewhere (a checkpoint) shows that, as `expectedHead`.
 */
export async function verifyChain(
  entries: Iterable<ChainedEntry> | AsyncIterable<ChainedEntry>,
  expectedHead?: { readonly sequence: number; readonly hash: string },
): Promise<ChainVerdict> {
  let count = 0;
  let previousHash = NO_PREVIOUS_HASH;
  let organisation: string | undefined;
  let headSeen = expectedHead === undefined || (expectedHead.sequence === 0 && expectedHead.hash === NO_PREVIOUS_HASH);
  const broken = (fault: ChainFault): ChainVerdict => ({ whole: false, entries: count, fault, atSequence: count + 1 });
  for await (const entry of entries) {
    if (entry.sequence !== count + 1) return broken('sequence');
    organisation ??= entry.organisation;
    if (entry.organisation !== organisation) return broken('organisation');
    if (entry.previousHash !== previousHash) return broken('previousHash');
    if (hashOrNull(entry) !== entry.hash) return broken('hash');
    if (expectedHead?.sequence === entry.sequence) {
      if (expectedHead.hash !== entry.hash) return broken('head');
      headSeen = true;
    }
    previousHash = entry.hash;
    count += 1;
  }
  return headSeen ? { whole: true, entries: count, headHash: previousHash } : broken('head');
}

/** Null where an entry holds what no honest writer could have hashed. */
function hashOrNull(entry: ChainedEntry): string | null {
  try {
    return entryHash({ ...entry });
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}
