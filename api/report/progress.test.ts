import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Compile } from 'typebox/compile';
import { noCounts } from '../../schemas/constants.ts';
import { type ProgressCounts, ProgressLine } from '../../schemas/progress.ts';
import {
  advanceProgress,
  ProgressRenderer,
  type ProgressUpdate,
  progressRates,
  progressText,
  startProgress,
} from './progress.ts';

const checkLine = Compile(ProgressLine);

function update(read: number, changes: Partial<ProgressCounts> = {}): ProgressUpdate {
  return {
    stage: 'hashes',
    totalItems: 10_000,
    totalBytes: 10_000_000,
    counts: {
      ...noCounts(),
      read,
      readBytes: read * 1000,
      unseen: read,
      ...changes,
    },
  };
}
const known: Partial<ProgressCounts> = {
  known: 12,
  knownBy: [
    { source: 'National unit', scheme: 'caid-uk', code: 'A', known: 9 },
    { source: 'Own', scheme: 'unspecified', code: null, known: 3 },
  ],
};

/** A writer that keeps what it was given, and a clock that is set by hand. */
function bench(isTerminal: boolean, columns = 200) {
  const written: string[] = [];
  const clock = { nowMs: 1_000_000 };
  const renderer = new ProgressRenderer(
    { isTerminal, columns: () => columns, write: (text) => written.push(text) },
    () => clock.nowMs,
  );
  return { written, clock, renderer };
}

describe('progress', () => {
  it('is one JSON line a second and a last one when there is no terminal, each valid', () => {
    const { written, clock, renderer } = bench(false);
    for (let step = 0; step <= 100; step += 1) {
      renderer.update(update(step * 10, known));
      clock.nowMs += 100;
    }
    renderer.stop();
    renderer.stop();
    assert.equal(written.length, 12);
    const lines = written.map((text): unknown => JSON.parse(text));
    for (const line of lines) assert.ok(checkLine.Check(line), JSON.stringify(checkLine.Errors(line)));
    assert.ok(written.every((text) => text.indexOf('\n') === text.length - 1));
    const last = lines.at(-1);
    assert.ok(checkLine.Check(last) && last.finished && last.read === 1_000);
  });

  it('is one line that is rewritten in a terminal, never wider than it', () => {
    const { written, clock, renderer } = bench(true, 80);
    for (let step = 0; step < 50; step += 1) {
      renderer.update(update(step * 100, known));
      clock.nowMs += 250;
    }
    renderer.stop();
    assert.ok(written.length > 40);
    for (const text of written) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the codes that rewrite the line are what is looked for
      assert.match(text, /^\r[^\r\n]{1,79}\u001b\[K\n?$/);
    }
    assert.equal(written.filter((text) => text.endsWith('\n')).length, 1);
  });

  it('shows known with its breakdown, or not at all where there is no room', () => {
    const state = advanceProgress(startProgress(0), update(500, known), 2_000);
    assert.match(progressText(state, 200), /known 12 \(National unit A 9, Own uncategorised 3\)/);
    for (let columns = 20; columns < 200; columns += 1) {
      const text = progressText(state, columns);
      assert.ok(!/known 12(?! \(National unit A 9, Own uncategorised 3\))/.test(text), text);
    }
  });

  it('tells the remaining time from the rate of the last seconds', () => {
    let state = startProgress(0);
    for (let second = 1; second <= 60; second += 1) {
      const read = second <= 30 ? second : 30 + (second - 30) * 100;
      state = advanceProgress(state, update(read), second * 1000);
    }
    const { itemsPerSecond, remainingMs } = progressRates(state);
    assert.equal(itemsPerSecond, 100);
    assert.equal(remainingMs, 69_700);
  });

  it('leaves the start of the engine out of the rate', () => {
    let state = advanceProgress(startProgress(0), update(0), 20_000);
    state = advanceProgress(state, update(200), 22_000);
    assert.equal(progressRates(state).itemsPerSecond, 100);
  });

  it('says no remaining time while the source is being walked', () => {
    const walking = { ...update(100), totalItems: null, totalBytes: null };
    const state = advanceProgress(startProgress(0), walking, 5_000);
    assert.equal(progressRates(state).remainingMs, null);
    assert.match(progressText(state, 100), /^hashes 100 \| 0:05 so far/);
  });

  it('keeps a bounded number of samples however often it is updated', () => {
    let state = startProgress(0);
    for (let step = 1; step <= 20_000; step += 1) state = advanceProgress(state, update(step), step);
    assert.ok(state.samples.length < 70);
  });
});
