import type { DecodeMode } from '../../schemas/fingerprint.ts';
import { refreshLeads } from '../leads/refresh.ts';
import type { BitEvidence } from '../match/bit-evidence.ts';
import type { Db, Transaction } from '../store/db.ts';
import { type FoundMatch, holdSetsInForce, recordMatches } from '../store/queries/record-matches.ts';
import { holdSeries } from '../store/queries/series-turn.ts';
import { retrying } from '../store/sqlstate.ts';
import type { FoundDigest } from './digests.ts';
import type { StoredFingerprints } from './stored-fingerprints.ts';

/** Evidence found by one fingerprint. */
interface FingerprintEvidence {
  readonly mode: DecodeMode;
  readonly pipelineVersion: string;
  readonly matches: FoundMatch[];
}

export interface MediaEvidence {
  readonly mediaId: number;
  readonly of: readonly FingerprintEvidence[];
}

/** What was found of each media, in the order of their numbers. */
export function evidenceByMedia(
  digests: readonly FoundDigest[],
  fingerprints: StoredFingerprints['of'],
  perceptual: ReadonlyMap<number, readonly BitEvidence[]>,
): MediaEvidence[] {
  const byMedia = new Map<number, Map<string, FingerprintEvidence>>();
  const add = (of: Omit<FingerprintEvidence, 'matches'>, match: FoundMatch): void => {
    const ofMedia = byMedia.get(match.mediaId) ?? new Map<string, FingerprintEvidence>();
    byMedia.set(match.mediaId, ofMedia);
    const key = `${of.mode} ${of.pipelineVersion}`;
    const evidence = ofMedia.get(key) ?? {
      mode: of.mode,
      pipelineVersion: of.pipelineVersion,
      matches: [],
    };
    ofMedia.set(key, evidence);
    evidence.matches.push(match);
  };
  for (const { match, ...of } of digests) add(of, match);
  for (const [at, evidence] of perceptual) {
    const of = fingerprints[at];
    if (of !== undefined) for (const one of evidence) add(of, { ...one, mediaId: of.mediaId });
  }
  return [...byMedia].sort(([a], [b]) => a - b).map(([mediaId, ofMedia]) => ({ mediaId, of: [...ofMedia.values()] }));
}

/** Records evidence of some media with the leads that follow, whole or not at all; what is recorded already adds nothing. */
export async function recordEvidence(db: Db, rematchId: number, found: readonly MediaEvidence[]): Promise<void> {
  await retrying(async () => await db.transaction(async (tx) => await write(tx, rematchId, found)));
}

async function write(tx: Transaction, rematchId: number, found: readonly MediaEvidence[]): Promise<void> {
  const byFingerprint = Map.groupBy(
    found.flatMap(({ of }) => of),
    ({ mode, pipelineVersion }) => `${mode} ${pipelineVersion}`,
  );
  // Of a set that went out of force meanwhile nothing is recorded; what came in its place is gone through next.
  await holdSetsInForce(
    tx,
    found.flatMap(({ of }) => of.flatMap(({ matches }) => matches)),
  );
  await holdSeries(tx);
  const recorded: { readonly mediaId: number; readonly setId: number }[] = [];
  for (const [, evidence] of [...byFingerprint].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const [of] = evidence;
    if (of === undefined) continue;
    const matches = evidence.flatMap((one) => one.matches);
    recorded.push(...(await recordMatches(tx, of, matches)));
  }
  if (recorded.length === 0) return;
  const mediaIds = [...new Set(recorded.map((one) => one.mediaId))];
  await refreshLeads(tx, { mediaIds });
  // The time of the transaction is that of all it made: these leads were opened by this evidence.
  await tx.execute(
    `insert into rematch_set as r (rematch_id, set_id, media, matches, leads)
     select $1, f.set_id, count(distinct f.media_id), count(*),
            (select count(distinct l.lead_id)
               from lead l join match t on t.media_id = l.media_id and t.set_id = f.set_id and t.created_at = now()
              where l.media_id = any($2::bigint[]) and l.created_at = now())
       from unnest($2::bigint[], $3::bigint[]) as f(media_id, set_id) group by f.set_id
     on conflict (rematch_id, set_id) do update
        set media = r.media + excluded.media, matches = r.matches + excluded.matches, leads = r.leads + excluded.leads`,
    [rematchId, recorded.map((one) => one.mediaId), recorded.map((one) => one.setId)],
  );
}
