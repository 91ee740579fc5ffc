/**
 * `npm run quality [-- --pin]`: measures faces, edited copies and places on the labelled pictures of ../shared/data and writes
 * docs/quality.md and bench/results/quality/quality.json. --pin also writes the calibrations into models/packs and models/fusions, which
 * is what likelihood ratios and expected false matches are computed from.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Compile } from 'typebox/compile';
import { ModelFusion, ModelPackManifest, type PackCalibration } from '../schemas/model-pack.ts';
import { type BenchTable, machineLine } from './harness.ts';
import { copiesQuality } from './quality-copies.ts';
import { facesQuality } from './quality-faces.ts';
import { Models, type QualityResult } from './quality-kit.ts';
import { placesQuality } from './quality-places.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const { values } = parseArgs({
  options: { pin: { type: 'boolean', default: false }, quick: { type: 'boolean', default: false } },
});
const say = (text: string) => process.stderr.write(`  ${text}\n`);

const machine = machineLine();
const models = await Models.open();
const options = { quick: values.quick, say };
const parts: readonly (readonly [string, QualityResult])[] = [
  ['Faces', await facesQuality(models, options)],
  ['Edited copies', await copiesQuality(models, options)],
  ['Places', await placesQuality(models, options)],
];
await models.close();
const page = text(parts);
if (values.quick) process.stdout.write(page);
else {
  writeFileSync(path.join(ROOT, 'docs', 'quality.md'), page);
  const results = Object.fromEntries(parts.map(([name, { calibrations: _none, ...result }]) => [name, result]));
  writeFileSync(
    path.join(import.meta.dirname, 'results', 'quality', 'quality.json'),
    `${JSON.stringify({ machine, ...results }, null, 2)}\n`,
  );
}
if (values.pin) pin(Object.assign({}, ...parts.map(([, { calibrations }]) => calibrations)));

function text(measured: typeof parts): string {
  const head = [
    '# What the models reach, measured',
    '',
    `Written by \`npm run quality\` from the public pictures beside the checkout; ${machine['cpu']}, ${String(machine['date']).slice(0, 10)}.`,
    'Every rate carries its counts and a bound of 95 %, resampled by person, picture or place. All people in it are adults; no public test covers children or ageing.',
    'The sets are small: a likelihood ratio is capped at what their number of pairs can show.',
  ];
  const sections = measured.flatMap(([name, { measures, tables, notes }]) => [
    '',
    `## ${name}`,
    '',
    ...table({
      title: '',
      columns: ['figure', 'measured', 'asked', ''],
      rows: measures.map(({ name: figure, value, unit, target, pass }) => [
        figure,
        `${value} ${unit}`,
        target ?? '',
        pass === false ? 'MISSED' : '',
      ]),
    }),
    ...tables.flatMap((one) => ['', `### ${one.title}`, '', ...table(one)]),
    '',
    ...notes.map((note) => `- ${note}`),
  ]);
  return `${[...head, ...sections].join('\n')}\n`;
}

function table({ columns, rows }: BenchTable): string[] {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)];
}

/** Into each pack and each score of several packs that was measured under its id or name. */
function pin(calibrations: Readonly<Record<string, PackCalibration>>): void {
  const isManifest = Compile(ModelPackManifest);
  for (const id of readdirSync(path.join(ROOT, 'models', 'packs'))) {
    const file = path.join(ROOT, 'models', 'packs', id, 'manifest.json');
    const manifest: unknown = JSON.parse(readFileSync(file, 'utf8'));
    const calibration = calibrations[id];
    if (calibration !== undefined && isManifest.Check(manifest)) save(file, { ...manifest, calibration });
  }
  const isFusion = Compile(ModelFusion);
  for (const name of readdirSync(path.join(ROOT, 'models', 'fusions'))) {
    const file = path.join(ROOT, 'models', 'fusions', name);
    const fusion: unknown = JSON.parse(readFileSync(file, 'utf8'));
    const calibration = calibrations[name.replace('.json', '')];
    if (calibration !== undefined && isFusion.Check(fusion)) save(file, { ...fusion, calibration });
  }
}

function save(file: string, content: object): void {
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
}
