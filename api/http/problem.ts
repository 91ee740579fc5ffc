import { ERRORS, type ErrorCode, EXIT, HomewardError } from '../../schemas/error.ts';
import type { Problem } from '../../schemas/http/problem.ts';
import { defectReference, printable } from '../told-error.ts';

/** Where the exit code does not say it. */
const STATUS: { readonly [C in ErrorCode]?: number } = {
  HW_REQUEST_INVALID: 400,
  HW_UNAUTHENTICATED: 401,
  HW_FORBIDDEN: 403,
  HW_AGREEMENT_ENDED: 403,
  HW_PURPOSE_UNKNOWN: 403,
  HW_CASE_NOT_FOUND: 404,
  HW_ACCESS_NOT_FOUND: 404,
  HW_ACCESS_EXISTS: 409,
  HW_ACCESS_RULE: 409,
  HW_IDEMPOTENCY_KEY: 409,
  HW_QUOTA_SPENT: 429,
  HW_IDENTITY_PROVIDER: 503,
  HW_UPLOAD_OFFSET: 409,
  HW_UPLOAD_BUSY: 409,
  HW_UPLOAD_TOO_LONG: 409,
  HW_UPLOAD_DIGEST: 409,
  HW_UPLOAD_BUDGET: 413,
  HW_NOT_FOUND: 404,
  HW_BODY_TOO_LARGE: 413,
  HW_MEDIA_TYPE: 415,
  HW_BUSY: 503,
  HW_CLOCK_STEPPED: 503,
  HW_AUDIT_UNWRITABLE: 503,
};

/**
 * Errors whose message was written for the caller and quotes nothing but what the caller sent. Of all others only the registry's own
 * sentences leave the machine: a message may name a path, a table or a statement.
 */
const TOLD_IN_FULL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'HW_REQUEST_INVALID',
  'HW_UNAUTHENTICATED',
  'HW_FORBIDDEN',
  'HW_AGREEMENT_ENDED',
  'HW_PURPOSE_UNKNOWN',
  'HW_JUSTIFICATION_MISSING',
  'HW_CASE_NOT_FOUND',
  'HW_ACCESS_NOT_FOUND',
  'HW_ACCESS_EXISTS',
  'HW_ACCESS_RULE',
  'HW_IDEMPOTENCY_KEY',
  'HW_QUOTA_SPENT',
  'HW_IDENTITY_PROVIDER',
  'HW_UPLOAD_OFFSET',
  'HW_UPLOAD_BUSY',
  'HW_UPLOAD_TOO_LONG',
  'HW_UPLOAD_DIGEST',
  'HW_UPLOAD_BUDGET',
  'HW_NOT_FOUND',
  'HW_BODY_TOO_LARGE',
  'HW_MEDIA_TYPE',
  'HW_BUSY',
]);

const MOST_DETAIL = 2000;
const MOST_TITLE = 500;

/** Fastify's own refusals, by its codes. */
const OF_FASTIFY: Readonly<Record<string, HomewardError>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: new HomewardError(
    'HW_BODY_TOO_LARGE',
    'expected a body within the limit of this route, received a larger one; send it in parts',
  ),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: new HomewardError(
    'HW_MEDIA_TYPE',
    'expected a body of type application/json, received another type; set Content-Type',
  ),
};

/** The coded error that something thrown in a request comes down to. */
export function codedError(error: unknown): HomewardError {
  if (error instanceof HomewardError) return error;
  const { code, statusCode, validation } = factsOf(error);
  const known = OF_FASTIFY[code];
  if (known !== undefined) return known;
  if (validation !== null)
    return new HomewardError(
      'HW_REQUEST_INVALID',
      `expected a request as /openapi.json describes it, received one where ${validation}; correct it and send it again`,
    );
  if (statusCode !== null && statusCode >= 400 && statusCode < 500)
    return new HomewardError(
      'HW_REQUEST_INVALID',
      'expected a well-formed request, received one that does not read; see /openapi.json',
      { cause: error },
    );
  return new HomewardError('HW_INTERNAL', ERRORS.HW_INTERNAL.when, { cause: error });
}

interface ErrorFacts {
  readonly code: string;
  readonly statusCode: number | null;
  readonly validation: string | null;
}

function factsOf(error: unknown): ErrorFacts {
  if (typeof error !== 'object' || error === null) return { code: '', statusCode: null, validation: null };
  return {
    code: 'code' in error && typeof error.code === 'string' ? error.code : '',
    statusCode: 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : null,
    validation:
      'validation' in error && Array.isArray(error.validation) && error instanceof Error ? error.message : null,
  };
}

export function statusOf({ code, exitCode }: HomewardError): number {
  const own = STATUS[code];
  if (own !== undefined) return own;
  if (exitCode === EXIT.usage) return 400;
  return exitCode === EXIT.dependencyMissing ? 503 : 500;
}

/** What the caller is told. `reference` stands in the log beside the whole error. */
export function problemOf(error: HomewardError): Problem {
  const { when, todo } = ERRORS[error.code];
  const status = statusOf(error);
  const detail = TOLD_IN_FULL.has(error.code) ? error.message : `${when} ${todo}`;
  return {
    type: `urn:homeward:error:${error.code}`,
    title: when.slice(0, MOST_TITLE),
    status,
    detail: printable(detail).slice(0, MOST_DETAIL),
    code: error.code,
    reference: status >= 500 ? defectReference(error.cause instanceof Error ? error.cause : error) : null,
  };
}
