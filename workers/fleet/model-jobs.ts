import type { Embedding, EmbedPlan, GeometryResult, Keypoints } from '../../schemas/embedding.ts';
import type { FileBudget, HostMessage, HostTask } from '../../schemas/host-protocol.ts';
import type { Reason } from '../../schemas/outcome.ts';
import type { HostJob, Stage } from './host-job.ts';

/** A file whose content was recorded under this digest, and what the models are asked of it. */
export interface EmbedRequest {
  readonly path: Buffer;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  readonly plan: EmbedPlan;
}

/** One file for the models. Its digests are known, so where it fails there is nothing else to ask. */
export class EmbedJob implements HostJob {
  readonly path: Buffer;
  readonly budget: FileBudget;
  readonly hasDigestsStage = false;
  stage: Stage = 'shared';
  failure: Reason | null = null;
  readonly reject: (error: Error) => void;
  readonly scratchKey: string | null;
  readonly #request: EmbedRequest;
  readonly #settle: (embedding: Embedding) => void;

  constructor(
    request: EmbedRequest,
    budget: FileBudget,
    scratchKey: string | null,
    settle: (embedding: Embedding) => void,
    reject: (error: Error) => void,
  ) {
    this.path = request.path;
    this.budget = budget;
    this.scratchKey = scratchKey;
    this.#request = request;
    this.#settle = settle;
    this.reject = reject;
  }

  taskOf(taskId: number): HostTask {
    const { sha256, plan } = this.#request;
    const { budget, scratchKey } = this;
    return { kind: 'embed', taskId, path: this.path.toString('base64'), sha256, plan, budget, scratchKey };
  }

  answer(message: HostMessage): boolean {
    if (message.kind !== 'embedded') return false;
    this.#settle(message.embedding);
    return true;
  }

  fail(): void {
    this.#settle({
      outcome: 'failed',
      reason: this.failure,
      sha256: null,
      facesFound: null,
      faces: [],
      vectors: [],
      scores: [],
      keypoints: null,
      provider: 'none',
      stepMs: [],
    });
  }
}

/** The keypoints of one picture against those of some others. What costs its host says that nothing fits. */
export class CompareJob implements HostJob {
  readonly path = Buffer.alloc(0);
  readonly budget: FileBudget;
  readonly hasDigestsStage = false;
  stage: Stage = 'shared';
  failure: Reason | null = null;
  readonly reject: (error: Error) => void;
  readonly #query: Keypoints;
  readonly #candidates: readonly Keypoints[];
  readonly #settle: (results: readonly GeometryResult[] | null) => void;

  /** @param candidates at most MOST_COMPARED */
  constructor(
    query: Keypoints,
    candidates: readonly Keypoints[],
    budget: FileBudget,
    settle: (results: readonly GeometryResult[] | null) => void,
    reject: (error: Error) => void,
  ) {
    this.budget = budget;
    this.#query = query;
    this.#candidates = candidates;
    this.#settle = settle;
    this.reject = reject;
  }

  taskOf(taskId: number): HostTask {
    return { kind: 'compare', taskId, query: this.#query, candidates: [...this.#candidates] };
  }

  answer(message: HostMessage): boolean {
    if (message.kind !== 'compared' || message.results.length !== this.#candidates.length) return false;
    this.#settle(message.results);
    return true;
  }

  fail(): void {
    this.#settle(null);
  }
}
