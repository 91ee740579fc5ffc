import { Type } from 'typebox';
import { BoundedText, Closed, Count, Nullable, OneOf, type Static } from '../closed.ts';

/** As engine/leads/verdicts.ts decides them. */
const STATES = ['open', 'confirmed', 'rejected', 'unsure', 'needsSecondOpinion', 'withdrawn'] as const;

export const LeadListed = Closed({
  leadId: Count(),
  mediaId: Count(),
  state: OneOf(STATES),
  log10LikelihoodRatio: Type.Number(),
  source: BoundedText(200),
  series: BoundedText(300),
  methods: Type.Array(BoundedText(40), { maxItems: 20 }),
  createdAt: BoundedText(30),
  updatedAt: BoundedText(30),
});
export type LeadListed = Static<typeof LeadListed>;

export const LeadPage = Closed({
  leads: Type.Array(LeadListed, { maxItems: 200 }),
  next: Nullable(BoundedText(300)),
});
export type LeadPage = Static<typeof LeadPage>;

export const DispositionRequest = Closed({
  verdict: OneOf(['confirmed', 'rejected', 'unsure', 'needsSecondOpinion']),
  /** Needed to confirm. */
  basis: Nullable(OneOf(['viewed', 'partner', 'metadata'])),
  note: Nullable(BoundedText(1000)),
});
export type DispositionRequest = Static<typeof DispositionRequest>;

export const DispositionAnswer = Closed({
  leadId: Count(),
  /** False where this was the caller's last word already. */
  recorded: Type.Boolean(),
  state: OneOf(STATES),
  stillNeeded: Nullable(BoundedText(300)),
});
export type DispositionAnswer = Static<typeof DispositionAnswer>;
