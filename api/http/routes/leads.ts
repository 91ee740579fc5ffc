import { Type } from 'typebox';
import { decideLead } from '../../../engine/leads/decide.ts';
import { type ListedLead, leadPage, seesLead } from '../../../engine/leads/lead-page.ts';
import { LEAD_STATES, QUEUED_STATES } from '../../../engine/leads/verdicts.ts';
import type { Db } from '../../../engine/store/db.ts';
import { Uuid } from '../../../schemas/access.ts';
import { Closed, Count, OneOf } from '../../../schemas/closed.ts';
import { HomewardError } from '../../../schemas/error.ts';
import { DispositionAnswer, DispositionRequest, LeadPage } from '../../../schemas/http/lead.ts';
import { cursorOf, pageQuery } from '../cursor.ts';
import { admittedOf } from '../guard.ts';
import { answers, type TypedApp } from '../typed-app.ts';

const MOST_AT_ONCE = 200;
const cursor = cursorOf(Closed({ leadId: Count() }));

/** Leads, and what people decide on them. */
export function leadRoutes(app: TypedApp, { db }: { readonly db: Db }): void {
  app.get(
    '/leads',
    {
      config: {
        policy: {
          roles: ['specialist', 'supervisor'],
          operation: 'consultation',
          action: 'leads list',
          reason: 'case',
          changes: false,
        },
      },
      schema: {
        summary: 'Leads of your cases, the latest first',
        description: 'What waits for somebody, unless states are named. How a lead came about: homeward explain.',
        tags: ['leads'],
        querystring: Type.Object(
          {
            ...pageQuery(MOST_AT_ONCE).properties,
            state: Type.Optional(OneOf(LEAD_STATES)),
            batchId: Type.Optional(Uuid),
          },
          { additionalProperties: false },
        ),
        response: answers({ 200: LeadPage }),
      },
    },
    async (request) => {
      const { limit = 50, after, state, batchId } = request.query;
      const { db: seen, objects } = admittedOf(request);
      const found = await leadPage(seen, {
        states: state === undefined ? QUEUED_STATES : [state],
        batchId: batchId ?? null,
        beforeLeadId: cursor.read(after)?.leadId ?? null,
        most: limit + 1,
      });
      const { page, next } = cursor.cut(found, limit, ({ leadId }) => ({ leadId }));
      objects.push(...page.map(({ leadId }) => `lead ${leadId}`));
      return {
        leads: page.map(listed),
        next,
      };
    },
  );

  app.post(
    '/leads/:leadId/dispositions',
    {
      config: {
        policy: {
          roles: ['specialist', 'supervisor'],
          operation: 'alteration',
          action: 'lead decide',
          reason: 'case',
          changes: true,
        },
        repeated: 'answer',
      },
      schema: {
        summary: 'Say what a lead is worth',
        description: 'Your latest word counts; saying the same again changes nothing. To confirm takes two people.',
        tags: ['leads'],
        params: Closed({ leadId: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) }),
        body: DispositionRequest,
        response: answers({ 200: DispositionAnswer }),
      },
    },
    async (request) => {
      const { member, db: seen, objects } = admittedOf(request);
      const { leadId } = request.params;
      objects.push(`lead ${leadId}`);
      if (!(await seesLead(seen, leadId)))
        throw new HomewardError(
          'HW_NOT_FOUND',
          'expected the number of a lead, received one that is not there; GET /leads lists yours',
        );
      const { verdict, basis, note } = request.body;
      if (verdict === 'confirmed' && basis === null)
        throw new HomewardError(
          'HW_REQUEST_INVALID',
          'expected a basis (viewed, partner or metadata) for the verdict confirmed, received none; say what it rests on',
        );
      const { recorded, state, stillNeeded } = await db.transaction(
        async (tx) => await decideLead(tx, { leadId, verdict, basis, note, decidedBy: member.label }),
      );
      return { leadId, recorded, state, stillNeeded };
    },
  );
}

const listed = ({ methods, ...lead }: ListedLead) => ({ ...lead, methods: methods === '' ? [] : methods.split(',') });
