import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { writeSet } from '../../engine/hashset/formats/writer.ts';
import { knownRecordOf } from '../../engine/hashset/make-set.ts';
import type { ItemRow } from '../../engine/ingest/row-writer.ts';
import { scanBatch } from '../../engine/ingest/scan.ts';
import type { Config } from '../../schemas/config.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { KnownRecord } from '../../schemas/known-record.ts';
import { type OpenFleet, openFleet } from './open-fleet.ts';

/** Rows between examining and writing; the writer is never far behind. */
const MOST_WAITING = 1_000;

export interface MadeSet {
  readonly records: number;
  /** Files that are no record because they could not be read. */
  readonly leftOut: number;
}

export interface SetToMake {
  readonly folder: string;
  readonly series: string;
  /** File to write. */
  readonly out: string;
  readonly signal: AbortSignal;
}

/** Fingerprints a unit's own pictures into a hash set file; nothing is recorded in the database. */
export async function makeHashSet(config: Config, request: SetToMake): Promise<MadeSet> {
  await using open = await openFleet(config, [request.folder]);
  return await makeHashSetWith(open, config, request);
}

/** The same with hosts that are running already. */
export async function makeHashSetWith(open: OpenFleet, config: Config, request: SetToMake): Promise<MadeSet> {
  const queue = new PassThrough({ objectMode: true, highWaterMark: MOST_WAITING });
  const made = { records: 0, leftOut: 0 };
  const record = async (rows: readonly ItemRow[]): Promise<void> => {
    for (const { examination } of rows) {
      const known = knownRecordOf(examination, request.series);
      if (known === null) made.leftOut += 1;
      else if (!queue.write(known)) await once(queue, 'drain');
      if (known !== null) made.records += 1;
    }
  };
  const scanning = scanBatch(
    { examiner: open.fleet, scratch: open.scratch, alreadyRecorded: async () => new Set<number>(), record },
    {
      roots: [Buffer.from(request.folder)],
      mode: 'exact',
      archiveBudget: config.archiveBudget,
      resume: false,
      signal: request.signal,
    },
    { examined: () => undefined, skipped: () => undefined },
  ).then(
    (whole) => {
      if (whole) queue.end();
      else
        queue.destroy(
          new HomewardError(
            'HW_USAGE',
            'expected to go through the whole folder, received a stop; nothing was written',
          ),
        );
    },
    (error: unknown) => queue.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  const partial = `${request.out}.partial`;
  try {
    const records: AsyncIterable<KnownRecord> = queue;
    await pipeline(writeSet('ndjson', records, 'unspecified'), createWriteStream(partial, { mode: 0o600 }));
    await scanning;
    await rename(partial, request.out);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  return made;
}
