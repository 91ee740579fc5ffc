import type { SourceTotals } from '../../engine/ingest/count-sources.ts';
import type { ModelProgress } from './models.ts';
import type { ScanCounts } from './scan-counter.ts';

export interface ScanProgressState {
  readonly stage: 'hashes' | 'models';
  readonly totals: SourceTotals;
  readonly counts: ScanCounts;
}

/** Told of what happens while a scan runs; called often, must be quick. */
export interface ScanProgress {
  begin(state: ScanProgressState): void;
  changed(): void;
  /** The model packs are made ready, before the second stage can begin. */
  preparing(progress: ModelProgress): void;
  /** Something else is about to be written. */
  pause(): void;
}
