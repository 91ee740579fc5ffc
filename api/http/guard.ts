import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Actor, unauthenticated } from '../../engine/access/access-error.ts';
import { type AdmissionFacts, type AskedFacts, admissionFacts } from '../../engine/access/admission-facts.ts';
import { type Admission, admit } from '../../engine/access/admit.ts';
import { memberDb } from '../../engine/access/member-db.ts';
import type { Access } from '../../engine/access/open-access.ts';
import type { AuditSink } from '../../engine/audit/append.ts';
import type { Db } from '../../engine/store/db.ts';
import type { Grouped } from '../../engine/store/grouped.ts';
import type { Member, Role } from '../../schemas/access.ts';
import type { AuditAct, AuditOperation } from '../../schemas/audit.ts';
import { HomewardError } from '../../schemas/error.ts';
import { clientCertificateSha256 } from './client-certificate.ts';
import type { IdentityTokens } from './identity-tokens.ts';
import { reasonOfTool, statedReason } from './stated-reason.ts';

/** Who may call a route, and what a call of it is recorded as. */
export interface RoutePolicy {
  readonly roles: readonly Role[];
  readonly operation: AuditOperation;
  /** As the audit names it. */
  readonly action: string;
  /** What has to be stated beside purpose and justification: the case, where the answer is about one. `tool`: as a lab tool's requests have it. */
  readonly reason: 'case' | 'stated' | 'tool';
  /** For the organisation that runs the engine alone. */
  readonly home?: true;
  /** It changes something: recorded before it is done as well, so that what cannot be recorded is not done. */
  readonly changes: boolean;
}

/** What a guarded route works with; made when the caller was let in. */
export interface Admitted {
  readonly member: Member;
  /** Sees what the member may see, by the policies of the rows. */
  readonly db: Db;
  readonly admission: Admission;
  /** Identifiers of what was done or seen, for the audit. */
  readonly objects: string[];
  readonly policy: RoutePolicy;
}

/** As many as an entry of the audit holds. */
const MOST_OBJECTS = 1000;

declare module 'fastify' {
  interface FastifyInstance {
    /** Of every guarded route. */
    /** Records what is answered now, for a route whose answer goes on for long. @throws HW_AUDIT_UNWRITABLE */
    readonly recordAnswer: (request: FastifyRequest, reply: FastifyReply) => Promise<void>;
    /** Whether who was let in would be let in now. */
    readonly isStillLetIn: (request: FastifyRequest) => Promise<boolean>;
    readonly policies: {
      readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT';
      readonly url: string;
      readonly policy: RoutePolicy;
    }[];
  }
  interface FastifyRequest {
    admitted: Admitted | null;
    isRecorded: boolean;
  }
  interface FastifyContextConfig {
    /** `open`: answered to anybody who reaches the port. A route without a policy is refused when the app is built. */
    readonly policy?: RoutePolicy | 'open';
  }
}

export interface GuardServices {
  readonly db: Db;
  readonly access: Access;
  readonly tokens: IdentityTokens;
  readonly audit: AuditSink;
  /** Name of the chain in which acts of an organisation are recorded: the unit's own is that of its commands. */
  readonly chainOf: (organisationId: string) => Promise<string>;
  /** Whether a machine's clock stepped back and nobody has looked at it: what an agreement allows depends on the day and hour. */
  readonly clockSteppedBack: () => Promise<boolean>;
}

/**
 * Lets each request through three doors, in this order: who is it, may the role call this, is the reason one that the agreement and the
 * case allow. What was answered is in the audit before the answer leaves; what cannot be recorded is not answered.
 */
export function guardRoutes(app: FastifyInstance, services: GuardServices): void {
  const facts = admissionFacts(services.db);
  app.decorateRequest('admitted', null);
  app.decorateRequest('isRecorded', false);
  app.decorate('policies', []);
  app.decorate('recordAnswer', async (request, reply) => await record(services, request, reply));
  app.decorate('isStillLetIn', async (request) => {
    try {
      return (await memberOf(services, request)).principalId === request.admitted?.member.principalId;
    } catch {
      return false;
    }
  });
  app.addHook('onRoute', ({ method, url, config, schema }) => {
    if (config?.policy === undefined) throw new TypeError(`expected a policy for the route ${String(method)} ${url}`);
    if (schema?.response === undefined)
      throw new TypeError(`expected closed answers for the route ${String(method)} ${url}`);
    for (const called of ['GET', 'POST', 'PATCH', 'PUT'] as const)
      if (config.policy !== 'open' && method === called)
        app.policies.push({ method: called, url, policy: config.policy });
  });
  // Before the body is read: nobody unknown gets to fill memory.
  app.addHook('onRequest', async (request) => {
    const { policy } = request.routeOptions.config;
    if (policy === undefined || policy === 'open') return;
    request.admitted = await letIn(services, facts, request, policy);
  });
  app.addHook('preHandler', async (request) => {
    const { admitted } = request;
    if (admitted?.policy.changes === true) await recordAct(services, admitted, 'started');
  });
  app.addHook('onSend', async (request, reply, payload) => {
    await record(services, request, reply);
    return payload;
  });
}

/** The member and database of a request that passed the doors. */
export function admittedOf(request: FastifyRequest): Admitted {
  if (request.admitted === null)
    throw new HomewardError('HW_INTERNAL', 'expected a guarded route to be reached by a member; report this');
  return request.admitted;
}

/** Who changes access, as the engine's rules ask for him. */
export function actorOf(request: FastifyRequest): Actor {
  const { label, principalId } = admittedOf(request).member;
  return { label, principalId };
}

async function letIn(
  services: GuardServices,
  facts: Grouped<AskedFacts, AdmissionFacts>,
  request: FastifyRequest,
  policy: RoutePolicy,
): Promise<Admitted> {
  const { db, audit, chainOf } = services;
  const member = await memberOf(services, request);
  const reason =
    policy.reason === 'tool'
      ? reasonOfTool(request.headers, member.standingReason, caseOfTool(request))
      : statedReason(request.headers, policy.reason);
  try {
    if (
      !member.roles.some((role) => policy.roles.includes(role)) ||
      (policy.home === true && member.agreement !== null)
    )
      throw new HomewardError(
        'HW_FORBIDDEN',
        `expected one of the roles ${policy.roles.join(', ')}${policy.home === true ? ' of the organisation that runs this engine' : ''} for this, received a member without; ask your administrator`,
      );
    if (member.agreement !== null && (await services.clockSteppedBack()))
      throw new HomewardError(
        'HW_CLOCK_STEPPED',
        'expected a clock that goes forward, received one that stepped back; what an agreement allows is decided again once a person has cleared the alarm',
      );
    const operation = operationOf(member, policy);
    const admission = await admit(facts, member, { operation, ...reason, lookUp: policy.reason === 'case' });
    return { member, db: memberDb(db, member), admission, objects: [], policy };
  } catch (error) {
    const { purpose, justification, caseId } = reason;
    await append(audit, {
      ...identityOf(member, policy),
      organisation: await chainOf(member.organisationId),
      purpose,
      justification,
      caseRef: caseId,
      objects: [],
      outcome: 'refused',
    });
    throw error;
  }
}

/** Before the request is validated: where it has another form, it names no case and its validation refuses it. */
function caseOfTool({ query, params }: FastifyRequest): unknown {
  for (const named of [query, params])
    if (typeof named === 'object' && named !== null && 'caseIdentifier' in named) return named.caseIdentifier;
  return null;
}

/** Who calls, by a key or token, by a client certificate, or by both where they are the same principal's. */
async function memberOf({ access, tokens }: GuardServices, request: FastifyRequest): Promise<Member> {
  const { authorization } = request.headers;
  const sha256 = clientCertificateSha256(request);
  if (authorization === undefined && sha256 !== null) return await access.memberOfCertificate(sha256);
  const [scheme, token] = (authorization ?? '').split(' ', 2);
  if (scheme?.toLowerCase() !== 'bearer' || token === undefined) throw unauthenticated();
  const member = await (token.startsWith('hw_') ? access.memberOfKey(token) : memberOfToken(access, tokens, token));
  if (sha256 !== null && (await access.memberOfCertificate(sha256)).principalId !== member.principalId)
    throw unauthenticated();
  return member;
}

async function memberOfToken(access: Access, tokens: IdentityTokens, token: string): Promise<Member> {
  const { issuer, subject } = await tokens.verify(token);
  return await access.memberOfSubject(issuer, subject);
}

/** Once a request, before its answer leaves; the answer that says that this failed is let through. */
async function record(services: GuardServices, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { admitted } = request;
  if (admitted === null || request.isRecorded) return;
  request.isRecorded = true;
  if (reply.statusCode < 400) return await recordAct(services, admitted, 'done');
  // A refusal tells nothing of what is known; that it could not be recorded must not hide what it says.
  await recordAct(services, admitted, reply.statusCode < 500 ? 'refused' : 'failed').catch(() => undefined);
}

/** In the chain of who asked, and of whose case it is. */
async function recordAct(
  { audit, chainOf }: GuardServices,
  admitted: Admitted,
  outcome: AuditAct['outcome'],
): Promise<void> {
  const { member, policy, admission, objects } = admitted;
  const { purpose, justification, caseRef, chains } = admission;
  const act = {
    ...identityOf(member, policy),
    purpose,
    justification,
    caseRef,
    objects: objects.slice(0, MOST_OBJECTS),
    outcome,
  };
  await Promise.all(
    chains.map(async (organisationId) => await append(audit, { ...act, organisation: await chainOf(organisationId) })),
  );
}

async function append(audit: AuditSink, act: AuditAct): Promise<void> {
  try {
    await audit.append(act);
  } catch (error) {
    throw new HomewardError(
      'HW_AUDIT_UNWRITABLE',
      `expected the audit entry of ${act.action} to be written, received a refusal of the database; nothing is answered; check the database and its free space`,
      { cause: error },
    );
  }
}

function identityOf(member: Member, policy: RoutePolicy) {
  return {
    operation: operationOf(member, policy),
    action: policy.action,
    actor: member.label,
    recipient: member.agreement === null ? null : member.organisationId,
  };
}

/** What is a consultation to the unit's own people is a disclosure to everybody else. */
function operationOf({ agreement }: Member, { operation }: RoutePolicy): AuditOperation {
  return operation === 'consultation' && agreement !== null ? 'disclosure' : operation;
}
