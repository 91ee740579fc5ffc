import { BoundedText, Closed, Nullable, OneOf, type Static } from './closed.ts';
import { OUTCOMES, REASONS } from './constants.ts';

export { OUTCOMES, REASONS };

export const Outcome = OneOf(OUTCOMES);
export type Outcome = Static<typeof Outcome>;

export const ReasonCode = OneOf(REASONS);
export type ReasonCode = Static<typeof ReasonCode>;

export const Reason = Closed({
  code: ReasonCode,
  /** The decoder's own words, for a person; bounded, printable. */
  detail: BoundedText(300),
});
export type Reason = Static<typeof Reason>;
export const NullableReason = Nullable(Reason);
