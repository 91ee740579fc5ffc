import { countListed } from '../../engine/access/count-look-ups.ts';
import { withAudit } from '../../engine/audit/with-audit.ts';
import { openSet } from '../../engine/hashset/formats/reader.ts';
import { recordsOf } from '../../engine/hashset/formats/record-batch.ts';
import { SET_FORMATS } from '../../engine/hashset/formats/set-head.ts';
import { recordHashAnswers } from '../../engine/lookup/hash-answers.ts';
import { lookUpRecords } from '../../engine/lookup/look-up.ts';
import type { BitSearch } from '../../engine/search/bit-search.ts';
import type { Db } from '../../engine/store/db.ts';
import { noteProgress, type Submission } from '../../engine/submission/submission.ts';
import type { SubmissionFacts } from '../../engine/submission/submission-facts.ts';
import type { Config } from '../../schemas/config.ts';
import { noCounts } from '../../schemas/constants.ts';
import { auditActOf } from './audit-act.ts';
import { type OpenUploads, uploadedList } from './upload-folder.ts';

/** Records looked up and recorded together. */
const AT_ONCE = 1000;

/**
 * Looks up every record of an uploaded list of hashes and records what came of it, some at a time: stopped at any moment, it goes on after
 * the last ones that were recorded. Returns whether it was stopped before its end.
 * @throws HomewardError HW_SET_FORMAT, HW_SET_DAMAGED, HW_QUOTA_SPENT, HW_UPLOAD_DIGEST; what was recorded stays
 */
export async function lookUpUpload(
  store: { readonly db: Db; readonly bits: BitSearch },
  config: Config,
  uploads: OpenUploads,
  of: { readonly submission: Submission; readonly facts: SubmissionFacts; readonly signal: AbortSignal },
): Promise<boolean> {
  const { submission, facts, signal } = of;
  const act = auditActOf(config, 'combination', 'submission look-up', {
    case: facts.caseRef,
  });
  return await withAudit(store.db, { ...act, objects: [`submission ${submission.submissionId}`] }, async () => {
    const interrupted = await lookUpList(store, uploads, submission, signal);
    return { result: interrupted, outcome: interrupted ? 'interrupted' : 'done' };
  });
}

async function lookUpList(
  { db, bits }: { readonly db: Db; readonly bits: BitSearch },
  uploads: OpenUploads,
  submission: Submission,
  signal: AbortSignal,
): Promise<boolean> {
  const { submissionId } = submission;
  const list = await uploadedList(db, uploads, submissionId);
  const counts = { ...(submission.counts ?? noCounts()) };
  const format = SET_FORMATS.find((one) => one === submission.path.split(' ', 1)[0]) ?? 'auto';
  const reader = await openSet(list.content(), { format, name: list.upload.name });
  let passed = 0;
  let rejected = 0;
  try {
    for await (const batch of reader.batches()) {
      rejected += Object.values(batch.rejected).reduce((sum, records) => sum + records, 0);
      const all = [...recordsOf(batch)].map((record, at) => ({ record, incomplete: batch.incomplete[at] === 1 }));
      // Those of an earlier run are recorded and counted already.
      const sought = all.slice(Math.max(0, counts.read - passed));
      passed += all.length;
      for (let from = 0; from < sought.length; from += AT_ONCE) {
        if (signal.aborted) return true;
        const part = sought.slice(from, from + AT_ONCE);
        await countListed(db, submission, part.length);
        const answers = await lookUpRecords(db, bits, part, counts.read + 1);
        counts.read += part.length;
        for (const { answer } of answers) counts[COUNTED[answer]] += 1;
        await recordHashAnswers(db, submissionId, answers, { ...counts, rejected });
      }
    }
  } finally {
    await reader.close();
  }
  await noteProgress(db, submissionId, { ...counts, rejected });
  return false;
}

const COUNTED = { known: 'known', variant: 'nearDuplicate', no: 'unseen', unknown: 'unknown' } as const;
