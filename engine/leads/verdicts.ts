import { OneOf, type Static } from '../../schemas/closed.ts';

export const VERDICTS = ['confirmed', 'rejected', 'unsure', 'needsSecondOpinion'] as const;
export const Verdict = OneOf(VERDICTS);
export type Verdict = Static<typeof Verdict>;

export const BASES = ['viewed', 'partner', 'metadata'] as const;
export const Basis = OneOf(BASES);
export type Basis = Static<typeof Basis>;

export const LEAD_STATES = ['open', ...VERDICTS, 'withdrawn'] as const;
export type LeadState = (typeof LEAD_STATES)[number];
/** States that wait for somebody. */
export const QUEUED_STATES = ['open', 'unsure', 'needsSecondOpinion'] as const satisfies readonly LeadState[];

export interface Decision {
  readonly verdict: Verdict;
  readonly basis: Basis | null;
  readonly decidedBy: string;
}

/** Two spellings of a name are one person: otherwise a blank or a capital letter would be a second opinion. */
export function personOf(name: string): string {
  return name.normalize('NFKC').trim().replaceAll(/\s+/g, ' ').toLowerCase();
}

/** The last word of each person, in the order of their last words. */
export function lastWords(decisions: readonly Decision[]): Decision[] {
  const last = new Map<string, Decision>();
  for (const decision of decisions) {
    const person = personOf(decision.decidedBy);
    last.delete(person);
    last.set(person, decision);
  }
  return [...last.values()];
}

/**
 * What a lead's decisions come to; the latest of each person counts.
 * - confirmed: two people at least, one of them on another basis than metadata, and nobody says rejected, or twice as many say confirmed.
 * - rejected: somebody says so and nobody confirmed, or two people at least and twice as many as confirmed.
 * - needsSecondOpinion: one confirmation, confirmations by metadata alone, a conflict of the two, or somebody asked for it.
 * - unsure: nobody said anything else.
 * - open: nobody decided.
 */
export function stateOf(decisions: readonly Decision[]): Exclude<LeadState, 'withdrawn'> {
  const words = lastWords(decisions);
  const confirmations = words.filter((one) => one.verdict === 'confirmed');
  const rejections = words.filter((one) => one.verdict === 'rejected').length;
  const seen = confirmations.some((one) => one.basis !== 'metadata');
  if (rejections > 0 && confirmations.length === 0) return 'rejected';
  if (confirmations.length >= 2 && seen && confirmations.length >= 2 * rejections) return 'confirmed';
  if (rejections >= 2 && rejections >= 2 * confirmations.length) return 'rejected';
  if (confirmations.length > 0 || words.some((one) => one.verdict === 'needsSecondOpinion'))
    return 'needsSecondOpinion';
  return words.length > 0 ? 'unsure' : 'open';
}
