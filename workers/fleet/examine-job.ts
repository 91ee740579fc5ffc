import type { DecodeMode, Examination } from '../../schemas/fingerprint.ts';
import type { FileBudget, HostMessage, HostTask } from '../../schemas/host-protocol.ts';
import type { Reason } from '../../schemas/outcome.ts';
import type { HostJob, Stage } from './host-job.ts';

export interface ExamineRequest {
  readonly path: Buffer;
  readonly mode: DecodeMode;
  readonly budget: FileBudget;
  readonly scratchKey: string | null;
}

const UNKNOWN: Reason = { code: 'internal', detail: 'failed for a reason that was not recorded' };

/** One file to examine. One that failed is read once more for type and digests, so that a known file is found whatever it does. */
export class ExamineJob implements HostJob {
  readonly path: Buffer;
  readonly hasDigestsStage = true;
  stage: Stage = 'shared';
  failure: Reason | null = null;
  readonly reject: (error: Error) => void;
  readonly #request: ExamineRequest;
  readonly #settle: (examination: Examination) => void;

  constructor(request: ExamineRequest, settle: (examination: Examination) => void, reject: (error: Error) => void) {
    this.path = request.path;
    this.#request = request;
    this.#settle = settle;
    this.reject = reject;
  }

  /** For digests, one pixel a side: a picture is refused by its header, after it was read and digested. */
  get budget(): FileBudget {
    const { budget } = this.#request;
    return this.stage === 'digests' ? { ...budget, pixels: 1, sidePixels: 1 } : budget;
  }

  taskOf(taskId: number): HostTask {
    return {
      kind: 'examine',
      taskId,
      path: this.path.toString('base64'),
      mode: this.#request.mode,
      budget: this.budget,
      scratchKey: this.#request.scratchKey,
    };
  }

  answer(message: HostMessage): boolean {
    if (message.kind !== 'examined') return false;
    const { examination } = message;
    this.#settle(this.failure === null ? examination : failedExamination(this.failure, examination));
    return true;
  }

  fail(): void {
    this.#settle(failedExamination(this.failure ?? UNKNOWN, null));
  }
}

/** The record of a file that the engine could not examine; `known` is what the digests stage still found out. */
function failedExamination(reason: Reason, known: Examination | null): Examination {
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
