import type { MatchMethod } from '../../schemas/match.ts';
import type { Outcome } from '../../schemas/outcome.ts';
import type { Standing } from '../../schemas/report.ts';

const DIGEST_METHODS: ReadonlySet<MatchMethod> = new Set(['md5', 'sha1', 'sha256']);

export function isDigestMethod(method: MatchMethod): boolean {
  return DIGEST_METHODS.has(method);
}

export interface ItemFacts {
  readonly outcome: Outcome;
  /** Whether it was decoded as a picture, so that its hashes could be compared. */
  readonly isPicture: boolean;
  /** Of its matches in force. */
  readonly methods: readonly MatchMethod[];
  /** Whether a known-good set in force has its content; not so unless given. */
  readonly isKnownGood?: boolean;
}

/**
 * What can be said of an item. A digest says `known` whatever the file is, even one that does not open. `unseen` is said only
 * of pictures that were examined: of a document nobody knows what it shows. Whatever known-good sets have, known material goes before.
 */
export function standingOf(item: ItemFacts): Standing {
  if (item.methods.some(isDigestMethod)) return 'known';
  if (item.methods.length > 0) return 'nearDuplicate';
  if (item.isKnownGood === true) return 'knownGood';
  return item.isPicture && (item.outcome === 'done' || item.outcome === 'partial') ? 'unseen' : 'none';
}
