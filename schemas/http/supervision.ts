import { Type } from 'typebox';
import { OrganisationId } from '../access.ts';
import { BoundedText, Closed, Count, OneOf } from '../closed.ts';

/** Look-ups that were drawn and wait for a supervisor, as the audit names them. */
export const ReviewList = Closed({
  reviews: Type.Array(
    Closed({
      reviewId: Count(),
      organisationId: OrganisationId,
      label: BoundedText(200),
      reference: BoundedText(200),
      drawnAt: BoundedText(30),
    }),
    { maxItems: 1000 },
  ),
});
export const ReviewDecision = Closed({ finding: OneOf(['inOrder', 'questioned']) });

/** Look-ups that hang together as if somebody were feeling his way to a hash. */
export const ProbeAlertList = Closed({
  alerts: Type.Array(
    Closed({ alertId: Count(), organisationId: OrganisationId, probes: Count(), raisedAt: BoundedText(30) }),
    { maxItems: 1000 },
  ),
});

/** Of the caller's own organisation: whether what was derived from its material may be answered to another one. */
export const ConsentRequest = Closed({ recipient: OrganisationId, given: Type.Boolean() });
