import { HomewardError } from '../../schemas/error.ts';
import { type ChangedBy, changeSeries } from '../series/change.ts';
import { unpackIds } from '../series/change-rows.ts';
import { type Db, storableText, type Transaction } from '../store/db.ts';
import { bool, integer, json, row, text } from '../store/row-shape.ts';
import { findCandidate } from './candidate.ts';
import { ACCEPT_DETAILS, MERGE_DETAILS, SPLIT_DETAILS } from './change-details.ts';
import type { Decided } from './decide.ts';
import { lockCandidates } from './lock.ts';

/**
 * Takes back the last decision that made, shaped or settled a proposal: what it was made of stands again as it was. Of an accepted one
 * the media leave the series; the series itself stays, with its history.
 * @param candidateId the proposal decided on, or one that the decision made
 * @throws HomewardError HW_CANDIDATE_NOT_FOUND; HW_CANDIDATE_STATE where there is nothing to undo, or something rests on it
 */
export async function undoDecision(db: Db, by: ChangedBy, candidateId: number): Promise<Decided> {
  await findCandidate(db, candidateId);
  const [change] = await db.read(
    row({ changeId: integer, candidateId: integer, action: text }),
    `select change_id, candidate_id, action from candidate_change
      where undone_at is null and (candidate_id = $1 or details @> jsonb_build_object('into', jsonb_build_array($1::bigint))
                                                    or details @> jsonb_build_object('from', jsonb_build_array($1::bigint)))
      order by change_id desc limit 1`,
    [candidateId],
  );
  if (change === undefined) {
    throw refused(
      `a proposal that was decided on, received ${candidateId}, of which nothing was decided that is in force`,
    );
  }
  const { changeId, action } = change;
  if (action === 'accept') return await undoAccept(db, by, change);
  return await db.transaction(async (tx) => {
    await lockCandidates(tx);
    await markUndone(tx, by, changeId);
    if (action === 'dismiss') {
      await reopen(tx, [change.candidateId], 'dismissed');
      return { changeId, candidateIds: [change.candidateId], seriesId: null };
    }
    const made = action === 'split' ? (await details(tx, changeId, SPLIT_DETAILS)).into : [change.candidateId];
    const from = action === 'split' ? [change.candidateId] : (await details(tx, changeId, MERGE_DETAILS)).from;
    await closeAgain(tx, made, from[0] ?? null);
    await reopen(tx, from, 'superseded');
    return { changeId, candidateIds: from, seriesId: null };
  });
}

interface FoundChange {
  readonly changeId: number;
  readonly candidateId: number;
}

async function undoAccept(db: Db, by: ChangedBy, { changeId, candidateId }: FoundChange): Promise<Decided> {
  const { seriesId, added } = await details(db, changeId, ACCEPT_DETAILS);
  const mediaIds = unpackIds(added);
  await changeSeries(db, by, 'undo accept candidate', async (draft) => {
    const { tx } = draft;
    await lockCandidates(tx);
    await markUndone(tx, by, changeId);
    draft.concerns(seriesId);
    await refuseMediaInUse(tx, seriesId, mediaIds);
    await draft.remove('series_media', seriesId, mediaIds);
    await tx.execute('update candidate_series set series_id = null where candidate_id = $1', [candidateId]);
    await reopen(tx, [candidateId], 'accepted');
    return { changed: mediaIds.length };
  });
  return { changeId, candidateIds: [candidateId], seriesId: null };
}

/** Media that a place or subject of the series rests on, or that somebody took out already, are no longer for this decision to take back. */
async function refuseMediaInUse(tx: Transaction, seriesId: number, mediaIds: readonly number[]): Promise<void> {
  const [state] = await tx.read(
    row({ there: integer, inPlaces: bool, inSubjects: bool }),
    `select (select count(*) from series_media where series_id = $1 and media_id = any($2::bigint[])) as there,
            exists (select from place_media pm join place p on p.place_id = pm.place_id
                     where p.series_id = $1 and pm.media_id = any($2::bigint[])) as in_places,
            exists (select from subject_face sf join subject s on s.subject_id = sf.subject_id join face f on f.face_id = sf.face_id
                     where s.series_id = $1 and f.media_id = any($2::bigint[])) as in_subjects`,
    [seriesId, mediaIds],
  );
  if (state?.there === mediaIds.length && !state.inPlaces && !state.inSubjects) return;
  const what = state?.inPlaces ? 'a place' : state?.inSubjects ? 'a subject' : 'another series or none';
  throw refused(
    `the media of the accepted proposal as the decision left them in series ${seriesId}, received some that belong to ${what} now`,
  );
}

async function markUndone(tx: Transaction, by: ChangedBy, changeId: number): Promise<void> {
  const marked = await tx.execute(
    'update candidate_change set undone_by = $2, undone_at = now() where change_id = $1 and undone_at is null',
    [changeId, storableText(by.actor)],
  );
  if (marked === 0) throw refused(`decision ${changeId} in force, received one that was undone meanwhile`);
}

/** What the decision had made goes. @throws where something was decided on it since */
async function closeAgain(tx: Transaction, made: readonly number[], to: number | null): Promise<void> {
  const closed = await tx.execute(
    "update candidate_series set state = 'superseded', superseded_by = $2 where candidate_id = any($1::bigint[]) and state = 'proposed'",
    [made, to],
  );
  if (closed < made.length) {
    throw refused(
      `proposals ${made.join(', ')} as the decision made them, received one that was decided on or grew since`,
    );
  }
}

/** What the decision had settled waits again. @throws where another open proposal holds its media by now */
async function reopen(
  tx: Transaction,
  candidateIds: readonly number[],
  from: 'accepted' | 'dismissed' | 'superseded',
): Promise<void> {
  const others = await tx.read(
    row({ candidateId: integer }),
    `select distinct c.candidate_id from candidate_media m join candidate_media o on o.media_id = m.media_id
       join candidate_series c on c.candidate_id = o.candidate_id and c.state = 'proposed'
      where m.candidate_id = any($1::bigint[]) and c.candidate_id <> all($1::bigint[]) order by c.candidate_id limit 5`,
    [candidateIds],
  );
  if (others.length > 0) {
    throw refused(
      `media that no other open proposal holds, received some that are in ${others.map(({ candidateId }) => candidateId).join(', ')} by now`,
    );
  }
  await tx.execute(
    "update candidate_series set state = 'proposed', superseded_by = null where candidate_id = any($1::bigint[]) and state = $2",
    [candidateIds, from],
  );
}

async function details<S extends Parameters<typeof json>[0]>(db: Pick<Db, 'read'>, changeId: number, schema: S) {
  const [found] = await db.read(
    row({ details: json(schema) }),
    'select details from candidate_change where change_id = $1',
    [changeId],
  );
  if (found === undefined) throw new Error('a decision just read is gone');
  return found.details;
}

function refused(expected: string): HomewardError {
  return new HomewardError(
    'HW_CANDIDATE_STATE',
    `expected ${expected}; homeward candidates show tells what stands now, decide on that or undo what came later first`,
  );
}
