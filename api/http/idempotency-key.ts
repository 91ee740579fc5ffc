import type { IncomingHttpHeaders } from 'node:http';
import { HomewardError } from '../../schemas/error.ts';

const FORM = /^[\x21-\x7e]{8,100}$/;

/**
 * The header Idempotency-Key (IETF draft-ietf-httpapi-idempotency-key-header): made by the caller, once for each thing to be done.
 * Asked for, not offered: a caller who repeats a request that was cut off must never have it done twice.
 */
export function idempotencyKey(headers: IncomingHttpHeaders): string {
  const given = headers['idempotency-key'];
  if (typeof given === 'string' && FORM.test(given)) return given;
  throw new HomewardError(
    'HW_REQUEST_INVALID',
    'expected the header Idempotency-Key with 8 to 100 printable characters of your own, received none; make a new one for each new request and repeat it with each repetition',
  );
}
