import { hashAnswers } from '../../../engine/lookup/hash-answers.ts';
import { searchedSets } from '../../../engine/lookup/look-up.ts';
import type { Db } from '../../../engine/store/db.ts';
import { findSubmission } from '../../../engine/submission/submission.ts';
import { Uuid } from '../../../schemas/access.ts';
import { Closed, Count } from '../../../schemas/closed.ts';
import { HashAnswerPage, MOST_HASH_ANSWERS } from '../../../schemas/http/hash-answer.ts';
import { cursorOf, pageQuery } from '../cursor.ts';
import { admittedOf } from '../guard.ts';
import { missingSubmission } from '../missing-submission.ts';
import { resultOf, toldTo } from '../told-answers.ts';
import { answers, type TypedApp } from '../typed-app.ts';

const cursor = cursorOf(Closed({ number: Count() }));

/** What came of a list of hashes that was handed in. */
export function hashAnswerRoutes(app: TypedApp, { db, contact }: { readonly db: Db; readonly contact: string }): void {
  app.get(
    '/submissions/:submissionId/answers',
    {
      config: {
        policy: {
          roles: ['specialist', 'lab', 'partner', 'supervisor'],
          operation: 'consultation',
          action: 'submission answers',
          reason: 'case',
          changes: false,
        },
      },
      schema: {
        summary: 'What is known of the records of a list of hashes',
        description:
          'In the order of the list, as far as it was looked up by now. A record that is not listed is not known of the sets that are named.',
        tags: ['submissions'],
        params: Closed({ submissionId: Uuid }),
        querystring: pageQuery(MOST_HASH_ANSWERS),
        response: answers({ 200: HashAnswerPage }),
      },
    },
    async (request) => {
      const { member, db: seen, objects } = admittedOf(request);
      const { submissionId } = request.params;
      const { limit = 50, after } = request.query;
      objects.push(`submission ${submissionId}`);
      // An associated partner sees no row of his own submissions, but what was said to him he may hear again.
      if (
        (await findSubmission(seen, submissionId)) === null &&
        (await own(db, submissionId, member.principalId)) === null
      )
        missingSubmission();
      const found = await hashAnswers(db, submissionId, cursor.read(after)?.number ?? 0, limit + 1);
      const { page, next } = cursor.cut(found, limit, ({ number }) => ({ number }));
      const told = await toldTo(db, member, page, await searchedSets(db));
      const yesOrNo = member.agreement?.tier === 'associated';
      return {
        answers: told.answers.map((answer) => ({
          number: answer.number,
          ...resultOf(answer, answer.sourceKey, member),
        })),
        sets: yesOrNo ? null : [...told.sets],
        contact: yesOrNo ? contact : null,
        next,
      };
    },
  );
}

async function own(db: Db, submissionId: string, principalId: string) {
  const found = await findSubmission(db, submissionId);
  return found?.submittedBy === principalId ? found : null;
}
