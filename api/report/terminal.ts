import { OUTCOMES } from '../../schemas/outcome.ts';
import type { ReportHead } from '../../schemas/report.ts';
import { counted, duration, groupDigits, instant, percent } from './figures.ts';
import {
  breakdown,
  examinedSentence,
  examinedSize,
  knownGoodSentence,
  knownSets,
  modelLines,
  nextSteps,
  notices,
  OVERLAP_SENTENCE,
  sandboxIsMissing,
  sandboxLines,
  searchSentence,
} from './findings.ts';
import type { Mask } from './mask.ts';
import {
  faceSearchSentence,
  JUDGED_BY_PEOPLE,
  modelMethodWords,
  modelsLeftOut,
  modelsSentence,
} from './model-findings.ts';
import { neutralise } from './neutralise.ts';
import {
  hashesWords,
  outcomeWords,
  reasonWords,
  recordedBy,
  setWords,
  submissionWords,
  unknownWords,
} from './words.ts';

export interface TerminalOptions {
  /** Colours and bold; the caller says no when there is no terminal or NO_COLOR is set. */
  readonly colour: boolean;
  /** Width for wrapped sentences, in characters. */
  readonly columns: number;
  readonly mask: Mask;
  /** What was written besides, in the order to be named. */
  readonly written: ReadonlyArray<{ readonly what: string; readonly path: string }>;
}

const MAX_BREAKDOWN_LINES = 12;
const MAX_LINES = 8;
const MIN_COLUMNS = 50;
const MAX_COLUMNS = 110;
const FIGURE_WIDTH = 11;

/** The summary of a scan, in the order of the page: one string with a line feed at the end of every line. */
export function renderTerminalSummary(head: ReportHead, options: TerminalOptions): string {
  const paint = painter(options.colour);
  const width = Math.max(MIN_COLUMNS, Math.min(MAX_COLUMNS, options.columns));
  const out = new Lines(width, paint);
  const { counts, batch } = head;

  out.wrapped(`${examinedSentence(counts)}.`, '', paint.bold);
  out.wrapped(
    `${examinedSize(counts)} (${percent(counts.examinedBytes, counts.totalBytes)}), ${counted(counts.media, 'distinct content')}.`,
    '',
    paint.soft,
  );
  out.wrapped(
    `${[submissionWords(batch), neutralise(batch.organisation, 80)].filter((words) => words !== '').join(', ')}; finished ${instant(neutralise(batch.finishedAt, 40))}${elapsed(head)}.`,
    '',
    paint.soft,
  );
  if (counts.added.items + counts.added.media + counts.added.matches === 0)
    out.wrapped('This run added nothing to the database: all of it had been scanned before.', '', paint.soft);
  for (const notice of notices(head))
    out.wrapped(`${notice.title}: ${notice.text}`, '  ', notice.level === 'alarm' ? paint.alarm : paint.note);

  out.heading('Known (the same bytes were recorded before)');
  standing(out, head, 'known', options, paint.known);
  out.heading('Near duplicates (by perceptual hash only)');
  standing(out, head, 'nearDuplicate', options, paint.near);

  out.heading('Unseen (compared by every hash in use, and nothing matched)');
  const sets = knownSets(head);
  out.figure(
    counts.unseen,
    sets.length === 0
      ? `${noun(counts.unseen)}; nothing was compared, because no hash set was searched`
      : `${noun(counts.unseen)}, said against ${counted(sets.length, 'set')} and no others:`,
    paint.unseen,
  );
  for (const set of sets.slice(0, MAX_LINES)) {
    out.plain(
      `${' '.repeat(FIGURE_WIDTH)}  ${neutralise(set.name, 60)} version ${set.version} of ${neutralise(set.source, 60)}, ${counted(set.records, 'record')}, SHA-256 ${set.sha256.slice(0, 12)}\u2026`,
      paint.soft,
    );
    out.plain(
      `${' '.repeat(FIGURE_WIDTH)}    in force since ${instant(neutralise(set.importedAt, 40))}${set.updatedAt === null ? '' : `, updated ${instant(neutralise(set.updatedAt, 40))}`}; ${hashesWords(set)}`,
      paint.soft,
    );
  }
  if (sets.length > MAX_LINES)
    out.plain(`${' '.repeat(FIGURE_WIDTH)}  and ${counted(sets.length - MAX_LINES, 'more set')}`, paint.soft);

  const good = knownGoodSentence(head);
  if (good !== '') out.wrapped(good, '  ', paint.soft);

  if (head.sets.length > 0) out.plain(`${' '.repeat(FIGURE_WIDTH)}  ${searchSentence(head.search)}`, paint.soft);
  for (const line of modelLines(head.search)) out.plain(`${' '.repeat(FIGURE_WIDTH)}  ${line}`, paint.soft);

  if (counts.unknown > 0) {
    out.heading('Unknown (nothing matched, but the comparison was not whole)');
    out.figure(counts.unknown, noun(counts.unknown), paint.unseen);
    for (const { reason, items } of counts.byUnknownReason)
      out.plain(`${groupDigits(items).padStart(FIGURE_WIDTH + 6)}  ${unknownWords(reason)}`, paint.unseen);
  }

  models(out, head, paint);

  out.heading('Outcomes');
  for (const outcome of OUTCOMES) {
    const reasons = counts.byReason
      .filter((line) => line.outcome === outcome)
      .sort((one, other) => other.items - one.items);
    if (counts[outcome] === 0 && reasons.length === 0) continue;
    out.figure(counts[outcome], outcomeWords(outcome).name, outcome === 'failed' ? paint.alarm : paint.none);
    for (const line of reasons.slice(0, MAX_LINES))
      out.plain(`${groupDigits(line.items).padStart(FIGURE_WIDTH + 6)}  ${reasonWords(line.reason)}`, paint.soft);
    if (reasons.length > MAX_LINES)
      out.plain(
        `${' '.repeat(FIGURE_WIDTH + 6)}  and ${counted(reasons.length - MAX_LINES, 'more reason')} in the report`,
        paint.soft,
      );
  }

  provenance(out, head, paint);
  const steps = nextSteps(head);
  out.heading('What to do next');
  if (steps.length === 0) out.plain('  Nothing is left to do for this batch.', paint.none);
  for (const step of steps) out.wrapped(`- ${step}`, '  ', paint.none);
  for (const { what, path } of options.written) out.plain(`  ${what}: ${neutralise(path, 400)}`, paint.none);
  return out.toString();
}

function standing(
  out: Lines,
  head: ReportHead,
  of: 'known' | 'nearDuplicate',
  { mask }: TerminalOptions,
  colour: Paint,
): void {
  const { shown, rest, overlaps } = breakdown(head.counts, of, MAX_BREAKDOWN_LINES);
  const total = head.counts[of];
  if (total > 0 && shown.length === 0) {
    out.plain('  The breakdown of this figure is missing from the report; it is not shown without it.', colour);
    return;
  }
  out.figure(total, noun(total), colour);
  for (const line of shown) {
    out.pair(
      `${groupDigits(line[of]).padStart(FIGURE_WIDTH + 6)}  ${recordedBy(line.source, line.code, line.label)}`,
      setWords(line),
      ' '.repeat(FIGURE_WIDTH + 10),
      colour,
    );
  }
  if (rest.lines > 0)
    out.plain(
      `${groupDigits(rest[of]).padStart(FIGURE_WIDTH + 6)}  in ${counted(rest.lines, 'further line')} of the report`,
      colour,
    );
  if (overlaps) out.wrapped(OVERLAP_SENTENCE, ' '.repeat(FIGURE_WIDTH + 8), out.paint.soft);
  if (of === 'known') {
    const series = [...head.figures.bySeries].sort((one, other) => other.items - one.items).slice(0, MAX_LINES);
    if (series.length > 0)
      out.wrapped(
        `Series hit: ${series.map((line) => `${mask.words('series', line.series)} (${groupDigits(line.items)}, ${neutralise(line.source, 40)})`).join(', ')}${head.figures.bySeries.length > series.length ? ' and more' : ''}.`,
        '  ',
        out.paint.none,
      );
  }
}

function models(out: Lines, head: ReportHead, paint: Painter): void {
  out.heading('Models (edited copies, places, cameras, faces)');
  const leftOut = modelsLeftOut(head);
  if (head.models === null || leftOut !== null) {
    out.wrapped(leftOut ?? '', '  ', paint.none);
    return;
  }
  out.wrapped(`${modelsSentence(head.models)}. ${faceSearchSentence(head.models)}.`, '  ', paint.none);
  for (const { method, media } of head.models.matched)
    out.figure(media, `${media === 1 ? 'content shows' : 'contents show'} ${modelMethodWords(method)}`, paint.near);
  if (head.models.openLeads === 0) return;
  out.figure(head.models.openLeads, 'open leads: homeward leads list', paint.near);
  out.wrapped(JUDGED_BY_PEOPLE, ' '.repeat(FIGURE_WIDTH + 2), paint.soft);
}

function provenance(out: Lines, head: ReportHead, paint: Painter): void {
  const { engine, batch } = head;
  out.heading('How this was made');
  const thresholds = engine.algorithms
    .filter((algorithm) => algorithm.thresholdBits > 0)
    .map((algorithm) => `${neutralise(algorithm.id, 60)} \u2264 ${algorithm.thresholdBits} bits`);
  out.wrapped(
    `Homeward ${neutralise(engine.version, 40)}, pipeline ${neutralise(engine.pipelineVersion, 40)}, ${batch.mode} mode, by ${neutralise(batch.operator, 80)} on ${neutralise(batch.machine, 120)}.`,
    '  ',
    paint.soft,
  );
  if (thresholds.length > 0) out.wrapped(`Thresholds: ${thresholds.slice(0, MAX_LINES).join(', ')}.`, '  ', paint.soft);
  if (sandboxIsMissing(head)) {
    out.wrapped('Sandbox: MISSING OR INCOMPLETE', '  ', paint.alarm);
    for (const line of sandboxLines(head)) out.wrapped(line.text, '    ', line.alarm ? paint.alarm : paint.soft);
  } else {
    out.wrapped(
      `Sandbox: ${sandboxLines(head)
        .map((line) => line.text)
        .join('; ')}.`,
      '  ',
      paint.soft,
    );
  }
}

function noun(count: number): string {
  return count === 1 ? 'file' : 'files';
}

function elapsed({ batch }: ReportHead): string {
  const milliseconds = Date.parse(batch.finishedAt) - Date.parse(batch.startedAt);
  return Number.isFinite(milliseconds) && milliseconds >= 0 ? ` after ${duration(milliseconds)}` : '';
}

type Paint = (text: string) => string;
interface Painter {
  readonly none: Paint;
  readonly bold: Paint;
  readonly soft: Paint;
  readonly alarm: Paint;
  readonly note: Paint;
  readonly known: Paint;
  readonly near: Paint;
  readonly unseen: Paint;
}

/** ANSI colours of the 16 that every terminal has and lets its user choose. */
function painter(colour: boolean): Painter {
  const styled = (code: string): Paint => (colour ? (text) => `\u001b[${code}m${text}\u001b[0m` : (text) => text);
  return {
    none: (text) => text,
    bold: styled('1'),
    soft: styled('2'),
    alarm: styled('1;31'),
    note: styled('33'),
    known: styled('33'),
    near: styled('33'),
    unseen: styled('36'),
  };
}

class Lines {
  readonly paint: Painter;
  readonly #width: number;
  readonly #lines: string[] = [];

  constructor(width: number, paint: Painter) {
    this.#width = width;
    this.paint = paint;
  }

  plain(text: string, paint: Paint): void {
    this.#lines.push(paint(text));
  }

  heading(text: string): void {
    this.#lines.push('', this.paint.bold(text));
  }

  figure(value: number, text: string, paint: Paint): void {
    this.#lines.push(paint(`${groupDigits(value).padStart(FIGURE_WIDTH)}  ${text}`));
  }

  /** Both on one line where they fit, otherwise the second one under the first. */
  pair(first: string, second: string, indent: string, paint: Paint): void {
    if (first.length + second.length + 2 <= this.#width)
      this.#lines.push(`${paint(first)}${this.paint.soft(`, ${second}`)}`);
    else this.#lines.push(paint(first), this.paint.soft(`${indent}${second}`));
  }

  wrapped(text: string, indent: string, paint: Paint): void {
    // A list item's further lines stand under its text, not under its dash.
    const hanging = text.startsWith('- ') ? `${indent}  ` : indent;
    let line = indent;
    let empty = true;
    for (const word of text.split(' ')) {
      if (!empty && line.length + 1 + word.length > this.#width) {
        this.#lines.push(paint(line));
        line = hanging;
        empty = true;
      }
      line += empty ? word : ` ${word}`;
      empty = false;
    }
    this.#lines.push(paint(line));
  }

  toString(): string {
    return `${this.#lines.join('\n')}\n`;
  }
}
