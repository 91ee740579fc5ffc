import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { Recorder } from '../engine/ingest/recorder.ts';
import { scanBatch } from '../engine/ingest/scan.ts';
import { Scratch } from '../engine/ingest/scratch.ts';
import { openBitSearch } from '../engine/search/open-bit-search.ts';
import { openServer } from '../engine/store/adapters/pg.ts';
import { openEmbedded } from '../engine/store/adapters/pglite.ts';
import type { Db } from '../engine/store/db.ts';
import { openBatch } from '../engine/store/queries/batch.ts';
import { PIPELINE_VERSION } from '../schemas/fingerprint.ts';
import { DEFAULT_ARCHIVE_BUDGET } from '../schemas/host-protocol.ts';
import { Fleet } from '../workers/fleet/fleet.ts';
import {
  type Bench,
  type BenchOptions,
  type BenchResult,
  figure,
  interleave,
  judged,
  type Measure,
  median,
  significant,
} from './harness.ts';
import { readManifest, SET_FOLDER, SMALL_FOLDER } from './picture-set.ts';
import { withServerDatabase } from './real-server.ts';
import { makeSmallSet, smallSetFolders } from './small-set.ts';

const SEED = 20_261_124;
const MOST_PERCENT = 10;

interface Material {
  readonly label: string;
  readonly folders: readonly string[];
}

interface Taken {
  readonly wallSeconds: number;
  /** Time during which a group of rows was on its way into the database; the hosts go on working meanwhile. */
  readonly recordingSeconds: number;
}

/** The first stage of a scan as the command runs it, without its report; `db` null: rows are thrown away. */
async function scanOnce(
  fleet: Fleet,
  scratch: Scratch,
  folders: readonly string[],
  db: Db | null,
  name: string,
): Promise<Taken> {
  let record: Recorder['record'] = async () => [];
  let close = async (): Promise<void> => undefined;
  if (db !== null) {
    const search = await openBitSearch(db);
    const batch = await openBatch(db, {
      identity: Buffer.alloc(32, name),
      caseRef: name,
      exhibitRef: '',
      organisation: 'bench',
      actor: 'bench',
      mode: 'exact',
      roots: folders,
      pipelineVersion: PIPELINE_VERSION,
      startedAt: new Date().toISOString(),
    });
    const recorder = new Recorder(db, search, { batchId: batch.batchId, mode: 'exact' });
    record = (rows) => recorder.record(rows);
    close = () => search.close();
  }
  let recordingSeconds = 0;
  const started = performance.now();
  await scanBatch(
    {
      examiner: fleet,
      scratch,
      record: async (rows) => {
        const begun = performance.now();
        await record(rows);
        recordingSeconds += (performance.now() - begun) / 1000;
      },
      alreadyRecorded: async () => new Set(),
    },
    {
      roots: folders.map((folder) => Buffer.from(folder)),
      mode: 'exact',
      archiveBudget: DEFAULT_ARCHIVE_BUDGET,
      resume: false,
      signal: new AbortController().signal,
    },
    { examined: () => undefined, skipped: () => undefined },
  );
  const wallSeconds = (performance.now() - started) / 1000;
  await close();
  return { wallSeconds, recordingSeconds };
}

/** Empties what a scan writes, so that every round writes the same rows anew. */
async function forget(db: Db): Promise<void> {
  await db.transaction(async (tx) => await tx.script('truncate match, item, fingerprint, media, batch cascade'));
}

async function run({ quick, databaseUrl, say }: BenchOptions): Promise<BenchResult> {
  const files = quick ? 1000 : 10_000;
  const rounds = quick ? 1 : 3;
  readManifest();
  await makeSmallSet(files, SEED);
  const materials: Material[] = [
    { label: `${files} small pictures (320 x 240)`, folders: smallSetFolders(files) },
    { label: 'pictures of 2 Mpx', folders: [path.join(SET_FOLDER, '2mpx')] },
  ];
  const folder = mkdtempSync(path.join(tmpdir(), 'hw-bench-'));
  const scratch = await Scratch.open(path.join(folder, 'scratch'));
  const hosts = availableParallelism();
  const fleet = await Fleet.start({
    hosts,
    threadsPerHost: 1,
    scratchRoot: scratch.folder,
    hiddenFolders: [],
    readableRoots: [SET_FOLDER, SMALL_FOLDER],
  });
  const measures: Measure[] = [];
  const rows: (string | number)[][] = [];
  const measure = async (database: string, db: Db) => {
    for (const { label, folders } of materials) {
      say(`${database}, ${label}`);
      const taken: Record<'with' | 'without', Taken[]> = { with: [], without: [] };
      await interleave(
        {
          with: async (round) => {
            await forget(db);
            taken.with.push(await scanOnce(fleet, scratch, folders, db, `${label} ${round}`));
          },
          without: async () => void taken.without.push(await scanOnce(fleet, scratch, folders, null, label)),
        },
        rounds,
      );
      const wall = median(taken.with.map((each) => each.wallSeconds));
      const bare = median(taken.without.map((each) => each.wallSeconds));
      const recording = median(taken.with.map((each) => each.recordingSeconds));
      const percent = (1 - bare / wall) * 100;
      const name = `${database}, ${label}: wall time that writing costs`;
      measures.push(
        label.startsWith(`${files} `) ? judged(name, percent, '%', '<', MOST_PERCENT) : figure(name, percent, '%'),
      );
      rows.push([database, label, significant(wall), significant(bare), significant(recording)]);
    }
  };
  try {
    const embedded = await openEmbedded({ dataFolder: path.join(folder, 'data') });
    await measure('embedded', embedded).finally(() => embedded.close());
    await withServerDatabase(databaseUrl, async (url) => {
      const server = await openServer({ url });
      await measure('server', server).finally(() => server.close());
    });
  } finally {
    await fleet.close();
    await scratch[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  }
  return {
    measures,
    tables: [
      {
        title:
          'Seconds of a first stage that records, of one that throws its rows away, and during which rows were being written',
        columns: ['database', 'material', 'recording', 'not recording', 'time with a write under way'],
        rows,
      },
    ],
    parameters: { files, rounds, hosts, threadsPerHost: 1 },
    notes: ['Small pictures are the hard case: they cost the hosts little and the database as much as any other.'],
  };
}

export const bench: Bench = { name: 'database-share', run };
