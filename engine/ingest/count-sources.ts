import { walk } from './walk.ts';

export interface SourceTotals {
  readonly files: number;
  readonly bytes: number;
  /** False while the counting still runs. */
  readonly complete: boolean;
}

/**
 * Counts what there is to read, beside the scan itself, so that progress can say how much is left. Reads no file.
 * What is inside archives is not known beforehand.
 */
export function countSources(
  roots: readonly Buffer[],
  signal: AbortSignal,
): { readonly totals: SourceTotals; readonly done: Promise<void> } {
  const totals = { files: 0, bytes: 0, complete: false };
  const done = (async () => {
    for await (const entry of walk(roots)) {
      if (signal.aborted) return;
      totals.files += 1;
      totals.bytes += entry.sizeBytes ?? 0;
    }
    totals.complete = true;
  })();
  return { totals, done };
}
