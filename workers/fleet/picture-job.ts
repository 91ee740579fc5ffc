import type { DecodeMode, Examination } from '../../schemas/fingerprint.ts';
import type { FileBudget } from '../../schemas/host-protocol.ts';
import type { Reason } from '../../schemas/outcome.ts';

/**
 * shared: among others. alone: by itself in the isolation host, since it was in a host that died. digests: alone too, after it failed,
 * with a budget of one pixel, so that what is known by its digest is still found.
 */
export type Stage = 'shared' | 'alone' | 'digests';

/** One file on its way through the fleet. */
export interface PictureJob {
  readonly path: Buffer;
  readonly mode: DecodeMode;
  readonly budget: FileBudget;
  stage: Stage;
  /** Why it failed, once that is certain. */
  failure: Reason | null;
  settle(examination: Examination): void;
  reject(error: Error): void;
}

/** The budget of a stage. One pixel a side: a picture is refused by its header, after it was read and digested. */
export function budgetOf(job: PictureJob): FileBudget {
  return job.stage === 'digests' ? { ...job.budget, pixels: 1, sidePixels: 1 } : job.budget;
}

/** The record of a file that the engine could not examine; `known` is what the digests stage still found out. */
export function failedExamination(reason: Reason, known: Examination | null): Examination {
  return {
    outcome: 'failed',
    reason,
    type: known?.type ?? 'application/octet-stream',
    sizeBytes: known?.sizeBytes ?? null,
    digests: known?.digests ?? null,
    trailingBytes: null,
    picture: null,
    capture: null,
  };
}
