import { createHmac } from 'node:crypto';
import type { Member } from '../../schemas/access.ts';
import type { Db } from '../store/db.ts';
import { integer, type RowOf, row, text, timestamp } from '../store/row-shape.ts';
import { ruleBroken } from './access-error.ts';
import { accessSecret } from './access-secret.ts';

/** Of all look-ups, those that a supervisor sees. */
const DRAWN_SHARE = 0.02;

/** Whether a look-up of this reference is drawn: the same answer always, and none that its caller could foresee without the key. */
export function isDrawn(key: Uint8Array, reference: string): boolean {
  return createHmac('sha256', key).update(reference).digest().readUInt32BE(0) < DRAWN_SHARE * 2 ** 32;
}

/** Puts look-ups before a supervisor where they are drawn. */
export class ReviewDraw {
  readonly #db: Db;
  /** It is never changed, so that it is asked for once. */
  #key: Buffer | undefined;

  constructor(db: Db) {
    this.#db = db;
  }

  /**
   * Whether this one was drawn.
   * @param reference as the audit has it, such as organisation and sequence of its entry; once a look-up
   */
  async draw(member: Member, reference: string): Promise<boolean> {
    this.#key ??= await accessSecret(this.#db, 'review');
    if (!isDrawn(this.#key, reference)) return false;
    await this.#db.execute(
      'insert into look_up_review (organisation_id, principal_id, reference) values ($1, $2, $3) on conflict do nothing',
      [member.organisationId, member.principalId, reference],
    );
    return true;
  }
}

const WAITING = row({
  reviewId: integer,
  organisationId: text,
  label: text,
  reference: text,
  drawnAt: timestamp,
});
export type WaitingReview = RowOf<typeof WAITING>;

/** What waits for a supervisor, the oldest first. */
export async function waitingReviews(db: Db): Promise<WaitingReview[]> {
  return await db.read(
    WAITING,
    `select r.review_id, r.organisation_id, p.label, r.reference, r.drawn_at from look_up_review r join principal p using (principal_id)
      where r.reviewed_at is null order by r.review_id`,
  );
}

/** Records what a supervisor found. @throws HW_ACCESS_RULE for one's own look-up; false where nothing of that number waits */
export async function decideReview(
  db: Db,
  reviewId: number,
  finding: 'inOrder' | 'questioned',
  supervisor: Member,
): Promise<boolean> {
  const decided = await db.execute(
    `update look_up_review set reviewed_by = $2, reviewed_at = now(), finding = $3
      where review_id = $1 and reviewed_at is null and principal_id <> $4`,
    [reviewId, supervisor.label, finding, supervisor.principalId],
  );
  if (decided > 0) return true;
  const own = await db.query(
    'select 1 from look_up_review where review_id = $1 and reviewed_at is null and principal_id = $2',
    [reviewId, supervisor.principalId],
  );
  if (own.length > 0) throw ruleBroken('another supervisor for a look-up', 'who made it', 'leave it to somebody else');
  return false;
}
