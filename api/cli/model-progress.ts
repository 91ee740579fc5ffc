import type { ModelProgress } from '../compose/models.ts';
import { byteSize } from '../report/figures.ts';
import type { CliContext } from './context.ts';

const LINE_INTERVAL_MS = 1_000;
const BAR_CHARACTERS = 20;
const WORDS = { converting: 'converting', verifying: 'trying' } as const;

/** Shows how model packs are made ready: a bar in a terminal, one JSON line a second elsewhere. Nothing is shown where nothing is done. */
export function modelProgress(context: CliContext): (progress: ModelProgress) => void {
  const startedMs = context.sinceStartMs();
  const isTerminal = context.stderr.isTTY === true;
  let shownAtMs = Number.NEGATIVE_INFINITY;
  return (progress) => {
    const nowMs = context.sinceStartMs();
    const finished = progress.step === null;
    if (isTerminal) {
      const columns = Math.max(20, (context.stderr.columns ?? 80) - 1);
      context.stderr.write(`\r${modelProgressText(progress).slice(0, columns)}\u001b[K${finished ? '\n' : ''}`);
      return;
    }
    if (!finished && nowMs - shownAtMs < LINE_INTERVAL_MS) return;
    shownAtMs = nowMs;
    const { step, pack, done, total, doneBytes, totalBytes } = progress;
    const elapsedMs = Math.round(nowMs - startedMs);
    const line = {
      kind: 'models',
      at: new Date().toISOString(),
      step,
      pack,
      done,
      total,
      doneBytes,
      totalBytes,
      elapsedMs,
      finished,
    };
    context.stderr.write(`${JSON.stringify(line)}\n`);
  };
}

/** `models [####------] 3/13 31 of 93.6 MB | converting dlib-128`. */
export function modelProgressText({ step, pack, done, total, doneBytes, totalBytes }: ModelProgress): string {
  const full = totalBytes === 0 ? BAR_CHARACTERS : Math.floor((doneBytes / totalBytes) * BAR_CHARACTERS);
  const bar = `${'#'.repeat(full)}${'-'.repeat(BAR_CHARACTERS - full)}`;
  const doing = step === null ? 'done' : `${WORDS[step]} ${pack}`;
  return `models [${bar}] ${done}/${total} ${byteSize(doneBytes)} of ${byteSize(totalBytes)} | ${doing}`;
}
