import { createHash } from 'node:crypto';
import type { Db } from '../engine/store/db.ts';
import { openBatch } from '../engine/store/queries/batch.ts';
import { type Examination, PIPELINE_VERSION } from '../schemas/fingerprint.ts';

/** For tests of what a scan records and of what is read from it. */

let batches = 0;

/** A batch in exact mode that no other call has. @returns its number */
export async function openTestBatch(db: Db): Promise<string> {
  batches += 1;
  const { batchId } = await openBatch(db, {
    identity: createHash('sha256').update(`batch ${batches}`).digest(),
    caseRef: 'case',
    exhibitRef: 'exhibit',
    organisation: 'unit',
    actor: 'tester',
    mode: 'exact',
    roots: ['/evidence'],
    pipelineVersion: PIPELINE_VERSION,
    startedAt: new Date().toISOString(),
  });
  return batchId;
}

type Picture = NonNullable<Examination['picture']>;

/** A picture of 600 x 400 pixels that was examined whole, with these hashes. */
export function examinedPicture(
  hashes: Pick<Picture, 'pdq' | 'blockhash'>,
): Pick<Examination, 'outcome' | 'reason' | 'type' | 'picture'> {
  return {
    outcome: 'done',
    reason: null,
    type: 'image/png',
    picture: {
      widthPixels: 600,
      heightPixels: 400,
      decoder: 'test',
      mode: 'exact',
      reductionFactor: 1,
      frames: 1,
      ...hashes,
    },
  };
}
