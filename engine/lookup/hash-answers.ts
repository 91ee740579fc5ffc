import { Type } from 'typebox';
import { Closed, Count } from '../../schemas/closed.ts';
import { LOOKUP_METHODS, type LookupAnswer, LookupMethod } from '../../schemas/lookup.ts';
import type { ProgressCounts } from '../../schemas/progress.ts';
import { type Db, jsonParam } from '../store/db.ts';
import { bool, integer, json, nullable, oneOf, row, text } from '../store/row-shape.ts';
import { noteProgress } from '../submission/submission.ts';
import { answerOf, describeFound } from './look-up.ts';

/** More hits of one record than this are not kept: an answer tells a hundred. */
const MOST_KEPT = 100;

const Kept = Type.Array(
  Closed({
    method: LookupMethod,
    algorithm: Type.String(),
    distance: Type.Number(),
    threshold: Type.Number(),
    recordId: Count(),
  }),
);

/** Records what came of some records of a list, with how far the list is by then: both or neither. What is not known is not listed. */
export async function recordHashAnswers(
  db: Db,
  submissionId: string,
  answers: readonly LookupAnswer[],
  counts: ProgressCounts,
): Promise<void> {
  const listed = answers.filter(({ answer }) => answer !== 'no');
  await db.transaction(async (tx) => {
    await tx.execute(
      `insert into hash_answer (submission_id, number, source_key, answer, incomplete, searched, found)
       select $1, number, source_key, answer, incomplete, searched, found::jsonb
         from unnest($2::bigint[], $3::text[], $4::text[], $5::boolean[], $6::text[], $7::text[])
           as made (number, source_key, answer, incomplete, searched, found)`,
      [
        submissionId,
        listed.map((one) => one.number),
        listed.map((one) => one.sourceKey),
        listed.map((one) => one.answer),
        listed.map((one) => one.incomplete),
        listed.map((one) => one.searched.join(',')),
        listed.map(({ matches }) =>
          jsonParam(
            matches.slice(0, MOST_KEPT).map(({ method, algorithm, distance, threshold, recordId }) => ({
              method,
              algorithm,
              distance,
              threshold,
              recordId,
            })),
          ),
        ),
      ],
    );
    await noteProgress(tx, submissionId, counts);
  });
}

const ANSWER = row({
  number: integer,
  sourceKey: nullable(text),
  answer: oneOf(['known', 'variant', 'unknown'] as const),
  incomplete: bool,
  searched: text,
  found: json(Kept),
});

/** In the order of the list, with what their matches are now: a set that went out of force makes nothing known any more. */
export async function hashAnswers(
  db: Db,
  submissionId: string,
  afterNumber: number,
  most: number,
): Promise<LookupAnswer[]> {
  const rows = await db.read(
    ANSWER,
    `select number, source_key, answer, incomplete, searched, found from hash_answer
      where submission_id = $1 and number > $2 order by number limit $3`,
    [submissionId, afterNumber, most],
  );
  const described = await describeFound(
    db,
    rows.map(({ found }) => found),
  );
  return rows.map(({ number, sourceKey, incomplete, searched }, at) => {
    const matches = described[at] ?? [];
    return {
      number,
      sourceKey,
      md5: null,
      sha1: null,
      sha256: null,
      answer: answerOf(matches, incomplete),
      searched: methodsOf(searched),
      incomplete,
      matches,
    };
  });
}

function methodsOf(searched: string): LookupMethod[] {
  const named = new Set(searched.split(','));
  return LOOKUP_METHODS.filter((method) => named.has(method));
}
