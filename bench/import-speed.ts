import { execFile } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { importSetFile } from '../engine/hashset/import.ts';
import { createStageTables, dropStageTables, stageTables } from '../engine/hashset/stage-tables.ts';
import { openServer } from '../engine/store/adapters/pg.ts';
import type { Db } from '../engine/store/db.ts';
import {
  type Bench,
  type BenchOptions,
  type BenchResult,
  interleave,
  judged,
  type Measure,
  median,
  significant,
} from './harness.ts';
import { SET_FOLDER } from './picture-set.ts';
import { generatedRds } from './rds-generator.ts';
import { withServerDatabase } from './real-server.ts';
import { type GeneratedFormat, generateSet } from './set-generator.ts';
import { meterStaging } from './staging-meter.ts';

const IMPORT_FOLDER = path.join(SET_FOLDER, 'import');
const SEED = 1;
const LEAST_OF_BARE_COPY = 0.5;
/** What the largest file may need more than one a tenth of its size. */
const MOST_MEMORY_GROWTH = 1.1;
const MEGABYTE = 1_000_000;
/** A number no real set has, for the staging table that the bare COPY fills. */
const BARE_SET_ID = 999_999_999;
/** Megabytes of each, for some 450,000 rows: of an NSRL a content has 2.75 rows in the file. */
const FORMATS = [
  { format: 'vics', megabytes: 100 },
  { format: 'csv', megabytes: 40 },
  { format: 'md5', megabytes: 15 },
  { format: 'nsrl', megabytes: 600 },
] as const;

const answerValidator = Compile(
  Type.Object({
    seconds: Type.Number(),
    stagingSeconds: Type.Number(),
    records: Type.Integer(),
    peakBytes: Type.Integer(),
  }),
);

type ImportedFormat = GeneratedFormat | 'nsrl';

async function generated(format: ImportedFormat, megabytes: number): Promise<string> {
  if (format === 'nsrl') return generatedRds(IMPORT_FOLDER, megabytes * MEGABYTE, SEED);
  const file = path.join(
    IMPORT_FOLDER,
    `${format}-${megabytes}mb.${format === 'vics' ? 'json' : format === 'csv' ? 'csv' : 'txt'}`,
  );
  if (existsSync(file)) return file;
  mkdirSync(IMPORT_FOLDER, { recursive: true });
  // What an interrupted run left must not be taken for a set.
  const part = `${file}.part`;
  await pipeline(generateSet({ format, seed: SEED, bytes: megabytes * MEGABYTE }), createWriteStream(part));
  renameSync(part, file);
  return file;
}

interface Rates {
  readonly rows: number;
  /** Rows a second: reading, parsing and staging; the bare COPY of the same rows; and the whole import with its indexes. */
  readonly staging: number;
  readonly bareCopy: number;
  readonly whole: number;
}

async function ratesOf(db: Db, format: ImportedFormat, megabytes: number, rounds: number): Promise<Rates> {
  const file = await generated(format, megabytes);
  let rows = 0;
  const importOnce = async (name: string, keepRecords: boolean) => {
    const meter = meterStaging(db, keepRecords);
    const started = performance.now();
    const purpose = format === 'nsrl' ? 'good' : 'known';
    const { signal } = new AbortController();
    const request = { file, source: 'bench', name, purpose, importedBy: 'bench', signal } as const;
    rows = (await importSetFile(meter.db, request)).records;
    return { seconds: (performance.now() - started) / 1000, staging: meter.stagingSeconds(), chunks: meter.records() };
  };
  // Warms both sides up, and its rows are what the bare COPY loads.
  const { chunks } = await importOnce(`${format} first`, true);
  const seconds: Record<'staging' | 'bareCopy' | 'whole', number[]> = { staging: [], bareCopy: [], whole: [] };
  await interleave(
    {
      import: async (round) => {
        const measured = await importOnce(`${format} ${round}`, false);
        seconds.staging.push(measured.staging);
        seconds.whole.push(measured.seconds);
      },
      bareCopy: async () => {
        const tables = stageTables(BARE_SET_ID);
        await db.transaction(async (tx) => await createStageTables(tx, tables));
        const started = performance.now();
        await db.transaction(async (tx) => await tx.copyIn(tables.records, chunks));
        seconds.bareCopy.push((performance.now() - started) / 1000);
        await dropStageTables(db, tables);
      },
    },
    rounds,
  );
  const perSecond = (list: readonly number[]) => rows / median(list);
  return {
    rows,
    staging: perSecond(seconds.staging),
    bareCopy: perSecond(seconds.bareCopy),
    whole: perSecond(seconds.whole),
  };
}

async function peakOf(url: string, megabytes: number) {
  const file = await generated('vics', megabytes);
  const child = path.join(import.meta.dirname, 'import-child.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [child, url, file]);
  const answer: unknown = JSON.parse(stdout);
  if (!answerValidator.Check(answer)) throw new Error(`expected figures of an import of ${file}, received ${stdout}`);
  return answer;
}

async function run({ quick, say, databaseUrl }: BenchOptions): Promise<BenchResult> {
  const rounds = quick ? 2 : 3;
  const sizes = quick ? [2, 20] : [10, 100, 1000];
  return await withServerDatabase(databaseUrl, async (url) => {
    const measures: Measure[] = [];
    const rates: (string | number)[][] = [];
    const db = await openServer({ url });
    try {
      for (const { format, megabytes: whole } of FORMATS) {
        const megabytes = quick ? whole / 10 : whole;
        say(`${format}: ${megabytes} MB, ${rounds} rounds`);
        const rate = await ratesOf(db, format, megabytes, rounds);
        const name = `${format}: import into the staging table / bare binary COPY`;
        const ratio = rate.staging / rate.bareCopy;
        measures.push(judged(name, ratio, '', '>=', LEAST_OF_BARE_COPY));
        rates.push([format, rate.rows, ...[rate.bareCopy, rate.staging, rate.whole].map(significant)]);
      }
    } finally {
      await db.close();
    }
    const peaks: (string | number)[][] = [];
    const peakBytes: number[] = [];
    for (const size of sizes) {
      say(`memory at ${size} MB`);
      const peak = await peakOf(url, size);
      peakBytes.push(peak.peakBytes);
      peaks.push([`${size} MB`, peak.records, significant(peak.seconds), Math.round(peak.peakBytes / MEGABYTE)]);
    }
    const growth = (peakBytes.at(-1) ?? Number.NaN) / (peakBytes.at(-2) ?? Number.NaN);
    measures.push(
      judged(`peak memory at ${sizes.at(-1)} MB / at ${sizes.at(-2)} MB`, growth, '', '<=', MOST_MEMORY_GROWTH),
    );
    return {
      measures,
      tables: [
        {
          title:
            'Rows a second on a real server (whole import: with digest of the file, duplicates, indexes, coming into force)',
          columns: ['format', 'rows', 'bare COPY', 'read, parsed and staged', 'whole import'],
          rows: rates,
        },
        {
          title: 'Peak resident memory of an importing process, VICS',
          columns: ['file', 'records', 'seconds', 'MB'],
          rows: peaks,
        },
      ],
      parameters: { rounds, quick },
      notes: [
        'Bare COPY: the very same encoded rows out of memory into an empty staging table of the same definition, in one transaction.',
      ],
    };
  });
}

export const bench: Bench = { name: 'import', run };
