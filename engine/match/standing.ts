import type { MatchMethod } from '../../schemas/match.ts';
import type { Outcome } from '../../schemas/outcome.ts';
import type { Standing, UnknownReason } from '../../schemas/report.ts';
import { comparedBy, type HashQualities } from './bit-evidence.ts';

const DIGEST_METHODS: ReadonlySet<MatchMethod> = new Set(['md5', 'sha1', 'sha256']);

export function isDigestMethod(method: MatchMethod): boolean {
  return DIGEST_METHODS.has(method);
}

export interface ItemFacts {
  readonly outcome: Outcome;
  /** Whether it was decoded as a picture, so that its hashes could be compared. */
  readonly isPicture: boolean;
  readonly hashes: HashQualities;
  /** Of its matches in force. */
  readonly methods: readonly MatchMethod[];
  /** Whether a known-good set in force has its content; not so unless given. */
  readonly isKnownGood?: boolean;
  /** Whether sets are in force with which it was not compared yet. */
  readonly awaitsRematch: boolean;
}

export interface SaidOfItem {
  readonly standing: Standing;
  /** Null unless the standing is `unknown`. */
  readonly unknownFor: UnknownReason | null;
}

/**
 * What can be said of an item. A digest says `known` whatever the file is, even one that does not open. `unseen` is said only of pictures
 * that were compared whole by every hash they have: of a document nobody knows what it shows, and of what was not compared nobody knows
 * whether it is known. Whatever known-good sets have, known material goes before.
 */
export function standingOf(item: ItemFacts): SaidOfItem {
  if (item.methods.some(isDigestMethod)) return { standing: 'known', unknownFor: null };
  if (item.methods.length > 0) return { standing: 'nearDuplicate', unknownFor: null };
  if (item.isKnownGood === true) return { standing: 'knownGood', unknownFor: null };
  if (!item.isPicture || (item.outcome !== 'done' && item.outcome !== 'partial'))
    return { standing: 'none', unknownFor: null };
  const unknownFor = unknownReasonOf(item);
  return { standing: unknownFor === null ? 'unseen' : 'unknown', unknownFor };
}

/** Why it is not known whether a picture that matches nothing is known; null where it was compared whole. What can be mended comes first. */
export function unknownReasonOf({
  awaitsRematch,
  outcome,
  hashes,
}: Pick<ItemFacts, 'awaitsRematch' | 'outcome' | 'hashes'>): UnknownReason | null {
  if (awaitsRematch) return 'awaitsRematch';
  if (outcome === 'partial') return 'decodedInPart';
  const has = [hashes.pdq512Quality !== null, hashes.pdqFullQuality !== null, hashes.hasBlockhash];
  if (hashes.pdq512Quality === null && hashes.pdqFullQuality === null) return 'notHashed';
  // By every hash that it has: records of one flavour of PDQ would be missed by the other alone.
  return comparedBy(hashes).length < has.filter(Boolean).length ? 'tooFlat' : null;
}
