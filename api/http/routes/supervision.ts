import { requireOrganisation } from '../../../engine/access/access-error.ts';
import { setDerivationConsent } from '../../../engine/access/organisations.ts';
import { acknowledgeProbeAlert, openProbeAlerts } from '../../../engine/access/probe-watch.ts';
import { decideReview, waitingReviews } from '../../../engine/access/review-draw.ts';
import type { Db } from '../../../engine/store/db.ts';
import type { AuditOperation } from '../../../schemas/audit.ts';
import { Closed, Count } from '../../../schemas/closed.ts';
import { HomewardError } from '../../../schemas/error.ts';
import { Done } from '../../../schemas/http/administration.ts';
import { ConsentRequest, ProbeAlertList, ReviewDecision, ReviewList } from '../../../schemas/http/supervision.ts';
import { actorOf, admittedOf, type RoutePolicy } from '../guard.ts';
import { answers, type TypedApp } from '../typed-app.ts';

const tags = ['supervision'];
const done = { done: true } as const;
const MOST_LISTED = 1000;

const policy = (operation: AuditOperation, action: string): RoutePolicy => ({
  roles: ['supervisor'],
  operation,
  action,
  reason: 'stated',
  changes: operation !== 'consultation',
});
const ours = (operation: AuditOperation, action: string): RoutePolicy => ({ ...policy(operation, action), home: true });

/** What supervisors look at: look-ups that were drawn, callers who feel their way, and what others may be told of one's own. */
export function supervisionRoutes(app: TypedApp, { db }: { readonly db: Db }): void {
  app.get(
    '/reviews',
    {
      config: { policy: ours('consultation', 'review list') },
      schema: { summary: 'Look-ups that wait for a supervisor', tags, response: answers({ 200: ReviewList }) },
    },
    async () => ({ reviews: (await waitingReviews(db)).slice(0, MOST_LISTED) }),
  );
  app.post(
    '/reviews/:reviewId/decision',
    {
      config: { policy: ours('alteration', 'review decide'), repeated: 'answer' },
      schema: {
        summary: 'What was found of one; never of one’s own',
        tags,
        params: Closed({ reviewId: Count() }),
        body: ReviewDecision,
        response: answers({ 200: Done }),
      },
    },
    async (request) => {
      const { member, objects } = admittedOf(request);
      const { reviewId } = request.params;
      objects.push(`review ${reviewId}`, request.body.finding);
      if (!(await decideReview(db, reviewId, request.body.finding, member)))
        throw missing('a look-up that waits', 'GET /reviews lists them');
      return done;
    },
  );
  app.get(
    '/probe-alerts',
    {
      config: { policy: ours('consultation', 'probe alert list') },
      schema: {
        summary: 'Callers who seem to feel their way to a hash',
        tags,
        response: answers({ 200: ProbeAlertList }),
      },
    },
    async () => ({
      alerts: (await openProbeAlerts(db))
        .slice(0, MOST_LISTED)
        .map(({ alertId, organisationId, probes, raisedAt }) => ({ alertId, organisationId, probes, raisedAt })),
    }),
  );
  app.post(
    '/probe-alerts/:alertId/acknowledgement',
    {
      config: { policy: ours('alteration', 'probe alert acknowledge'), repeated: 'answer' },
      schema: {
        summary: 'Somebody has looked into it',
        tags,
        params: Closed({ alertId: Count() }),
        response: answers({ 200: Done }),
      },
    },
    async (request) => {
      const { member, objects } = admittedOf(request);
      const { alertId } = request.params;
      objects.push(`probe alert ${alertId}`);
      if (!(await acknowledgeProbeAlert(db, alertId, member.label)))
        throw missing('an open alert', 'GET /probe-alerts lists them');
      return done;
    },
  );
  app.post(
    '/consents',
    {
      config: { policy: policy('alteration', 'consent'), repeated: 'answer' },
      schema: {
        summary: 'Whether what was derived from your organisation’s material may be answered to another one',
        tags,
        body: ConsentRequest,
        response: answers({ 200: Done }),
      },
    },
    async (request) => {
      const { member, objects } = admittedOf(request);
      const { recipient, given } = request.body;
      objects.push(`recipient ${recipient}`, given ? 'given' : 'withdrawn');
      await requireOrganisation(db, recipient);
      if (recipient === member.organisationId)
        throw new HomewardError(
          'HW_REQUEST_INVALID',
          'expected another organisation, received your own; to itself nobody has to consent',
        );
      await setDerivationConsent(db, { owner: member.organisationId, recipient, given }, actorOf(request));
      return done;
    },
  );
}

const missing = (expected: string, todo: string): HomewardError =>
  new HomewardError('HW_NOT_FOUND', `expected ${expected}, received a number of none; ${todo}`);
