import type { KnownBy, ReportHead } from '../../schemas/report.ts';
import { barChart, columnChart } from './charts.ts';
import { counted, groupDigits } from './figures.ts';
import { html, type Markup } from './markup.ts';
import type { Mask } from './mask.ts';
import { neutralise } from './neutralise.ts';
import { bounded, dataTable } from './table.ts';
import { timeline } from './timeline.ts';
import { recordedBy } from './words.ts';

const MAX_BARS = 12;
const MAX_TABLE_LINES = 12;
/** Beside a column chart, which is not as high. */
const MAX_COLUMN_TABLE_LINES = 7;

export function figuresSection(head: ReportHead, mask: Mask): Markup {
  return html`<section id="figures" aria-labelledby="figures-heading">
<h2 id="figures-heading">Figures</h2>
${categoryCard(head)}${seriesCard(head, mask)}${timelineCard(head)}${cameraCard(head, mask)}${distanceCard(head)}
</section>`;
}

function card(title: string, chart: Markup, table: Markup): Markup {
  return html`<div class="card chart-card"><h3>${title}</h3>${chart}${table}</div>`;
}

function emptyCard(title: string, sentence: string): Markup {
  return html`<div class="card"><h3>${title}</h3><p class="note">${sentence}</p></div>`;
}

interface CategoryLine {
  readonly source: string;
  readonly scheme: string;
  readonly code: string | null;
  readonly label: string | null;
  known: number;
  nearDuplicate: number;
}

function categoryCard(head: ReportHead): Markup {
  const title = 'Categories hit';
  const lines = byCategory(head.counts.knownBy);
  if (lines.length === 0) return emptyCard(title, 'No category was hit.');
  const bars = lines.slice(0, MAX_BARS);
  const table = bounded(lines, MAX_TABLE_LINES, 'categories');
  return card(
    title,
    barChart(
      {
        id: 'chart-categories',
        title: 'Files by category of the record they match',
        description: `${counted(lines.length, 'category', 'categories')}; the largest: ${bars.slice(0, 3).map(categoryWords).join('; ')}`,
      },
      bars.map((line) => ({
        label: recordedBy(line.source, line.code, line.label),
        parts: [
          { value: line.known, tone: 'known' },
          { value: line.nearDuplicate, tone: 'near' },
        ],
      })),
    ),
    dataTable(
      'Files by source, scheme and code; schemes are not comparable with each other',
      [
        { title: 'Statement' },
        { title: 'Scheme' },
        { title: 'Known', numeric: true },
        { title: 'Near', numeric: true },
      ],
      table.shown.map((line) => [
        recordedBy(line.source, line.code, line.label),
        neutralise(line.scheme, 60),
        groupDigits(line.known),
        groupDigits(line.nearDuplicate),
      ]),
      html`<span class="key key-known"></span>known <span class="key key-near"></span>near duplicate. ${table.note}`,
    ),
  );
}

function categoryWords(line: CategoryLine): string {
  return `${recordedBy(line.source, line.code, line.label)}, ${groupDigits(line.known)} known and ${groupDigits(line.nearDuplicate)} near`;
}

/** The breakdown without its sets and versions. */
function byCategory(knownBy: readonly KnownBy[]): readonly CategoryLine[] {
  const lines = new Map<string, CategoryLine>();
  for (const { source, scheme, code, label, known, nearDuplicate } of knownBy) {
    const key = JSON.stringify([source, scheme, code]);
    const line = lines.get(key);
    if (line === undefined) lines.set(key, { source, scheme, code, label, known, nearDuplicate });
    else {
      line.known += known;
      line.nearDuplicate += nearDuplicate;
    }
  }
  return [...lines.values()]
    .filter((line) => line.known + line.nearDuplicate > 0)
    .sort((one, other) => other.known + other.nearDuplicate - one.known - one.nearDuplicate);
}

function seriesCard(head: ReportHead, mask: Mask): Markup {
  const title = 'Series hit';
  const lines = [...head.figures.bySeries].sort((one, other) => other.items - one.items);
  if (lines.length === 0) return emptyCard(title, 'No series was hit.');
  const name = (line: (typeof lines)[number]): string => mask.words('series', line.series);
  const bars = lines.slice(0, MAX_BARS);
  const table = bounded(lines, MAX_TABLE_LINES, 'series');
  return card(
    title,
    barChart(
      {
        id: 'chart-series',
        title: 'Files by series of the record they match',
        description: `${counted(lines.length, 'series', 'series')}; the largest has ${counted(lines[0]?.items ?? 0, 'file')}`,
      },
      bars.map((line) => ({
        label: `${name(line)}, ${neutralise(line.source, 60)}`,
        parts: [{ value: line.items, tone: 'known' }],
      })),
    ),
    dataTable(
      'Files by series, known and near duplicates together',
      [{ title: 'Series' }, { title: 'Source' }, { title: 'Files', numeric: true }],
      table.shown.map((line) => [name(line), neutralise(line.source, 80), groupDigits(line.items)]),
      table.note,
    ),
  );
}

function timelineCard(head: ReportHead): Markup {
  const title = 'Capture times';
  const { unit, bins, undated } = timeline(head.figures.captureTimeline);
  if (bins.length === 0) return emptyCard(title, 'No examined file carries a usable capture time.');
  const filled = bins.filter((bin) => bin.items > 0);
  const table = bounded(
    [...filled].sort((one, other) => other.items - one.items),
    MAX_COLUMN_TABLE_LINES,
    `${unit}s`,
  );
  return card(
    title,
    columnChart(
      {
        id: 'chart-timeline',
        title: `Files by ${unit} of capture`,
        description: `From ${filled[0]?.label ?? ''} to ${filled.at(-1)?.label ?? ''}, as the files say`,
      },
      bins.map((bin) => ({ label: bin.label, value: bin.items, tone: 'plain' })),
    ),
    dataTable(
      `Files by ${unit} of capture, fullest first`,
      [{ title: unit === 'month' ? 'Month' : 'Year' }, { title: 'Files', numeric: true }],
      table.shown.map((bin) => [bin.label, groupDigits(bin.items)]),
      html`As the files say; camera clocks can be wrong.${undated > 0 && ` ${counted(undated, 'file')} with a date that cannot be.`} ${table.note}`,
    ),
  );
}

function cameraCard(head: ReportHead, mask: Mask): Markup {
  const title = 'Cameras';
  const lines = [...head.figures.cameras].sort((one, other) => other.items - one.items);
  const traces = html`${counted(head.figures.syntheticTraces, 'file')} with traces of generation or editing, ${counted(head.figures.withGps, 'file')} with a position. The absence of traces proves nothing.`;
  if (lines.length === 0)
    return html`<div class="card"><h3>${title}</h3><p class="note">No examined file names its camera. ${traces}</p></div>`;
  const name = (line: (typeof lines)[number]): string => mask.camera(line.make, line.model);
  const table = bounded(lines, MAX_TABLE_LINES, 'cameras');
  return card(
    title,
    barChart(
      {
        id: 'chart-cameras',
        title: 'Files by camera model',
        description: `${counted(lines.length, 'model')}; the most frequent has ${counted(lines[0]?.items ?? 0, 'file')}`,
      },
      lines.slice(0, MAX_BARS).map((line) => ({ label: name(line), parts: [{ value: line.items, tone: 'plain' }] })),
    ),
    dataTable(
      'Files by camera model, with the number of different serial numbers',
      [{ title: 'Model' }, { title: 'Serial numbers', numeric: true }, { title: 'Files', numeric: true }],
      table.shown.map((line) => [name(line), groupDigits(line.serialNumbers), groupDigits(line.items)]),
      html`${traces} ${table.note}`,
    ),
  );
}

/** Distances past this are drawn in groups. */
const MAX_SINGLE_DISTANCES = 64;

function distanceCard(head: ReportHead): Markup {
  const title = 'How near the perceptual matches are';
  const lines = [...head.figures.distanceHistogram].sort((one, other) => one.distance - other.distance);
  if (lines.length === 0) return emptyCard(title, 'No examined file has a perceptual match.');
  const thresholds = [...new Map(perceptualThresholds(head)).entries()];
  const largest = Math.max(lines.at(-1)?.distance ?? 0, ...thresholds.map(([distance]) => distance));
  const group = largest < MAX_SINGLE_DISTANCES ? 1 : 8;
  const columns = Array.from({ length: Math.floor(largest / group) + 1 }, (_, index) => ({
    label: String(index * group),
    value: 0,
    tone: 'near' as const,
  }));
  for (const line of lines) {
    const column = columns[Math.floor(line.distance / group)];
    if (column !== undefined) column.value += line.items;
  }
  const table = bounded(lines, MAX_COLUMN_TABLE_LINES, 'distances');
  return card(
    title,
    columnChart(
      {
        id: 'chart-distances',
        title: 'Files by distance of their best perceptual match',
        description: `Bits, 0 is the same hash; from ${lines[0]?.distance ?? 0} to ${lines.at(-1)?.distance ?? 0}`,
        marks: thresholds.map(([distance, names]) => ({
          afterColumn: Math.floor(distance / group),
          label: `${names} \u2264 ${distance}`,
        })),
      },
      columns,
    ),
    dataTable(
      'Files by distance in bits of 256; the further, the more often by chance',
      [{ title: 'Distance' }, { title: 'Files', numeric: true }],
      table.shown.map((line) => [String(line.distance), groupDigits(line.items)]),
      table.note,
    ),
  );
}

/** Thresholds in bits with the algorithms that share them; digests have none. */
function perceptualThresholds(head: ReportHead): ReadonlyMap<number, string> {
  const byDistance = new Map<number, string>();
  for (const { id, thresholdBits } of head.engine.algorithms) {
    if (thresholdBits === 0) continue;
    const names = byDistance.get(thresholdBits);
    const name = id.startsWith('pdq') ? 'PDQ' : id.startsWith('blockhash') ? 'blockhash' : neutralise(id, 24);
    if (names === undefined) byDistance.set(thresholdBits, name);
    else if (!names.split(', ').includes(name)) byDistance.set(thresholdBits, `${names}, ${name}`);
  }
  return byDistance;
}
