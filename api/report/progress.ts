import { noCounts } from '../../schemas/constants.ts';
import type { ProgressCounts, ProgressLine } from '../../schemas/progress.ts';
import { byteSize, groupDigits, percent } from './figures.ts';
import { neutralise } from './neutralise.ts';

/** The rate is that of the last seconds: large and small files alternate, and a total average would hide a stall. */
const RATE_WINDOW_MS = 15_000;
/** Less time than this says nothing about a rate. */
const LEAST_RATE_SECONDS = 1;
/** Samples in the window; more would only cost memory. */
const MAX_SAMPLES = 64;
const LINE_INTERVAL_MS = 1_000;
const TERMINAL_INTERVAL_MS = 200;
const MAX_CATEGORIES_ON_LINE = 3;

export interface ProgressUpdate {
  readonly stage: 'hashes' | 'models';
  readonly counts: ProgressCounts;
  /** Null while the source is still being walked. */
  readonly totalItems: number | null;
  readonly totalBytes: number | null;
}

interface Sample {
  readonly atMs: number;
  readonly items: number;
  readonly bytes: number;
}

/** All that rendering needs; made anew by each step, so that it can be tested and shown without a clock. */
export interface ProgressState {
  readonly startedAtMs: number;
  readonly nowMs: number;
  readonly update: ProgressUpdate;
  readonly samples: readonly Sample[];
}

export function startProgress(nowMs: number): ProgressState {
  return {
    startedAtMs: nowMs,
    nowMs,
    update: { stage: 'hashes', counts: noCounts(), totalItems: null, totalBytes: null },
    samples: [{ atMs: nowMs, items: 0, bytes: 0 }],
  };
}

export function advanceProgress(state: ProgressState, update: ProgressUpdate, nowMs: number): ProgressState {
  const newest = state.samples.at(-1);
  // Until the first file is read the engine is starting: that time is no part of the rate.
  if (newest !== undefined && newest.items === 0 && update.counts.read === 0) {
    return { ...state, nowMs, update, samples: [{ atMs: nowMs, items: 0, bytes: 0 }] };
  }
  const sample = { atMs: nowMs, items: update.counts.read, bytes: update.counts.readBytes };
  // A sample per fraction of the window is enough; updates come with every file.
  const keep = newest === undefined || nowMs - newest.atMs >= RATE_WINDOW_MS / MAX_SAMPLES;
  const samples = keep ? [...state.samples, sample] : state.samples;
  const recent = samples.findIndex((one) => nowMs - one.atMs <= RATE_WINDOW_MS);
  // The last one before the window stays: the rate is measured across all of the window.
  const first = Math.max(0, (recent < 0 ? samples.length : recent) - 1);
  return { ...state, nowMs, update, samples: samples.slice(first) };
}

export interface ProgressRates {
  readonly itemsPerSecond: number;
  readonly bytesPerSecond: number;
  readonly remainingMs: number | null;
}

export function progressRates({ nowMs, update, samples }: ProgressState): ProgressRates {
  const oldest = samples[0];
  const seconds = oldest === undefined ? 0 : (nowMs - oldest.atMs) / 1000;
  if (oldest === undefined || seconds < LEAST_RATE_SECONDS)
    return { itemsPerSecond: 0, bytesPerSecond: 0, remainingMs: null };
  const { read, readBytes } = update.counts;
  const itemsPerSecond = Math.max(0, read - oldest.items) / seconds;
  const bytesPerSecond = Math.max(0, readBytes - oldest.bytes) / seconds;
  return { itemsPerSecond, bytesPerSecond, remainingMs: remaining(update, itemsPerSecond, bytesPerSecond) };
}

/** By bytes or by files, whichever says longer: many small files cost more than their bytes, few large ones more than their number. */
function remaining(
  { counts, totalItems, totalBytes }: ProgressUpdate,
  itemsPerSecond: number,
  bytesPerSecond: number,
): number | null {
  const guesses: number[] = [];
  if (totalItems !== null && itemsPerSecond > 0) guesses.push(Math.max(0, totalItems - counts.read) / itemsPerSecond);
  if (totalBytes !== null && bytesPerSecond > 0)
    guesses.push(Math.max(0, totalBytes - counts.readBytes) / bytesPerSecond);
  return guesses.length === 0 ? null : Math.round(Math.max(...guesses) * 1000);
}

export function progressLine(state: ProgressState, finished: boolean): ProgressLine {
  const { stage, counts, totalItems, totalBytes } = state.update;
  const rates = progressRates(state);
  return {
    kind: 'progress',
    at: new Date(state.nowMs).toISOString(),
    stage,
    ...counts,
    knownBy: counts.knownBy.slice(0, 50),
    totalItems,
    totalBytes,
    elapsedMs: Math.max(0, Math.round(state.nowMs - state.startedAtMs)),
    remainingMs: finished ? 0 : rates.remainingMs,
    itemsPerSecond: Math.round(rates.itemsPerSecond * 10) / 10,
    bytesPerSecond: Math.round(rates.bytesPerSecond),
    finished,
  };
}

/** One line of at most `columns` characters. What does not fit is left out from the end; `known` goes with its breakdown or not at all. */
export function progressText(state: ProgressState, columns: number): string {
  const { stage, counts, totalItems, totalBytes } = state.update;
  const rates = progressRates(state);
  const share = totalBytes === null ? '' : ` ${percent(counts.readBytes, totalBytes)}`;
  const parts = [
    `${stage} ${groupDigits(counts.read)}${totalItems === null ? '' : `/${groupDigits(totalItems)}`}${share}`,
    rates.remainingMs === null
      ? `${clock(state.nowMs - state.startedAtMs)} so far`
      : `${clock(rates.remainingMs)} left`,
    `${groupDigits(rates.itemsPerSecond)} files/s ${byteSize(rates.bytesPerSecond)}/s`,
    knownWords(counts),
    `near ${groupDigits(counts.nearDuplicate)}`,
    `unseen ${groupDigits(counts.unseen)}`,
    ...(counts.knownGood > 0 ? [`known-good ${groupDigits(counts.knownGood)}`] : []),
    ...(counts.unknown === 0 ? [] : [`unknown ${groupDigits(counts.unknown)}`]),
    `failed ${groupDigits(counts.failed)}`,
    `rejected ${groupDigits(counts.rejected)}`,
    `not examined ${groupDigits(counts.notExamined)}`,
    `partial ${groupDigits(counts.partial)}`,
  ];
  let line = '';
  for (const part of parts) {
    const longer = line === '' ? part : `${line} | ${part}`;
    if ([...longer].length <= columns) line = longer;
  }
  return line;
}

function knownWords({ known, knownBy }: ProgressCounts): string {
  if (known === 0) return 'known 0';
  const lines = [...knownBy].sort((one, other) => other.known - one.known);
  const shown = lines
    .slice(0, MAX_CATEGORIES_ON_LINE)
    .map(
      (line) =>
        `${neutralise(line.source, 16)} ${line.code === null ? 'uncategorised' : neutralise(line.code, 12)} ${groupDigits(line.known)}`,
    );
  const more = lines.length > shown.length ? `, ${lines.length - shown.length} more` : '';
  // Without its breakdown the sum says nothing and could mislead.
  return shown.length === 0 ? 'known: see the report' : `known ${groupDigits(known)} (${shown.join(', ')}${more})`;
}

function clock(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const two = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** Where progress goes: stderr as the command sees it. */
export interface ProgressWriter {
  readonly isTerminal: boolean;
  /** Asked anew for each line: windows are resized. */
  columns(): number;
  write(text: string): void;
}

/** Shows progress: one line that is rewritten in a terminal, one JSON line a second elsewhere. It holds no timer. */
export class ProgressRenderer {
  readonly #writer: ProgressWriter;
  readonly #now: () => number;
  #state: ProgressState;
  #shownAtMs = Number.NEGATIVE_INFINITY;
  #stopped = false;

  constructor(writer: ProgressWriter, now: () => number = Date.now) {
    this.#writer = writer;
    this.#now = now;
    this.#state = startProgress(now());
  }

  /** Call as often as anything changes, and once a second or so while nothing does; what is written is limited here. */
  update(update: ProgressUpdate): void {
    if (this.#stopped) return;
    const nowMs = this.#now();
    // The next stage counts from nought again.
    if (update.stage !== this.#state.update.stage) this.#state = { ...startProgress(nowMs), update };
    this.#state = advanceProgress(this.#state, update, nowMs);
    if (nowMs - this.#shownAtMs < (this.#writer.isTerminal ? TERMINAL_INTERVAL_MS : LINE_INTERVAL_MS)) return;
    this.#shownAtMs = nowMs;
    this.#show(false);
  }

  /** Takes the line away so that something else can be written to the terminal; the next update brings it back. */
  clear(): void {
    if (this.#writer.isTerminal) this.#writer.write('\r\u001b[K');
    this.#shownAtMs = Number.NEGATIVE_INFINITY;
  }

  /** The last state, once; further calls do nothing. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#state = { ...this.#state, nowMs: this.#now() };
    this.#show(true);
  }

  #show(finished: boolean): void {
    if (!this.#writer.isTerminal) {
      this.#writer.write(`${JSON.stringify(progressLine(this.#state, finished))}\n`);
      return;
    }
    // The last column stays free: some terminals wrap when it is written to.
    const columns = Math.max(20, this.#writer.columns() - 1);
    this.#writer.write(`\r${progressText(this.#state, columns)}\u001b[K${finished ? '\n' : ''}`);
  }
}
