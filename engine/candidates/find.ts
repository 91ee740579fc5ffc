import { HomewardError } from '../../schemas/error.ts';
import type { Db, Queryable } from '../store/db.ts';
import { bool, integer, nullable, row } from '../store/row-shape.ts';
import { type Scope, scopeParams } from '../unseen/unmatched.ts';
import { cameraPairs } from './camera-pairs.ts';
import { hashPairs } from './hash-pairs.ts';
import { lockCandidates } from './lock.ts';
import type { PairSource } from './pair-evidence.ts';
import { proposeGroups } from './propose.ts';
import { readUnmatched, type Standings } from './read-media.ts';
import { type OpenProposal, reconcile } from './reconcile.ts';
import { supersede, writeProposals } from './write-proposals.ts';

export interface FindResult {
  /** Unmatched media that were looked at. */
  readonly media: number;
  /** New proposals, those that are as they were, and those that something else took the place of. */
  readonly added: readonly number[];
  readonly kept: readonly number[];
  readonly superseded: readonly number[];
}

/** A decision made while the search ran changes what it may propose. */
const ATTEMPTS = 3;

/**
 * Groups the unmatched media of a scope into proposals. Hashes and cameras are compared by itself; what compares vectors is given.
 * What was accepted or dismissed stays: a media of a series is matched, and no two media of a dismissed proposal come into one again.
 * Where an open proposal holds a media of the scope, its other media are looked at too.
 * @param vectorSources of faces (where the law allows them), edited copies and places
 * @throws HomewardError HW_BATCH_NOT_FOUND, HW_CANDIDATE_STATE
 */
export async function findCandidates(
  db: Db,
  scope: Scope,
  vectorSources: readonly PairSource[] = [],
): Promise<FindResult> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const result = await findOnce(db, scope, vectorSources);
    if (result !== null) return result;
  }
  throw new HomewardError(
    'HW_CANDIDATE_STATE',
    `expected proposals to stay as they are during a search, received decisions of somebody else in each of ${ATTEMPTS} attempts; try again`,
  );
}

async function findOnce(db: Db, scope: Scope, vectorSources: readonly PairSource[]): Promise<FindResult | null> {
  const params = await scopeParams(db, scope);
  const before = await versionOf(db);
  const { open, standings } = await decisions(db);
  const inScope = await readUnmatched(db, params, [], standings);
  const scoped = new Set(inScope.media.map(({ mediaId }) => mediaId));
  const touched = open.filter(
    ({ mediaIds }) => params.every((param) => param === null) || mediaIds.some((id) => scoped.has(id)),
  );
  const also = touched.flatMap(({ mediaIds }) => mediaIds).filter((mediaId) => !scoped.has(mediaId));
  const { media, devices } = also.length === 0 ? inScope : await readUnmatched(db, params, also, standings);
  const found = await proposeGroups(media, [hashPairs(db), cameraPairs(devices, media.length), ...vectorSources]);
  const { kept, added, superseded } = reconcile(found, touched);
  return await db.transaction(async (tx) => {
    await lockCandidates(tx);
    if ((await versionOf(tx)) !== before) return null;
    const addedIds = await writeProposals(
      tx,
      added.map((one) => ({ ...one, shaped: one.shapedBy !== null })),
    );
    await supersede(
      tx,
      superseded.map(({ candidateId, by }) => ({
        candidateId,
        by: by === null ? null : 'kept' in by ? by.kept : (addedIds[by.added] ?? null),
      })),
    );
    return { media: media.length, added: addedIds, kept, superseded: superseded.map(({ candidateId }) => candidateId) };
  });
}

/** Changes with every proposal that is made and every decision taken or undone. */
async function versionOf(db: Queryable): Promise<string> {
  const [version] = await db.query<{ version: string }>(
    `select coalesce((select max(candidate_id) from candidate_series), 0) || ' '
         || (select count(*) from candidate_series where state = 'proposed') || ' '
         || coalesce((select max(change_id) from candidate_change), 0) || ' '
         || (select count(*) from candidate_change where undone_at is not null) as version`,
  );
  return version?.version ?? '';
}

async function decisions(db: Db): Promise<{ open: OpenProposal[]; standings: Standings }> {
  const members = await db.read(
    row({ candidateId: integer, dismissed: bool, shaped: bool, mediaId: nullable(integer) }),
    `select c.candidate_id, c.state = 'dismissed' as dismissed, c.shaped, m.media_id
       from candidate_series c left join candidate_media m on m.candidate_id = c.candidate_id
      where c.state in ('proposed', 'dismissed') order by c.candidate_id, m.media_id`,
  );
  const open = new Map<number, { candidateId: number; shaped: boolean; mediaIds: number[] }>();
  const dismissedWith = new Map<number, number[]>();
  const shapedBy = new Map<number, number>();
  for (const { candidateId, dismissed, shaped, mediaId } of members) {
    if (dismissed) {
      if (mediaId !== null) dismissedWith.set(mediaId, [...(dismissedWith.get(mediaId) ?? []), candidateId]);
      continue;
    }
    const proposal = open.get(candidateId) ?? { candidateId, shaped, mediaIds: [] };
    open.set(candidateId, proposal);
    if (mediaId === null) continue;
    proposal.mediaIds.push(mediaId);
    if (shaped) shapedBy.set(mediaId, candidateId);
  }
  return { open: [...open.values()], standings: { dismissedWith, shapedBy } };
}
