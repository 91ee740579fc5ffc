import type { ScanProgress, ScanProgressState } from '../compose/scan-progress.ts';
import { ProgressRenderer } from '../report/progress.ts';
import type { CliContext } from './context.ts';
import { modelProgress } from './model-progress.ts';

const TICK_MS = 250;

/** Shows a scan's progress on stderr until it is disposed. */
export function scanProgress(context: CliContext): ScanProgress & Disposable & { pause(): void } {
  const renderer = new ProgressRenderer({
    isTerminal: context.stderr.isTTY === true,
    columns: () => context.stderr.columns ?? 80,
    write: (text) => context.stderr.write(text),
  });
  const showPreparing = modelProgress(context);
  let state: ScanProgressState | null = null;
  const show = (): void => {
    if (state === null) return;
    const { stage, totals, counts } = state;
    renderer.update({
      stage,
      counts: { ...counts, knownBy: [...counts.knownBy] },
      totalItems: totals.complete ? totals.files : null,
      totalBytes: totals.complete ? totals.bytes : null,
    });
  };
  // While one large file is read nothing changes, but a person wants to see that time goes by.
  const timer = setInterval(show, TICK_MS);
  return {
    begin: (begun) => {
      state = begun;
    },
    changed: show,
    preparing: (progress) => {
      renderer.clear();
      showPreparing(progress);
    },
    pause: () => renderer.clear(),
    [Symbol.dispose]: () => {
      clearInterval(timer);
      show();
      if (state !== null) renderer.stop();
    },
  };
}
