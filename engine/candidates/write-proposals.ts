import type { Transaction } from '../store/db.ts';
import { integer, row } from '../store/row-shape.ts';
import type { CandidateReason } from './pair-evidence.ts';

export interface NewProposal {
  readonly mediaIds: readonly number[];
  readonly shaped: boolean;
  readonly reasons: readonly CandidateReason[];
}

const ROWS_PER_STATEMENT = 20_000;

/** Writes proposals with their media and reasons. @returns their numbers, in the order given */
export async function writeProposals(tx: Transaction, proposals: readonly NewProposal[]): Promise<number[]> {
  const made = await tx.read(
    row({ candidateId: integer }),
    `insert into candidate_series (shaped) select shaped from unnest($1::boolean[]) with ordinality as t(shaped, place) order by place
     returning candidate_id`,
    [proposals.map(({ shaped }) => shaped)],
  );
  // Numbers are given in the order of insertion, whatever order they are returned in.
  const ids = made.map(({ candidateId }) => candidateId).sort((a, b) => a - b);
  const members = proposals.flatMap(({ mediaIds }, place) =>
    mediaIds.map((mediaId) => [ids[place] ?? 0, mediaId] as const),
  );
  for (const part of parts(members)) {
    await tx.execute(
      'insert into candidate_media (candidate_id, media_id) select * from unnest($1::bigint[], $2::bigint[])',
      [part.map(([candidateId]) => candidateId), part.map(([, mediaId]) => mediaId)],
    );
  }
  const reasons = proposals.flatMap((one, place) => one.reasons.map((reason) => [ids[place] ?? 0, reason] as const));
  for (const part of parts(reasons)) {
    await tx.execute(
      `insert into candidate_reason (candidate_id, media_id, other_media_id, method, distance, log10_likelihood_ratio)
       select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::float8[], $6::float8[]) on conflict do nothing`,
      [
        part.map(([candidateId]) => candidateId),
        part.map(([, { mediaId }]) => mediaId),
        part.map(([, { otherMediaId }]) => otherMediaId),
        part.map(([, { method }]) => method),
        part.map(([, { distance }]) => distance),
        part.map(([, { log10LikelihoodRatio }]) => log10LikelihoodRatio),
      ],
    );
  }
  return ids;
}

/** Says that others took the place of these proposals; `by` null: nothing holds their media any more. */
export async function supersede(
  tx: Transaction,
  gone: readonly { readonly candidateId: number; readonly by: number | null }[],
): Promise<void> {
  await tx.execute(
    `update candidate_series c set state = 'superseded', superseded_by = g.by
       from unnest($1::bigint[], $2::bigint[]) as g(candidate_id, by) where c.candidate_id = g.candidate_id`,
    [gone.map(({ candidateId }) => candidateId), gone.map(({ by }) => by)],
  );
}

function* parts<T>(rows: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < rows.length; at += ROWS_PER_STATEMENT) yield rows.slice(at, at + ROWS_PER_STATEMENT);
}
