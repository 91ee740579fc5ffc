import type { IncomingHttpHeaders } from 'node:http';
import { Compile } from 'typebox/compile';
import { PurposeCode, type StandingReason, Uuid } from '../../schemas/access.ts';
import { HomewardError } from '../../schemas/error.ts';

/** Why a request is made: in headers, so that reading and sending state it alike. */
export interface StatedReason {
  readonly purpose: string;
  readonly caseId: string | null;
  readonly justification: string;
}

export const PURPOSE_HEADER = 'homeward-purpose';
export const CASE_HEADER = 'homeward-case';
/** Percent-encoded UTF-8, since a header holds no other letters (RFC 9110, 5.5). */
export const JUSTIFICATION_HEADER = 'homeward-justification';

const LEAST_JUSTIFICATION = 10;
const MOST_JUSTIFICATION = 2000;

const isPurpose = Compile(PurposeCode);
const isCase = Compile(Uuid);

/** @throws HW_REQUEST_INVALID where a reason has to be stated and is not, or is not of the form */
export function statedReason(headers: IncomingHttpHeaders, reason: 'case' | 'stated'): StatedReason {
  const purpose = one(headers[PURPOSE_HEADER]);
  const caseId = one(headers[CASE_HEADER]);
  const encoded = one(headers[JUSTIFICATION_HEADER]);
  if (purpose !== null && !isPurpose.Check(purpose))
    throw invalid(
      PURPOSE_HEADER,
      'a code of the table of purposes, such as victim-identification',
      'ask your administrator for the codes',
    );
  if (caseId !== null && !isCase.Check(caseId))
    throw invalid(CASE_HEADER, 'the id of a case', 'GET /cases lists yours');
  const justification = encoded === null ? null : decoded(encoded);
  if (purpose === null) throw missing(PURPOSE_HEADER, 'a code of the table of purposes');
  if (caseId === null && reason === 'case')
    throw missing(CASE_HEADER, 'the id of an open case that you are assigned to');
  if (justification === null)
    throw missing(JUSTIFICATION_HEADER, `why, in ${LEAST_JUSTIFICATION} to ${MOST_JUSTIFICATION} characters`);
  return { purpose, caseId, justification };
}

/**
 * The same of a lab tool, whose requests are of a form of their own: what its headers state, or else what its key stands for. The case is
 * in the address; some of its requests are about none.
 * @throws HW_REQUEST_INVALID where neither says why
 */
export function reasonOfTool(
  headers: IncomingHttpHeaders,
  standing: StandingReason | null,
  place: unknown,
): StatedReason {
  const caseId = typeof place === 'string' ? place.replace(/^\{|\}$/g, '').toLowerCase() : null;
  if (standing === null || headers[PURPOSE_HEADER] !== undefined) return { ...statedReason(headers, 'stated'), caseId };
  return { ...standing, caseId };
}

function decoded(encoded: string): string {
  let text: string;
  try {
    text = decodeURIComponent(encoded).trim();
  } catch {
    throw invalid(JUSTIFICATION_HEADER, 'percent-encoded UTF-8', 'encode it as a part of a URI is encoded');
  }
  if (text.length < LEAST_JUSTIFICATION || text.length > MOST_JUSTIFICATION)
    throw invalid(
      JUSTIFICATION_HEADER,
      `${LEAST_JUSTIFICATION} to ${MOST_JUSTIFICATION} characters`,
      'say for what the answer is needed',
    );
  return text;
}

const one = (value: string | string[] | undefined): string | null =>
  typeof value === 'string' && value !== '' ? value : null;

const missing = (header: string, what: string): HomewardError =>
  new HomewardError(
    'HW_REQUEST_INVALID',
    `expected the header ${header} with ${what}, received none; state it and send the request again`,
  );

const invalid = (header: string, expected: string, todo: string): HomewardError =>
  new HomewardError(
    'HW_REQUEST_INVALID',
    `expected ${expected} in the header ${header}, received something else; ${todo}`,
  );
