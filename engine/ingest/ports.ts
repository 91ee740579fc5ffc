import type { Embedding, EmbedPlan, GeometryResult, Keypoints } from '../../schemas/embedding.ts';
import type { DecodeMode, Examination } from '../../schemas/fingerprint.ts';
import type { ArchiveBudget, ArchiveEntry } from '../../schemas/host-protocol.ts';
import type { Outcome, Reason } from '../../schemas/outcome.ts';

export interface UnpackResult {
  readonly outcome: Outcome;
  readonly reason: Reason | null;
  readonly entries: number;
  readonly totalBytes: number;
}

/**
 * What ingest asks of the rooms where pixels are. Trouble with a file is never an exception: the outcome says it.
 */
export interface ExaminePort {
  /** How many files can be worked on at once; ingest keeps a few more than that waiting. */
  readonly capacity: number;
  examine(path: Buffer, options: { readonly mode: DecodeMode }): Promise<Examination>;
  /**
   * Writes the entries of an archive as numbered files into the scratch folder and hands each on;
   * the next ones wait until `onEntry` has settled, so the scratch folder stays small. An abort ends it early.
   */
  unpack(
    path: Buffer,
    options: { readonly scratchFolder: string; readonly budget: ArchiveBudget; readonly signal: AbortSignal },
    onEntry: (entry: ArchiveEntry) => Promise<void>,
  ): Promise<UnpackResult>;
}

/** What the second stage asks of the hosts that run the models. Trouble with a file is never an exception: the outcome says it. */
export interface EmbedPort extends Pick<ExaminePort, 'capacity' | 'unpack'> {
  /** Refuses content that has not this digest (lower-case hexadecimal). */
  embed(request: { readonly path: Buffer; readonly sha256: string; readonly plan: EmbedPlan }): Promise<Embedding>;
  /** Geometric check of one picture against at most 32 others, in their order; null where it cost its host. */
  compare(query: Keypoints, candidates: readonly Keypoints[]): Promise<readonly GeometryResult[] | null>;
}
