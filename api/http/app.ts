import { createServer } from 'node:https';
import type { TlsOptions } from 'node:tls';
import swagger from '@fastify/swagger';
import { type TypeBoxTypeProvider, TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox';
import fastify, { type FastifyServerOptions } from 'fastify';
import { Compile } from 'typebox/compile';
import { QuotaSpentError } from '../../engine/access/count-look-ups.ts';
import { HomewardError } from '../../schemas/error.ts';
import { Problem } from '../../schemas/http/problem.ts';
import { ENGINE_VERSION } from '../version.ts';
import { boundBodyTime } from './body-time.ts';
import { closeAnswers } from './closed-answers.ts';
import { tagPolledAnswers } from './entity-tag.ts';
import { type GuardServices, guardRoutes } from './guard.ts';
import { answerRepeated } from './idempotent-answers.ts';
import { countRequests } from './metrics.ts';
import { openApiRoutes } from './openapi-page.ts';
import { boundWorkUnderWay, RETRY_AFTER_SECONDS } from './pressure.ts';
import { codedError, problemOf } from './problem.ts';
import { administrationRoutes } from './routes/administration.ts';
import { exportRoutes } from './routes/exports.ts';
import { hashAnswerRoutes } from './routes/hash-answers.ts';
import { type HealthServices, healthRoutes } from './routes/health.ts';
import { knownRoutes } from './routes/known.ts';
import { leadRoutes } from './routes/leads.ts';
import { type LookUpServices, lookUpRoutes } from './routes/look-up.ts';
import { reportRoutes } from './routes/report.ts';
import { type SubmissionServices, submissionRoutes } from './routes/submissions.ts';
import { supervisionRoutes } from './routes/supervision.ts';
import { type UploadServices, uploadRoutes } from './routes/uploads.ts';
import { vicsRoutes } from './routes/vics.ts';
import { vicsSignInRoutes } from './routes/vics-sign-in.ts';
import { setSecurityHeaders } from './security-headers.ts';
import type { TypedApp } from './typed-app.ts';

/** What the routes work with; put together in api/compose. */
export interface HttpServices
  extends GuardServices,
    LookUpServices,
    SubmissionServices,
    UploadServices,
    Pick<HealthServices, 'readiness'> {
  /** Whole errors, for the operator: never sent. */
  readonly log: (line: LogLine) => void;
}

export interface LogLine {
  readonly at: string;
  readonly requestId: string;
  readonly route: string;
  readonly status: number;
  readonly code: string;
  readonly reference: string | null;
  readonly message: string;
}

export interface HttpLimits {
  readonly mostRequestsAtOnce: number;
  /** From the first byte to the last of a request without an upload. */
  readonly requestTimeoutMs: number;
}

export const HTTP_LIMITS: HttpLimits = { mostRequestsAtOnce: 64, requestTimeoutMs: 30_000 };

const OPTIONS: FastifyServerOptions = {
  // Names of routes and cases differ by case; what is not asked for as it is spelt is not there.
  routerOptions: { caseSensitive: true, ignoreTrailingSlash: false, maxParamLength: 200 },
  bodyLimit: 64 * 1024,
  // What a proxy says about the caller is believed only where one is configured.
  trustProxy: false,
  logger: false,
  genReqId: () => crypto.randomUUID(),
  return503OnClosing: true,
  // Poisoned keys are refused, not dropped: what was meant is not what would be done.
  onProtoPoisoning: 'error',
  onConstructorPoisoning: 'error',
};

/** The app, not listening: every route with its policy, its closed answers and its description. */
export async function buildApp(
  services: HttpServices,
  limits: HttpLimits = HTTP_LIMITS,
  tls: TlsOptions | null = null,
): Promise<TypedApp> {
  const heads = {
    // However steadily it drips in.
    headersTimeout: limits.requestTimeoutMs,
    // How often Node looks for those that are late.
    connectionsCheckingInterval: limits.requestTimeoutMs,
  };
  const options: FastifyServerOptions = {
    ...OPTIONS,
    // Of the whole server, and uploads take hours: each other route has its own, below.
    requestTimeout: 0,
    connectionTimeout: limits.requestTimeoutMs * 2,
    ...(tls === null ? { http: heads } : { serverFactory: (handler) => createServer({ ...tls, ...heads }, handler) }),
  };
  const app = fastify(options).withTypeProvider<TypeBoxTypeProvider>();
  app.setValidatorCompiler(TypeBoxValidatorCompiler);
  setSecurityHeaders(app);
  boundBodyTime(app, limits.requestTimeoutMs);
  const pressure = boundWorkUnderWay(app, limits.mostRequestsAtOnce);
  const metrics = countRequests(app, pressure.underWay);
  answerProblems(app, services, (code) => metrics.errors.inc({ code }));
  closeAnswers(app);
  tagPolledAnswers(app);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Homeward',
        version: ENGINE_VERSION,
        description: 'Results only: no answer holds imagery.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: {
        securitySchemes: {
          key: {
            type: 'http',
            scheme: 'bearer',
            description:
              'A key as homeward key add prints it once; a client certificate that homeward certificate add let in takes its place',
          },
        },
      },
      security: [{ key: [] }],
    },
  });
  guardRoutes(app, services);
  answerRepeated(app, services.db);
  healthRoutes(app, { readiness: services.readiness, metrics });
  openApiRoutes(app);
  lookUpRoutes(app, services);
  submissionRoutes(app, services);
  uploadRoutes(app, services);
  hashAnswerRoutes(app, services);
  reportRoutes(app, services);
  leadRoutes(app, services);
  knownRoutes(app, services);
  exportRoutes(app, services);
  supervisionRoutes(app, services);
  administrationRoutes(app, services);
  // Apart, because nobody else may send what their forms and bytes are.
  await app.register(async (scope) => {
    const tools = scope.withTypeProvider<TypeBoxTypeProvider>();
    vicsSignInRoutes(tools, services);
    vicsRoutes(tools, services);
  });
  await app.ready();
  return app;
}

function answerProblems(app: TypedApp, services: HttpServices, count: (code: string) => void): void {
  app.setErrorHandler(async (error, request, reply) => {
    const coded = codedError(error);
    const problem = problemOf(coded);
    count(problem.code);
    // Thousands a second when there are too many callers: they are counted, and a line each would be a load of its own.
    if (coded.code !== 'HW_BUSY')
      services.log({
        at: new Date().toISOString(),
        requestId: request.id,
        route: request.routeOptions.url ?? 'none',
        status: problem.status,
        code: problem.code,
        reference: problem.reference,
        message: problem.reference === null ? '' : messageOf(coded),
      });
    if (coded instanceof QuotaSpentError) reply.header('retry-after', String(coded.retryAfterSeconds));
    if (problem.status === 503) reply.header('retry-after', String(RETRY_AFTER_SECONDS));
    if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
    reply.code(problem.status).type('application/problem+json; charset=utf-8');
    request.answerIsClosed = true;
    return await reply.serializer(serializeProblem).send(problem);
  });
  app.setNotFoundHandler(async () => {
    throw new HomewardError(
      'HW_NOT_FOUND',
      'expected a path and method of /openapi.json, received another; check both',
    );
  });
}

const isProblem = Compile(Problem);

function serializeProblem(problem: unknown): string {
  if (!isProblem.Check(problem)) throw new HomewardError('HW_INTERNAL', 'expected problem details of the schema');
  return JSON.stringify(problem);
}

function messageOf(error: HomewardError): string {
  const { cause } = error;
  return cause instanceof Error ? `${error.message} (${cause.stack ?? cause.message})` : error.message;
}
