import { HomewardError } from '../../schemas/error.ts';
import { type ChangedBy, changeSeries } from '../series/change.ts';
import { packIds } from '../series/change-rows.ts';
import { insertSeries } from '../series/create.ts';
import { seriesToChange } from '../series/find-series.ts';
import { type Db, jsonParam, storableText, type Transaction } from '../store/db.ts';
import { integer, oneOf, real, row } from '../store/row-shape.ts';
import { mediaOfCandidate, openCandidate } from './candidate.ts';
import type { CandidateChangeDetails } from './change-details.ts';
import { lockCandidates } from './lock.ts';
import { CANDIDATE_METHODS, type CandidateReason } from './pair-evidence.ts';
import { writeProposals } from './write-proposals.ts';

export interface Decided {
  /** Of candidate_change; what `undo` takes back. */
  readonly changeId: number;
  /** Proposals that stand now because of it. */
  readonly candidateIds: readonly number[];
  /** The series it became; null for all but `accept`. */
  readonly seriesId: number | null;
}

/**
 * Makes a proposal a series of the unit, or adds its media to one that the unit has under that name: then they are known, and found
 * again wherever they turn up.
 * @throws HomewardError HW_CANDIDATE_NOT_FOUND, HW_CANDIDATE_STATE, and what the changing of a series throws
 */
export async function acceptCandidate(
  db: Db,
  by: ChangedBy,
  candidateId: number,
  seriesName: string,
): Promise<Decided> {
  let decided: Decided | undefined;
  await changeSeries(db, by, 'accept candidate', async (draft) => {
    const { tx } = draft;
    await lockCandidates(tx);
    await openCandidate(tx, candidateId);
    const seriesId = (await ownSeries(tx, by, seriesName)) ?? (await insertSeries(draft, seriesName, by.organisation));
    draft.concerns(seriesId);
    const mediaIds = await mediaOfCandidate(tx, candidateId);
    const added = await draft.attach('series_media', seriesId, mediaIds);
    await tx.execute("update candidate_series set state = 'accepted', series_id = $2 where candidate_id = $1", [
      candidateId,
      seriesId,
    ]);
    const changeId = await record(tx, by, candidateId, { action: 'accept', seriesId, added: packIds(added) });
    decided = { changeId, candidateIds: [candidateId], seriesId };
    return { changed: added.length };
  });
  if (decided === undefined) throw new Error('a change of a series ended without its work');
  return decided;
}

async function ownSeries(tx: Transaction, by: ChangedBy, name: string): Promise<number | null> {
  const asked = { name, source: by.organisation };
  const there = await tx.query('select 1 as one from series where name = $1 and source = $2', [
    storableText(asked.name),
    storableText(asked.source),
  ]);
  return there.length === 0 ? null : (await seriesToChange(tx, asked, by.organisation)).seriesId;
}

/** Says that a proposal's media do not belong together: no two of them are proposed together again. */
export async function dismissCandidate(db: Db, by: ChangedBy, candidateId: number): Promise<Decided> {
  return await db.transaction(async (tx) => {
    await lockCandidates(tx);
    await openCandidate(tx, candidateId);
    await tx.execute("update candidate_series set state = 'dismissed' where candidate_id = $1", [candidateId]);
    const changeId = await record(tx, by, candidateId, { action: 'dismiss' });
    return { changeId, candidateIds: [candidateId], seriesId: null };
  });
}

/**
 * Takes media out of a proposal into one of their own. Both take the place of the first, and no search joins them again.
 * @param mediaIds of the proposal, not all of it
 */
export async function splitCandidate(
  db: Db,
  by: ChangedBy,
  candidateId: number,
  mediaIds: readonly number[],
): Promise<Decided> {
  return await db.transaction(async (tx) => {
    await lockCandidates(tx);
    await openCandidate(tx, candidateId);
    const members = await mediaOfCandidate(tx, candidateId);
    const asked = new Set(mediaIds);
    const foreign = [...asked].filter((mediaId) => !members.includes(mediaId));
    if (foreign.length > 0 || asked.size === 0 || asked.size === members.length) {
      const received =
        foreign.length > 0
          ? `${foreign.slice(0, 5).join(', ')}, which are not in it`
          : asked.size === 0
            ? 'none'
            : 'all of them';
      throw new HomewardError(
        'HW_CANDIDATE_NOT_FOUND',
        `expected some of the media of proposal ${candidateId}, and not all, received ${received}; homeward candidates show ${candidateId} lists them`,
      );
    }
    const reasons = await reasonsOf(tx, [candidateId]);
    const parts = [members.filter((id) => !asked.has(id)), members.filter((id) => asked.has(id))];
    const made = await writeProposals(
      tx,
      parts.map((part) => ({
        mediaIds: part,
        shaped: true,
        reasons: reasons.filter((one) => part.includes(one.mediaId) && part.includes(one.otherMediaId)),
      })),
    );
    await giveWay(tx, [candidateId], made[0] ?? null);
    const changeId = await record(tx, by, candidateId, { action: 'split', into: made });
    return { changeId, candidateIds: made, seriesId: null };
  });
}

/** Makes one proposal of several, which it takes the place of. */
export async function mergeCandidates(db: Db, by: ChangedBy, candidateIds: readonly number[]): Promise<Decided> {
  const from = [...new Set(candidateIds)].sort((a, b) => a - b);
  if (from.length < 2) {
    throw new HomewardError(
      'HW_USAGE',
      `expected the numbers of two proposals and more to merge, received ${from.length === 1 ? 'one' : 'none'}; homeward candidates list shows them`,
    );
  }
  return await db.transaction(async (tx) => {
    await lockCandidates(tx);
    const media = new Set<number>();
    for (const candidateId of from) {
      await openCandidate(tx, candidateId);
      for (const mediaId of await mediaOfCandidate(tx, candidateId)) media.add(mediaId);
    }
    const [merged] = await writeProposals(tx, [
      { mediaIds: [...media].sort((a, b) => a - b), shaped: true, reasons: await reasonsOf(tx, from) },
    ]);
    if (merged === undefined) throw new Error('a proposal just written has no number');
    await giveWay(tx, from, merged);
    const changeId = await record(tx, by, merged, { action: 'merge', from });
    return { changeId, candidateIds: [merged], seriesId: null };
  });
}

async function giveWay(tx: Transaction, candidateIds: readonly number[], to: number | null): Promise<void> {
  await tx.execute(
    "update candidate_series set state = 'superseded', superseded_by = $2 where candidate_id = any($1::bigint[])",
    [candidateIds, to],
  );
}

async function reasonsOf(tx: Transaction, candidateIds: readonly number[]): Promise<CandidateReason[]> {
  return await tx.read(
    row({
      mediaId: integer,
      otherMediaId: integer,
      method: oneOf(CANDIDATE_METHODS),
      distance: real,
      log10LikelihoodRatio: real,
    }),
    `select media_id, other_media_id, method, distance, log10_likelihood_ratio from candidate_reason
      where candidate_id = any($1::bigint[]) order by media_id, other_media_id, method`,
    [candidateIds],
  );
}

async function record(
  tx: Transaction,
  by: ChangedBy,
  candidateId: number,
  { action, ...details }: CandidateChangeDetails,
): Promise<number> {
  const [written] = await tx.read(
    row({ changeId: integer }),
    'insert into candidate_change (candidate_id, action, details, done_by) values ($1, $2, $3, $4) returning change_id',
    [
      candidateId,
      action,
      jsonParam(by.reason === undefined ? details : { ...details, reason: by.reason }),
      storableText(by.actor),
    ],
  );
  if (written === undefined) throw new Error('a decision just recorded has no number');
  return written.changeId;
}
