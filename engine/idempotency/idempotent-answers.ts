import type { Db } from '../store/db.ts';
import { bytes, integer, nullable, row, text } from '../store/row-shape.ts';

/** Keys are forgotten after this; a caller repeats within minutes. */
const KEPT_DAYS = 7;

export interface KeyedRequest {
  readonly principalId: string;
  readonly idempotencyKey: string;
  /** SHA-256 over all that makes it this request. */
  readonly requestSha256: Uint8Array;
}

/**
 * begun: nobody asked with this key before, and nobody else will be let do it. another: the key was used for another request.
 * underWay: it was begun and has no answer yet, or its process ended before there was one. answered: the answer of the first time;
 * null where it is not told twice.
 */
export type KeyState =
  | { readonly kind: 'begun' }
  | { readonly kind: 'another' }
  | { readonly kind: 'underWay' }
  | { readonly kind: 'answered'; readonly status: number; readonly answer: string | null };

export async function beginKeyed(db: Db, request: KeyedRequest): Promise<KeyState> {
  return await db.transaction(async (tx) => {
    await tx.execute(`delete from idempotent_answer where begun_at < now() - interval '${KEPT_DAYS} days'`);
    const added = await tx.execute(
      `insert into idempotent_answer (principal_id, idempotency_key, request_sha256) values ($1, $2, $3) on conflict do nothing`,
      [request.principalId, request.idempotencyKey, request.requestSha256],
    );
    if (added === 1) return { kind: 'begun' };
    const [found] = await tx.read(
      row({ requestSha256: bytes, status: nullable(integer), answer: nullable(text) }),
      'select request_sha256, status, answer from idempotent_answer where principal_id = $1 and idempotency_key = $2',
      [request.principalId, request.idempotencyKey],
    );
    if (found === undefined || !found.requestSha256.equals(request.requestSha256)) return { kind: 'another' };
    if (found.status === null) return { kind: 'underWay' };
    return { kind: 'answered', status: found.status, answer: found.answer };
  });
}

export async function keepAnswer(db: Db, request: KeyedRequest, status: number, answer: string | null): Promise<void> {
  await db.execute(
    'update idempotent_answer set status = $3, answer = $4 where principal_id = $1 and idempotency_key = $2',
    [request.principalId, request.idempotencyKey, status, answer],
  );
}

/** It came to nothing, and may be asked again with the same key. */
export async function forgetKeyed(db: Db, request: KeyedRequest): Promise<void> {
  await db.execute(
    'delete from idempotent_answer where principal_id = $1 and idempotency_key = $2 and status is null',
    [request.principalId, request.idempotencyKey],
  );
}
