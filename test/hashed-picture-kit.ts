import { createHash } from 'node:crypto';
import { placeOfFile } from '../engine/ingest/place.ts';
import { Recorder } from '../engine/ingest/recorder.ts';
import type { ItemRow } from '../engine/ingest/row-writer.ts';
import type { BitSearch } from '../engine/search/bit-search.ts';
import { PgvectorScan } from '../engine/search/pgvector-scan.ts';
import type { Db } from '../engine/store/db.ts';
import { integer, nullable, row, text } from '../engine/store/row-shape.ts';
import { type Examination, ORIENTATIONS } from '../schemas/fingerprint.ts';
import { examinedPicture, openTestBatch } from './batch-kit.ts';

/** For tests of what is matched: pictures whose hashes are made of their names, recorded as a scan records them. */

export const digest = (name: string, algorithm = 'sha256') => createHash(algorithm).update(name).digest('hex');
export const hashOf = (name: string, turn = 0) => Buffer.from(digest(`${name} ${turn}`), 'hex');

/** A file with hashes of its own in each orientation. */
export function picture(name: string, quality = 90): ItemRow {
  const pdq = (flavour: 'pdq-512' | 'pdq-full') => ({
    flavour,
    hex: hashOf(name).toString('hex'),
    quality,
    dihedral: ORIENTATIONS.map((_, turn) => hashOf(name, turn).toString('hex')),
  });
  const examination: Examination = {
    ...examinedPicture({
      pdq: [pdq('pdq-512'), pdq('pdq-full')],
      blockhash: { variant: 'blockhash-256-r512', hex: digest(`${name} blocks`) },
    }),
    sizeBytes: name.length,
    digests: { md5: digest(name, 'md5'), sha1: digest(name, 'sha1'), sha256: digest(name) },
    trailingBytes: 0,
    capture: null,
  };
  return { ...placeOfFile(Buffer.from(name)), modifiedAt: null, examination };
}

/** Evidence in force of a picture, as text to compare. */
export async function evidenceOf(db: Db, name: string): Promise<string[]> {
  const found = await db.read(
    row({ method: text, algorithm: text, distanceBits: integer, orientation: nullable(text), recordId: integer }),
    `select t.method, t.algorithm, t.distance_bits, t.orientation, t.record_id
       from match t join media m on m.media_id = t.media_id
      where m.sha256 = $1 and t.withdrawn_at is null order by t.record_id, t.method`,
    [Buffer.from(digest(name), 'hex')],
  );
  return found.map(
    (one) => `${one.recordId} ${one.method} ${one.algorithm} ${one.distanceBits} ${one.orientation ?? '-'}`,
  );
}

/** Records files in a batch of their own, or in the one given, as a scan does; returns their batch. */
export async function record(
  db: Db,
  rows: readonly ItemRow[],
  { search = new PgvectorScan(db), batchId }: { readonly search?: BitSearch; readonly batchId?: string } = {},
): Promise<string> {
  const into = batchId ?? (await openTestBatch(db));
  await new Recorder(db, search, { batchId: into, mode: 'exact' }).record(rows);
  return into;
}
