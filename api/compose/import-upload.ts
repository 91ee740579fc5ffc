import { withAudit } from '../../engine/audit/with-audit.ts';
import { importSetFile } from '../../engine/hashset/import.ts';
import { rematch } from '../../engine/rematch/rematch.ts';
import type { Db } from '../../engine/store/db.ts';
import type { Submission } from '../../engine/submission/submission.ts';
import type { SubmissionFacts } from '../../engine/submission/submission-facts.ts';
import { isSetPath } from '../../schemas/checks/is-set-path.ts';
import type { Config } from '../../schemas/config.ts';
import { HomewardError } from '../../schemas/error.ts';
import { auditActOf } from './audit-act.ts';
import { type OpenUploads, uploadedList } from './upload-folder.ts';

/**
 * Imports an uploaded hash set as the command does, and compares what is stored with what is new in it. Returns whether it was stopped before
 * its end; it goes on at its checkpoint.
 * @throws HomewardError as importSetFile; HW_SET_FLOOD where it waits for a person
 */
export async function importUpload(
  db: Db,
  config: Config,
  uploads: OpenUploads,
  of: { readonly submission: Submission; readonly facts: SubmissionFacts; readonly signal: AbortSignal },
): Promise<boolean> {
  const { submission, facts, signal } = of;
  const asked: unknown = JSON.parse(submission.path);
  if (!isSetPath(asked)) throw new HomewardError('HW_INTERNAL', 'expected what a hash set is to become; report this');
  const { upload, content } = await uploadedList(db, uploads, submission.submissionId);
  const act = auditActOf(config, 'collection', 'hashset import', {
    case: facts.caseRef,
  });
  return await withAudit(db, act, async () => {
    const imported = await importSetFile(db, {
      file: upload.name,
      content: { sha256: upload.sha256, sizeBytes: upload.sizeBytes, chunks: content },
      source: asked.source,
      name: asked.name,
      format: asked.format,
      purpose: asked.purpose,
      importedBy: facts.submitter,
      signal,
    });
    if (imported.state === 'held')
      throw new HomewardError(
        'HW_SET_FLOOD',
        `expected the set to come into force, but it waits for a person (${imported.heldReason ?? 'a flood'}); homeward hashset release or remove --held`,
      );
    const { suspendAfterCases } = config;
    const rematched = imported.state === 'interrupted' ? null : await rematch(db, { signal, suspendAfterCases });
    const interrupted = rematched?.state !== 'complete';
    return {
      result: interrupted,
      objects: [`hash set ${imported.setId} version ${imported.version}`, `${imported.records} records`],
      outcome: interrupted ? 'interrupted' : 'done',
    };
  });
}
