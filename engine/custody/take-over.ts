import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat } from 'node:fs/promises';
import type { CustodyEvent } from '../../schemas/custody.ts';
import { placeOfFile } from '../ingest/place.ts';
import type { Db } from '../store/db.ts';
import { bytes, row, timestamp } from '../store/row-shape.ts';
import { addCustodyEvent } from './events.ts';
import { manifestDigest } from './manifest.ts';

export interface TakingOver {
  readonly organisation: string;
  readonly caseRef: string;
  readonly exhibitRef: string;
  readonly batchId: string;
  /** Absolute paths. */
  readonly roots: readonly Buffer[];
  /** When the scan began, by the database's clock; see databaseTime. */
  readonly since: string;
  /** Who took it over, and on which machine. */
  readonly to: string;
  readonly place: string;
  readonly toolVersion: string;
  /** Where the digest is known already, as of uploads; null: it is of what lies under the roots. */
  readonly source: SourceDigest | null;
}

export interface SourceDigest {
  readonly digestOf: 'file' | 'manifest';
  readonly sha256: Buffer | null;
}

/** The database's clock, ISO 8601: what is seen from now on is seen later than this. */
export async function databaseTime(db: Db): Promise<string> {
  const [found] = await db.read(row({ now: timestamp }), `select date_trunc('milliseconds', now()) as now`);
  if (found === undefined) throw new Error('the database told no time');
  return found.now;
}

/**
 * Records that a scan has taken over its source, with the digest of what it found: of the one file that the source is (a disk image, an
 * archive, a picture), or of the manifest of all that lay under the roots. Beside it stands what was recorded of the exhibit before.
 */
export async function recordTakingOver(db: Db, taken: TakingOver): Promise<CustodyEvent> {
  const { organisation, caseRef, exhibitRef, batchId, to, place, toolVersion, roots, since } = taken;
  const digest = taken.source ?? (await sourceDigest(db, batchId, roots, since));
  return await addCustodyEvent(db, {
    organisation,
    caseRef,
    exhibitRef,
    batchId,
    from: null,
    to,
    place,
    at: new Date().toISOString(),
    reason:
      digest.sha256 === null ? 'taken over by a scan; the source could not be read to its end' : 'taken over by a scan',
    digestOf: digest.digestOf,
    sha256After: digest.sha256?.toString('hex') ?? null,
    tool: 'homeward',
    toolVersion,
    recordedBy: to,
    sourceKey: sourceKeyOf(roots),
  });
}

/** 32 bytes that are the same for the same roots, in whatever order they were given. */
function sourceKeyOf(roots: readonly Buffer[]): Buffer {
  const hash = createHash('sha256');
  for (const root of roots.map((one) => one.toString('hex')).sort()) hash.update(`${root}\n`);
  return hash.digest();
}

async function sourceDigest(db: Db, batchId: string, roots: readonly Buffer[], since: string): Promise<SourceDigest> {
  const [only] = roots;
  const isFile =
    only !== undefined &&
    roots.length === 1 &&
    (await lstat(only).then(
      (stats) => stats.isFile(),
      () => false,
    ));
  if (!isFile) return { digestOf: 'manifest', sha256: (await manifestDigest(db, batchId, since)).sha256 };
  // The scan has read it already, unless it was too large for it.
  const [seen] = await db.read(
    row({ sha256: bytes }),
    `select m.sha256 from item i join media m using (media_id)
      where i.batch_id = $1 and i.path_key = $2 and i.seen_at >= $3 order by i.seen_at desc, i.item_id desc limit 1`,
    [batchId, placeOfFile(only).pathKey, since],
  );
  return { digestOf: 'file', sha256: seen?.sha256 ?? (await digestOfFile(only)) };
}

/** Null where it cannot be read to its end. */
async function digestOfFile(file: Buffer): Promise<Buffer | null> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) hash.update(chunk);
    return hash.digest();
  } catch {
    return null;
  }
}
