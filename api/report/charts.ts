import { groupDigits } from './figures.ts';
import { html, type Markup } from './markup.ts';

/**
 * Charts as inline SVG. Colours come from classes of the page's style (`tone-...`), so they follow light, dark and print;
 * each chart has a title and a description for screen readers and stands beside a table with the same figures.
 */

export type Tone = 'known' | 'near' | 'unseen' | 'done' | 'partial' | 'rejected' | 'notExamined' | 'failed' | 'plain';

export interface Bar {
  readonly label: string;
  /** Stacked from the left. */
  readonly parts: ReadonlyArray<{ readonly value: number; readonly tone: Tone }>;
}

export interface Column {
  readonly label: string;
  readonly value: number;
  readonly tone: Tone;
}

interface ChartText {
  /** Unique on the page; letters, digits and hyphens. */
  readonly id: string;
  readonly title: string;
  /** One sentence that says what is to be seen. */
  readonly description: string;
}

const BAR_CHART_WIDTH = 560;
const BAR_ROW_HEIGHT = 40;
const BAR_HEIGHT = 12;
const VALUE_WIDTH = 76;
const LABEL_CHARACTERS = 62;

/** Horizontal bars, each under its label, widths to one scale. */
export function barChart(text: ChartText, bars: readonly Bar[]): Markup {
  const largest = Math.max(1, ...bars.map(total));
  const height = Math.max(1, bars.length) * BAR_ROW_HEIGHT;
  const room = BAR_CHART_WIDTH - VALUE_WIDTH;
  const rows = bars.map((bar, index) => {
    const top = index * BAR_ROW_HEIGHT;
    // Stacked figures are said one by one, never as their sum.
    const values = bar.parts.map((part) => groupDigits(part.value)).join(' + ');
    // A bar of one in a million would vanish; two pixels say that it is there.
    const scale = (value: number): number => (value === 0 ? 0 : Math.max(2, (value / largest) * room));
    let left = 0;
    const parts = bar.parts.map((part) => {
      const width = scale(part.value);
      const rectangle =
        width > 0 &&
        html`<rect class="tone-${part.tone}" x="${round(left)}" y="${top + 19}" width="${round(width)}" height="${BAR_HEIGHT}" rx="1"/>`;
      left += width;
      return rectangle;
    });
    return html`<text class="axis" x="0" y="${top + 13}">${cutLabel(bar.label)}</text>${parts}<text class="value" x="${round(left + 7)}" y="${top + 29}">${values}</text>`;
  });
  return frame(text, BAR_CHART_WIDTH, height, rows);
}

const COLUMN_CHART_WIDTH = 560;
const COLUMN_CHART_HEIGHT = 190;
const PLOT_TOP = 22;
const PLOT_BOTTOM = 160;
const PLOT_LEFT = 8;
/** Labels under the axis stand at least this far apart. */
const LABEL_SPACING = 66;

export interface ColumnChartOptions extends ChartText {
  /** Vertical dashed lines after the column of that index, with a label. */
  readonly marks?: ReadonlyArray<{ readonly afterColumn: number; readonly label: string }>;
}

/** Columns on a common base line; the height of the tallest is written on it. */
export function columnChart(options: ColumnChartOptions, columns: readonly Column[]): Markup {
  const largest = Math.max(1, ...columns.map((column) => column.value));
  const step = (COLUMN_CHART_WIDTH - PLOT_LEFT * 2) / Math.max(1, columns.length);
  const width = Math.max(1, Math.min(40, step * 0.76));
  const everyLabel = Math.max(1, Math.ceil(LABEL_SPACING / step));
  const middle = (index: number): number => PLOT_LEFT + (index + 0.5) * step;
  const tallest = columns.findIndex((column) => column.value === largest);
  const drawn = columns.map((column, index) => {
    const height = column.value === 0 ? 0 : Math.max(2, (column.value / largest) * (PLOT_BOTTOM - PLOT_TOP));
    return html`${height > 0 && html`<rect class="tone-${column.tone}" x="${round(middle(index) - width / 2)}" y="${round(PLOT_BOTTOM - height)}" width="${round(width)}" height="${round(height)}" rx="1"/>`}${
      index % everyLabel === 0 &&
      html`<text class="axis" text-anchor="middle" x="${round(middle(index))}" y="${PLOT_BOTTOM + 17}">${cutLabel(column.label)}</text>`
    }`;
  });
  const marks = (options.marks ?? []).map(({ afterColumn, label }, index) => {
    const x = round(PLOT_LEFT + (afterColumn + 1) * step);
    return html`<line class="mark" x1="${x}" x2="${x}" y1="${PLOT_TOP - 8}" y2="${PLOT_BOTTOM}"/><text class="axis" text-anchor="end" x="${x - 5}" y="${PLOT_TOP + 2 + index * 15}">${cutLabel(label)}</text>`;
  });
  const base = html`<line class="base" x1="0" x2="${COLUMN_CHART_WIDTH}" y1="${PLOT_BOTTOM + 0.5}" y2="${PLOT_BOTTOM + 0.5}"/>`;
  const top =
    tallest >= 0 &&
    columns.length > 0 &&
    html`<text class="value" text-anchor="middle" x="${round(Math.max(24, middle(tallest)))}" y="${PLOT_TOP - 7}">${groupDigits(largest)}</text>`;
  return frame(options, COLUMN_CHART_WIDTH, COLUMN_CHART_HEIGHT, [drawn, base, marks, top]);
}

function frame(text: ChartText, width: number, height: number, content: Parameters<typeof html>[1]): Markup {
  return html`<svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${text.id}-title ${text.id}-description" preserveAspectRatio="xMinYMin meet"><title id="${text.id}-title">${text.title}</title><desc id="${text.id}-description">${text.description}</desc>${content}</svg>`;
}

function total(bar: Bar): number {
  return bar.parts.reduce((sum, part) => sum + part.value, 0);
}

function cutLabel(label: string): string {
  const characters = [...label];
  return characters.length > LABEL_CHARACTERS ? `${characters.slice(0, LABEL_CHARACTERS - 1).join('')}\u2026` : label;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
