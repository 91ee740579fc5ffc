import { HomewardError } from '../../schemas/error.ts';
import type { Queryable } from '../store/db.ts';
import { bool, integer, nullable, oneOf, type RowOf, row } from '../store/row-shape.ts';

export const CANDIDATE_STATES = ['proposed', 'accepted', 'dismissed', 'superseded'] as const;
export type CandidateState = (typeof CANDIDATE_STATES)[number];

const CANDIDATE = row({
  candidateId: integer,
  state: oneOf(CANDIDATE_STATES),
  seriesId: nullable(integer),
  shaped: bool,
  supersededBy: nullable(integer),
});
export type Candidate = RowOf<typeof CANDIDATE>;

/** @throws HomewardError HW_CANDIDATE_NOT_FOUND */
export async function findCandidate(db: Queryable, candidateId: number): Promise<Candidate> {
  const [found] = await db.read(
    CANDIDATE,
    'select candidate_id, state, series_id, shaped, superseded_by from candidate_series where candidate_id = $1',
    [candidateId],
  );
  if (found === undefined) {
    throw new HomewardError(
      'HW_CANDIDATE_NOT_FOUND',
      `expected the number of a proposal, received ${candidateId}, which is not here; homeward candidates list shows them`,
    );
  }
  return found;
}

/** @throws HomewardError HW_CANDIDATE_NOT_FOUND, HW_CANDIDATE_STATE */
export async function openCandidate(db: Queryable, candidateId: number): Promise<Candidate> {
  const found = await findCandidate(db, candidateId);
  if (found.state === 'proposed') return found;
  const now = found.supersededBy === null ? '' : `; proposal ${found.supersededBy} holds most of its media now`;
  throw new HomewardError(
    'HW_CANDIDATE_STATE',
    `expected a proposal that waits for a decision, received ${candidateId}, which is ${found.state}${now}; homeward candidates show ${candidateId} tells what was decided`,
  );
}

/** Rising. */
export async function mediaOfCandidate(db: Queryable, candidateId: number): Promise<number[]> {
  const found = await db.read(
    row({ mediaId: integer }),
    'select media_id from candidate_media where candidate_id = $1 order by media_id',
    [candidateId],
  );
  return found.map(({ mediaId }) => mediaId);
}
