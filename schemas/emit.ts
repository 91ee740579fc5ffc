import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TSchema } from 'typebox';
import { KnownRecord } from './known-record.ts';
import { ProgressLine } from './progress.ts';
import { FingerprintOutput, REPORT_SCHEMA_VERSION, Report, ReportItem } from './report.ts';
import { VALIDATION_SCHEMA_VERSION, ValidationReport } from './validation.ts';

/**
 * Writes the published JSON Schemas to schemas/json/ from the types the engine checks with. `--check` writes nothing
 * and exits 1 when a file there is missing, stale or not ours.
 */

interface Published {
  readonly file: string;
  readonly version: string;
  readonly title: string;
  readonly description: string;
  readonly schema: TSchema;
}

export const PUBLISHED: readonly Published[] = [
  {
    file: 'report.schema.json',
    version: REPORT_SCHEMA_VERSION,
    title: 'Homeward scan report',
    description: 'What homeward scan --report and --json write.',
    schema: Report,
  },
  {
    file: 'report-item.schema.json',
    version: REPORT_SCHEMA_VERSION,
    title: 'Homeward report item',
    description: 'One entry of items[] of a report, and one line of the NDJSON file beside a large one.',
    schema: ReportItem,
  },
  {
    file: 'fingerprint.schema.json',
    version: REPORT_SCHEMA_VERSION,
    title: 'Homeward fingerprints',
    description: 'The array that homeward fingerprint --json prints.',
    schema: { type: 'array', items: FingerprintOutput },
  },
  {
    file: 'progress.schema.json',
    version: REPORT_SCHEMA_VERSION,
    title: 'Homeward progress line',
    description: 'One line a second on standard error when that is no terminal.',
    schema: ProgressLine,
  },
  {
    file: 'known-record.schema.json',
    version: REPORT_SCHEMA_VERSION,
    title: 'Homeward known record',
    description: 'One line between the head line and the end line of a hash set in the NDJSON exchange format.',
    schema: KnownRecord,
  },
  {
    file: 'validation.schema.json',
    version: VALIDATION_SCHEMA_VERSION,
    title: 'Homeward validation report',
    description: 'What homeward validate --out and --json write.',
    schema: ValidationReport,
  },
];

const FOLDER = path.join(import.meta.dirname, 'json');

/** The text of one published schema; the same types always give the same text. */
export function schemaText({ file, version, title, description, schema }: Published): string {
  const head = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `urn:homeward:schema:${file.replace('.schema.json', '')}:${version}`,
    title,
    description,
  };
  return `${JSON.stringify({ ...head, ...schema }, null, 2)}\n`;
}

/** Names of files in the folder that differ from what the types say. */
export function staleSchemas(folder: string = FOLDER): readonly string[] {
  const present = new Set(listFolder(folder));
  const stale = PUBLISHED.filter(
    (one) => !present.has(one.file) || readFileSync(path.join(folder, one.file), 'utf8') !== schemaText(one),
  ).map((one) => one.file);
  const foreign = [...present].filter((file) => !PUBLISHED.some((one) => one.file === file));
  return [...stale, ...foreign];
}

export function writeSchemas(folder: string = FOLDER): void {
  mkdirSync(folder, { recursive: true });
  for (const one of PUBLISHED) writeFileSync(path.join(folder, one.file), schemaText(one));
}

function listFolder(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    // A folder that is not there has no files; each one is then reported as stale.
    return [];
  }
}

if (process.argv[1] === import.meta.filename) {
  if (process.argv.includes('--check')) {
    const stale = staleSchemas();
    for (const file of stale)
      process.stderr.write(
        `expected schemas/json/${file} to match the types; run: node bin/launch.cjs schemas/emit.ts\n`,
      );
    process.exitCode = stale.length === 0 ? 0 : 1;
  } else {
    writeSchemas();
  }
}
