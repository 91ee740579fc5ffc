import type { RecordedStanding } from '../../engine/ingest/recorder.ts';
import { noCounts } from '../../schemas/constants.ts';
import type { Embedding } from '../../schemas/embedding.ts';
import type { Examination } from '../../schemas/fingerprint.ts';
import type { ProgressCounts } from '../../schemas/progress.ts';

export type ScanCounts = ProgressCounts;

/** Sources and codes told apart in progress; the report has all of them. */
const MOST_BREAKDOWN_LINES = 50;

/** Counts for the progress line. `counts` is one live object: what it says is always what is known so far. */
export class ScanCounter {
  readonly counts = noCounts();

  /** A file was read to its end or given up. */
  examined(examination: Examination): void {
    this.counts.read += 1;
    this.counts.readBytes += examination.sizeBytes ?? 0;
    if (examination.outcome !== 'done') this.counts[examination.outcome] += 1;
  }

  /** The models looked at a content. */
  embedded(embedding: Embedding): void {
    this.counts.read += 1;
    if (embedding.outcome !== 'done') this.counts[embedding.outcome] += 1;
  }

  /** A file was found recorded by an earlier run. */
  skipped(sizeBytes: number | null): void {
    this.counts.read += 1;
    this.counts.readBytes += sizeBytes ?? 0;
  }

  recorded(rows: readonly RecordedStanding[]): void {
    for (const { standing, knownAs } of rows) {
      if (standing !== 'none') this.counts[standing] += 1;
      for (const { source, scheme, code } of knownAs) {
        const line = this.counts.knownBy.find(
          (one) => one.source === source && one.scheme === scheme && one.code === code,
        );
        if (line !== undefined) line.known += 1;
        else if (this.counts.knownBy.length < MOST_BREAKDOWN_LINES)
          this.counts.knownBy.push({ source, scheme, code, known: 1 });
      }
    }
  }
}
