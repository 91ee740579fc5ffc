import { Type } from 'typebox';
import { BoundedText, Closed, Count, type Static } from '../../schemas/closed.ts';

/** Numbers in rising order; a pair stands for all from its first to its last. */
const Ids = Type.Array(Type.Union([Count(), Type.Tuple([Count(), Count()])]), { maxItems: 1_000_000 });
const Reason = Type.Optional(BoundedText(1000));
const Proposals = Type.Array(Count(), { maxItems: 10_000 });

/** What candidate_change.details holds, by action: what it takes to undo it. */
export const ACCEPT_DETAILS = Closed({ seriesId: Count(), added: Ids, reason: Reason });
export const SPLIT_DETAILS = Closed({ into: Proposals, reason: Reason });
export const MERGE_DETAILS = Closed({ from: Proposals, reason: Reason });
export const DISMISS_DETAILS = Closed({ reason: Reason });

export type CandidateChangeDetails =
  | ({ readonly action: 'accept' } & Static<typeof ACCEPT_DETAILS>)
  | ({ readonly action: 'split' } & Static<typeof SPLIT_DETAILS>)
  | ({ readonly action: 'merge' } & Static<typeof MERGE_DETAILS>)
  | ({ readonly action: 'dismiss' } & Static<typeof DISMISS_DETAILS>);
