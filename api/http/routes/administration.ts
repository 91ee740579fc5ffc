import {
  activateAgreement,
  evaluateAgreement,
  listAgreements,
  proposeAgreement,
  revokeAgreement,
} from '../../../engine/access/agreements.ts';
import { addApiKey, listApiKeys, revokeApiKey } from '../../../engine/access/credentials.ts';
import { addOrganisation, listOrganisations } from '../../../engine/access/organisations.ts';
import { findOrAddPrincipal } from '../../../engine/access/principals.ts';
import { addPurpose, listPurposes } from '../../../engine/access/purposes.ts';
import type { Db } from '../../../engine/store/db.ts';
import { Uuid } from '../../../schemas/access.ts';
import type { AuditOperation } from '../../../schemas/audit.ts';
import { Closed } from '../../../schemas/closed.ts';
import {
  AgreementAdded,
  AgreementList,
  AgreementRequest,
  Done,
  EvaluationRequest,
  KeyAdded,
  KeyId,
  KeyList,
  KeyRequest,
  OrganisationAdded,
  OrganisationList,
  OrganisationRequest,
  PurposeList,
  PurposeRequest,
  RevocationRequest,
} from '../../../schemas/http/administration.ts';
import { actorOf, admittedOf, type RoutePolicy } from '../guard.ts';
import { answers, type TypedApp } from '../typed-app.ts';

const tags = ['administration'];
const done = { done: true } as const;

function policy(operation: AuditOperation, action: string): RoutePolicy {
  return { roles: ['administrator'], operation, action, reason: 'stated', changes: operation !== 'consultation' };
}

/** Who may do what. The rules are the engine's, the same as of the commands: nobody grants to himself, a second person activates. */
export function administrationRoutes(app: TypedApp, { db }: { readonly db: Db }): void {
  organisationRoutes(app, db);
  agreementRoutes(app, db);
  purposeRoutes(app, db);
  keyRoutes(app, db);
}

function organisationRoutes(app: TypedApp, db: Db): void {
  app.get(
    '/organisations',
    {
      config: { policy: policy('consultation', 'organisation list') },
      schema: { summary: 'Every organisation', tags, response: answers({ 200: OrganisationList }) },
    },
    async () => {
      const found = await listOrganisations(db);
      return { organisations: found.map(({ addedBy: _by, ...told }) => told) };
    },
  );
  app.post(
    '/organisations',
    {
      config: { policy: policy('alteration', 'organisation add'), repeated: 'answer' },
      schema: {
        summary: 'Add an organisation',
        description: 'What named it by exactly its name or id is its own from now on; how much that is, is told.',
        tags,
        body: OrganisationRequest,
        response: answers({ 201: OrganisationAdded }),
      },
    },
    async (request, reply) => {
      admittedOf(request).objects.push(`organisation ${request.body.organisationId}`);
      const taken = await addOrganisation(db, { ...request.body, home: false }, actorOf(request));
      return await reply.code(201).send(taken);
    },
  );
}

function agreementRoutes(app: TypedApp, db: Db): void {
  const byId = Closed({ agreementId: Uuid });
  app.get(
    '/agreements',
    {
      config: { policy: policy('consultation', 'agreement list') },
      schema: { summary: 'Every agreement, the latest first', tags, response: answers({ 200: AgreementList }) },
    },
    async () => {
      const found = await listAgreements(db);
      return {
        agreements: found.map(
          ({ proposedBy: _p, criteria: _c, evaluatedBy: _e, activatedBy: _a, revokedReason: _r, ...told }) => told,
        ),
      };
    },
  );
  app.post(
    '/agreements',
    {
      config: { policy: policy('alteration', 'agreement add'), repeated: 'answer' },
      schema: {
        summary: 'Propose an agreement',
        description: 'Nothing is answered under it before it was evaluated and a second person activated it.',
        tags,
        body: AgreementRequest,
        response: answers({ 201: AgreementAdded }),
      },
    },
    async (request, reply) => {
      const agreementId = await proposeAgreement(db, request.body, actorOf(request));
      admittedOf(request).objects.push(`agreement ${agreementId}`);
      return await reply.code(201).send({ agreementId });
    },
  );
  app.post(
    '/agreements/:agreementId/evaluation',
    {
      config: { policy: policy('alteration', 'agreement evaluate'), repeated: 'answer' },
      schema: {
        summary: 'Record what came of holding the partner against the criteria',
        tags,
        params: byId,
        body: EvaluationRequest,
        response: answers({ 200: Done }),
      },
    },
    async (request) => {
      admittedOf(request).objects.push(`agreement ${request.params.agreementId}`);
      await evaluateAgreement(db, request.params.agreementId, request.body, actorOf(request));
      return done;
    },
  );
  app.post(
    '/agreements/:agreementId/activation',
    {
      config: { policy: policy('alteration', 'agreement activate'), repeated: 'answer' },
      schema: {
        summary: 'Put it in force, as a second person',
        tags,
        params: byId,
        response: answers({ 200: Done }),
      },
    },
    async (request) => {
      admittedOf(request).objects.push(`agreement ${request.params.agreementId}`);
      await activateAgreement(db, request.params.agreementId, actorOf(request));
      return done;
    },
  );
  app.post(
    '/agreements/:agreementId/revocation',
    {
      config: { policy: policy('alteration', 'agreement revoke'), repeated: 'answer' },
      schema: {
        summary: 'End it at once, for good',
        tags,
        params: byId,
        body: RevocationRequest,
        response: answers({ 200: Done }),
      },
    },
    async (request) => {
      admittedOf(request).objects.push(`agreement ${request.params.agreementId}`);
      await revokeAgreement(db, request.params.agreementId, request.body.reason, actorOf(request));
      return done;
    },
  );
}

function purposeRoutes(app: TypedApp, db: Db): void {
  app.get(
    '/purposes',
    {
      config: { policy: policy('consultation', 'purpose list') },
      schema: { summary: 'The reviewed purposes', tags, response: answers({ 200: PurposeList }) },
    },
    async () => {
      const found = await listPurposes(db);
      return { purposes: found.map(({ reviewedBy: _by, ...told }) => told) };
    },
  );
  app.post(
    '/purposes',
    {
      config: { policy: policy('alteration', 'purpose add'), repeated: 'answer' },
      schema: { summary: 'Add a reviewed purpose', tags, body: PurposeRequest, response: answers({ 201: Done }) },
    },
    async (request, reply) => {
      admittedOf(request).objects.push(`purpose ${request.body.code}`);
      await addPurpose(db, request.body, actorOf(request));
      return await reply.code(201).send(done);
    },
  );
}

function keyRoutes(app: TypedApp, db: Db): void {
  app.get(
    '/keys',
    {
      config: { policy: policy('consultation', 'key list') },
      schema: { summary: 'Keys, and whose they are', tags, response: answers({ 200: KeyList }) },
    },
    async () => {
      const found = await listApiKeys(db);
      return { keys: found.map(({ createdBy: _by, ...told }) => told) };
    },
  );
  app.post(
    '/keys',
    {
      config: { policy: policy('alteration', 'key add'), repeated: 'once' },
      schema: {
        summary: 'Make a key',
        description: 'It is told in this answer and never again; the answer to a repetition is that it was told.',
        tags,
        body: KeyRequest,
        response: answers({ 201: KeyAdded }),
      },
    },
    async (request, reply) => {
      const { organisationId, label, roles, validDays, standingReason = null } = request.body;
      const by = actorOf(request);
      const principalId = await findOrAddPrincipal(db, { organisationId, kind: 'key', label, roles }, by);
      const { keyId, presented, expiresAt } = await addApiKey(
        db,
        { principalId, roles, validDays, standingReason },
        by,
      );
      admittedOf(request).objects.push(`key ${keyId}`);
      return await reply.code(201).send({ keyId, key: presented, expiresAt });
    },
  );
  app.post(
    '/keys/:keyId/revocation',
    {
      config: { policy: policy('alteration', 'key revoke'), repeated: 'answer' },
      schema: {
        summary: 'End a key; it stops answering within a second',
        tags,
        params: Closed({ keyId: KeyId }),
        response: answers({ 200: Done }),
      },
    },
    async (request) => {
      admittedOf(request).objects.push(`key ${request.params.keyId}`);
      await revokeApiKey(db, request.params.keyId, actorOf(request));
      return done;
    },
  );
}
