import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TSchema, Type } from 'typebox';
import { Closed } from './closed.ts';
import { CUSTODY_OUTPUT_VERSION, CustodyReport } from './custody.ts';
import { COMPILED_CHECKS, checkFile, checkText } from './emit-checks.ts';
import { GOVERNANCE_OUTPUT_VERSION, GovernanceReport } from './governance.ts';
import { KnownChange, KnownRecord } from './known-record.ts';
import { DispositionFile, LEAD_FILE_VERSION, LeadFile, ReturnedDisposition } from './lead-file.ts';
import { LookupOutput } from './lookup.ts';
import { ProgressLine } from './progress.ts';
import { FingerprintOutput, REPORT_SCHEMA_VERSION, Report, ReportItem } from './report.ts';
import { SERIES_OUTPUT_VERSION, SeriesChanged, SeriesDetail } from './series.ts';
import { VALIDATION_SCHEMA_VERSION, ValidationReport } from './validation.ts';

/**
 * Writes the published JSON Schemas to schemas/json/ from the types the engine checks with, and to schemas/checks/ the checks that are
 * compiled ahead of time. `--check` writes nothing and exits 1 when a file there is missing, stale or not ours.
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
    file: 'known-change.schema.json',
    version: REPORT_SCHEMA_VERSION,
    title: 'Homeward change to a hash set',
    description: 'One line between the head line and the end line of a delta in the NDJSON exchange format.',
    schema: KnownChange,
  },
  {
    file: 'lookup.schema.json',
    version: REPORT_SCHEMA_VERSION,
    title: 'Homeward look-up',
    description: 'What homeward lookup --json prints.',
    schema: LookupOutput,
  },
  {
    file: 'validation.schema.json',
    version: VALIDATION_SCHEMA_VERSION,
    title: 'Homeward validation report',
    description: 'What homeward validate --out and --json write.',
    schema: ValidationReport,
  },
  {
    file: 'custody.schema.json',
    version: CUSTODY_OUTPUT_VERSION,
    title: 'Homeward custody',
    description: 'What homeward custody report writes and custody list --json prints.',
    schema: CustodyReport,
  },
  {
    file: 'governance.schema.json',
    version: GOVERNANCE_OUTPUT_VERSION,
    title: 'Homeward governance report',
    description: 'What homeward governance report --json prints.',
    schema: GovernanceReport,
  },
  {
    file: 'leads.schema.json',
    version: LEAD_FILE_VERSION,
    title: 'Homeward leads for a viewer',
    description: 'What homeward leads export writes.',
    schema: LeadFile,
  },
  {
    file: 'dispositions.schema.json',
    version: LEAD_FILE_VERSION,
    title: 'Homeward dispositions from a viewer',
    description: 'What homeward leads import takes as JSON.',
    // The command judges row by row, so that one bad verdict does not cost the others; who writes the file writes these.
    schema: Closed({
      ...DispositionFile.properties,
      dispositions: Type.Array(ReturnedDisposition, { maxItems: 100_000 }),
    }),
  },
  {
    file: 'series.schema.json',
    version: SERIES_OUTPUT_VERSION,
    title: 'Homeward series',
    description: 'The array that homeward series show --json prints: one element for each source that uses the name.',
    schema: { type: 'array', items: SeriesDetail },
  },
  {
    file: 'series-change.schema.json',
    version: SERIES_OUTPUT_VERSION,
    title: 'Homeward series change',
    description: 'What a homeward series command that changes something prints with --json.',
    schema: SeriesChanged,
  },
];

const FOLDER = path.join(import.meta.dirname, 'json');
const CHECKS_FOLDER = path.join(import.meta.dirname, 'checks');

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

/** What one folder is to hold: text by file name. */
type Folder = ReadonlyMap<string, string>;

const schemaFiles = (): Folder => new Map(PUBLISHED.map((one) => [one.file, schemaText(one)]));
const checkFiles = (): Folder => new Map(COMPILED_CHECKS.map((one) => [checkFile(one), checkText(one)]));

/** Names of files in the folder that differ from what the types say. */
export function staleSchemas(folder: string = FOLDER): readonly string[] {
  return staleFiles(folder, schemaFiles());
}

export function staleChecks(folder: string = CHECKS_FOLDER): readonly string[] {
  return staleFiles(folder, checkFiles());
}

export function writeSchemas(folder: string = FOLDER): void {
  writeFiles(folder, schemaFiles());
}

function staleFiles(folder: string, wanted: Folder): readonly string[] {
  const present = new Set(listFolder(folder));
  const stale = [...wanted].filter(
    ([file, text]) => !present.has(file) || readFileSync(path.join(folder, file), 'utf8') !== text,
  );
  return [...stale.map(([file]) => file), ...[...present].filter((file) => !wanted.has(file))];
}

function writeFiles(folder: string, wanted: Folder): void {
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of wanted) writeFileSync(path.join(folder, file), text);
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
    const stale = [...staleSchemas().map((file) => `json/${file}`), ...staleChecks().map((file) => `checks/${file}`)];
    for (const file of stale)
      process.stderr.write(`expected schemas/${file} to match the types; run: node bin/launch.cjs schemas/emit.ts\n`);
    process.exitCode = stale.length === 0 ? 0 : 1;
  } else {
    writeSchemas();
    writeFiles(CHECKS_FOLDER, checkFiles());
  }
}
