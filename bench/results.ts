import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { BenchResult } from './harness.ts';

const RESULTS_FOLDER = path.join(import.meta.dirname, 'results');

const StoredResult = Type.Object({
  bench: Type.String(),
  machine: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number()])),
  parameters: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()])),
  measures: Type.Array(
    Type.Object({
      name: Type.String(),
      value: Type.Union([Type.Number(), Type.Null()]),
      unit: Type.String(),
      target: Type.Union([Type.String(), Type.Null()]),
      pass: Type.Union([Type.Boolean(), Type.Null()]),
    }),
  ),
  tables: Type.Array(
    Type.Object({
      title: Type.String(),
      columns: Type.Array(Type.String()),
      rows: Type.Array(Type.Array(Type.Union([Type.String(), Type.Number()]))),
    }),
  ),
  notes: Type.Array(Type.String()),
});
export type StoredResult = Static<typeof StoredResult>;

const validator = Compile(StoredResult);

export function storeResult(
  bench: string,
  machine: Readonly<Record<string, string | number>>,
  result: BenchResult,
): void {
  mkdirSync(RESULTS_FOLDER, { recursive: true });
  const stored = { bench, machine, ...result };
  writeFileSync(path.join(RESULTS_FOLDER, `${bench}.json`), `${JSON.stringify(stored, null, 2)}\n`);
}

/** Writes bench/results/README.md anew from all the results beside it. */
export function writeSummary(): void {
  const results = readdirSync(RESULTS_FOLDER)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => readResult(path.join(RESULTS_FOLDER, name)));
  const lines = [
    '# Measured',
    '',
    'Written by `npm run bench`; do not edit. Every ratio was taken in one run, the two sides in turns, as medians.',
    'A figure belongs to the machine it is headed with.',
    '',
    ...results.flatMap(summaryOf),
  ];
  writeFileSync(path.join(RESULTS_FOLDER, 'README.md'), `${lines.join('\n').trimEnd()}\n`);
}

function readResult(file: string): StoredResult {
  const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (!validator.Check(parsed)) {
    throw new Error(
      `expected a stored bench result, received something else in ${file}; delete it and run the bench again`,
    );
  }
  return parsed;
}

function summaryOf(result: StoredResult): string[] {
  const { machine } = result;
  const said = (pass: boolean | null) => (pass === null ? '' : pass ? 'reached' : '**missed**');
  return [
    `## ${result.bench}`,
    '',
    `${machine['date']}, ${machine['cpu']}, ${machine['cores']} cores, ${machine['memoryGb']} GB, ${machine['kernel']}, ` +
      `Node ${machine['node']}, sharp ${machine['sharp']} (libvips ${machine['libvips']}), load at start ${machine['loadAverageAtStart']}.`,
    `Run with: ${
      Object.entries(result.parameters)
        .map(([key, value]) => `${key} ${value}`)
        .join(', ') || 'no parameters'
    }.`,
    '',
    ...markdownTable(
      ['figure', 'value', 'target', ''],
      result.measures.map((measure) => [
        measure.name,
        `${measure.value ?? 'none'} ${measure.unit}`.trim(),
        measure.target ?? '',
        said(measure.pass),
      ]),
    ),
    ...result.tables.flatMap((table) => ['', `${table.title}:`, '', ...markdownTable(table.columns, table.rows)]),
    ...(result.notes.length > 0 ? ['', ...result.notes.map((note) => `- ${note}`)] : []),
    '',
  ];
}

function markdownTable(columns: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)];
}
