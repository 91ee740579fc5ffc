import { Type } from 'typebox';
import type { Db } from '../../../engine/store/db.ts';
import { batchMatches } from '../../../engine/submission/batch-matches.ts';
import {
  cancelSubmission,
  findSubmission,
  HASHES_ROOT,
  listSubmissions,
  type NewSubmission,
  SET_ROOT,
  type Submission,
  sourceOfUploads,
  submit,
} from '../../../engine/submission/submission.ts';
import { Uuid } from '../../../schemas/access.ts';
import { BoundedText, Closed, Count } from '../../../schemas/closed.ts';
import { HomewardError } from '../../../schemas/error.ts';
import {
  SubmissionAnswer as Answer,
  MatchPage,
  type SubmissionAnswer,
  SubmissionPage,
  SubmissionRequest,
} from '../../../schemas/http/submission.ts';
import { mayBeTold } from '../agreed-field.ts';
import { cursorOf, pageQuery } from '../cursor.ts';
import { eventStreams } from '../event-stream.ts';
import { admittedOf } from '../guard.ts';
import { idempotencyKey } from '../idempotency-key.ts';
import { missingSubmission } from '../missing-submission.ts';
import { answers, type TypedApp } from '../typed-app.ts';

const MOST_AT_ONCE = 200;
const MOST_MATCHES_AT_ONCE = 500;
const matchCursor = cursorOf(Closed({ itemId: Count(), matchId: Count() }));
const cursor = cursorOf(Closed({ submittedAt: BoundedText(30), submissionId: Uuid }));

export interface SubmissionServices {
  /** Writes what a member was admitted to; members themselves only read. */
  readonly db: Db;
  /** Tells the runner that something waits or is to stop. */
  readonly wake: () => void;
  /** @throws HW_REQUEST_INVALID for a root that is not configured or a path that is not below it */
  readonly refuseSource: (root: string, path: string) => Promise<void>;
}

const MAKE = ['specialist', 'lab', 'partner'] as const;
const SEE = [...MAKE, 'supervisor'] as const;

/** Material handed in to be looked at: accepted at once, looked at in its turn. */
export function submissionRoutes(app: TypedApp, { db, wake, refuseSource }: SubmissionServices): void {
  app.post(
    '/submissions',
    {
      config: {
        policy: { roles: MAKE, operation: 'collection', action: 'submit', reason: 'case', changes: true },
        repeated: 'own',
      },
      schema: {
        summary: 'Hand in material below an evidence root, or that was uploaded',
        description:
          'Accepted with 202 and looked at in its turn, the urgent first. The same Idempotency-Key gives the same submission again.',
        tags: ['submissions'],
        body: SubmissionRequest,
        response: answers({ 202: Answer }),
      },
    },
    async (request, reply) => {
      const { member, admission, objects } = admittedOf(request);
      const { kind, urgent, exhibit, mode, models, source } = request.body;
      if (source.kind === 'path') await refuseSource(source.root, source.path);
      if (source.kind === 'hashSet' && (member.agreement !== null || !member.roles.includes('specialist')))
        throw new HomewardError(
          'HW_FORBIDDEN',
          'expected a specialist of the organisation that runs this engine to hand in a hash set, received somebody else; send it to that organisation',
        );
      if (admission.caseId === null) throw new TypeError('expected a case of what is collected');
      const wanted: NewSubmission = {
        organisationId: member.organisationId,
        caseId: admission.caseId,
        submittedBy: member.principalId,
        idempotencyKey: idempotencyKey(request.headers),
        kind,
        urgent,
        exhibitRef: exhibit,
        mode,
        models,
        ...sourceOf(source),
      };
      const { submission, existed } = await submit(db, wanted);
      if (existed && !isTheSame(submission, wanted))
        throw new HomewardError(
          'HW_IDEMPOTENCY_KEY',
          'expected the request that this Idempotency-Key was first sent with, received another; use a new key for a new request',
        );
      objects.push(`submission ${submission.submissionId}`);
      wake();
      return await reply.code(202).send(answerOf(submission));
    },
  );

  app.get(
    '/submissions',
    {
      config: {
        policy: { roles: SEE, operation: 'consultation', action: 'submissions list', reason: 'stated', changes: false },
      },
      schema: {
        summary: 'What was handed in, the latest first',
        tags: ['submissions'],
        querystring: pageQuery(MOST_AT_ONCE),
        response: answers({ 200: SubmissionPage }),
      },
    },
    async (request) => {
      const { limit = 50, after } = request.query;
      const { db: seen, objects } = admittedOf(request);
      const found = await listSubmissions(seen, cursor.read(after), limit + 1);
      const { page, next } = cursor.cut(found, limit, placeOf);
      objects.push(...page.map(({ submissionId }) => `submission ${submissionId}`));
      return {
        submissions: page.map(answerOf),
        next,
      };
    },
  );

  const byId = Closed({ submissionId: Uuid });
  app.get(
    '/submissions/:submissionId',
    {
      config: {
        policy: { roles: SEE, operation: 'consultation', action: 'submission show', reason: 'stated', changes: false },
        etag: true,
      },
      schema: {
        summary: 'How far it is',
        description: 'With an ETag: ask again with If-None-Match, and 304 says that nothing changed.',
        tags: ['submissions'],
        params: byId,
        response: answers({ 200: Answer, 304: Type.Null() }),
      },
    },
    async (request) => {
      const { db: seen, objects } = admittedOf(request);
      objects.push(`submission ${request.params.submissionId}`);
      return answerOf((await findSubmission(seen, request.params.submissionId)) ?? missingSubmission());
    },
  );

  const streams = eventStreams();
  app.addHook('preClose', async () => streams.close());
  app.get(
    '/submissions/:submissionId/events',
    {
      config: {
        policy: {
          roles: SEE,
          operation: 'consultation',
          action: 'submission follow',
          reason: 'stated',
          changes: false,
        },
        always: true,
      },
      schema: {
        summary: 'How far it is, told as it changes',
        description:
          'Server-sent events named state, each with the same as GET /submissions/{submissionId}; it ends with the submission.',
        tags: ['submissions'],
        produces: ['text/event-stream'],
        params: byId,
        response: answers({ 200: Answer }),
      },
    },
    async (request, reply) => {
      const { db: seen, objects } = admittedOf(request);
      const { submissionId } = request.params;
      objects.push(`submission ${submissionId}`);
      if ((await findSubmission(seen, submissionId)) === null) missingSubmission();
      await app.recordAnswer(request, reply);
      await streams.tell(reply, Answer, async () => {
        if (!(await app.isStillLetIn(request))) return null;
        const now = await findSubmission(seen, submissionId);
        return now === null ? null : { value: answerOf(now), last: now.finishedAt !== null };
      });
    },
  );

  app.get(
    '/submissions/:submissionId/matches',
    {
      config: {
        policy: {
          roles: SEE,
          operation: 'consultation',
          action: 'submission matches',
          reason: 'case',
          changes: false,
        },
      },
      schema: {
        summary: 'What of it is known, by digest and perceptual hash',
        description:
          'In the order of its items, as far as it was compared by now; sets and series that you may not know of are null.',
        tags: ['submissions'],
        params: byId,
        querystring: pageQuery(MOST_MATCHES_AT_ONCE),
        response: answers({ 200: MatchPage }),
      },
    },
    async (request) => {
      const { member, db: seen, objects } = admittedOf(request);
      const { limit = 50, after } = request.query;
      objects.push(`submission ${request.params.submissionId}`);
      const { batchId } = (await findSubmission(seen, request.params.submissionId)) ?? missingSubmission();
      if (batchId === null) return { matches: [], next: null };
      const found = await batchMatches(seen, batchId, matchCursor.read(after), limit + 1);
      const { page, next } = matchCursor.cut(found, limit, ({ itemId, matchId }) => ({ itemId, matchId }));
      return {
        matches: page.map(({ matchId: _id, distance, series, ...match }) => ({
          ...match,
          distance: mayBeTold(member, 'distance') ? distance : null,
          series: mayBeTold(member, 'seriesName') ? series : null,
        })),
        next,
      };
    },
  );

  app.post(
    '/submissions/:submissionId/cancel',
    {
      config: {
        policy: { roles: MAKE, operation: 'alteration', action: 'submission cancel', reason: 'stated', changes: true },
        repeated: 'answer',
      },
      schema: {
        summary: 'Stop it, or take it out of the line',
        description: 'What was recorded by then stays. Asking again changes nothing.',
        tags: ['submissions'],
        params: byId,
        response: answers({ 202: Answer }),
      },
    },
    async (request, reply) => {
      const { member, db: seen, objects } = admittedOf(request);
      const { submissionId } = request.params;
      objects.push(`submission ${submissionId}`);
      const shown = (await findSubmission(seen, submissionId)) ?? missingSubmission();
      // Who may see another's by a joint case may not stop it.
      if (shown.organisationId !== member.organisationId) missingSubmission();
      const cancelled = (await cancelSubmission(db, submissionId)) ?? missingSubmission();
      wake();
      return await reply.code(202).send(answerOf(cancelled));
    },
  );
}

function isTheSame(there: Submission, { idempotencyKey: _key, uploads: _uploads, ...wanted }: NewSubmission): boolean {
  const asked: Readonly<Record<string, unknown>> = wanted;
  return Object.entries(there).every(([name, value]) => !Object.hasOwn(asked, name) || asked[name] === value);
}

function sourceOf(source: SubmissionRequest['source']): Pick<NewSubmission, 'root' | 'path' | 'uploads'> {
  if (source.kind === 'path') return { root: source.root, path: source.path };
  if (source.kind === 'hashes')
    return { root: HASHES_ROOT, path: `${source.format} ${source.upload}`, uploads: [source.upload] };
  if (source.kind === 'hashSet') {
    const { kind: _kind, ...asked } = source;
    return { root: SET_ROOT, path: JSON.stringify(asked), uploads: [source.upload] };
  }
  return sourceOfUploads(source.uploads);
}

const placeOf = ({ submittedAt, submissionId }: Submission) => ({ submittedAt, submissionId });

export function answerOf(submission: Submission): SubmissionAnswer {
  const { organisationId: _o, submittedBy: _s, exhibitRef, root: _r, path: _p, revision: _n, ...told } = submission;
  return { ...told, exhibit: exhibitRef };
}
