import type { Queryable } from '../store/db.ts';
import { bool, integer, row, text } from '../store/row-shape.ts';
import { notFound } from './not-found.ts';

/** A batch by its number, or all batches of a case and exhibit as `CASE/EXHIBIT`. */
export type BatchName = { readonly batchId: string } | { readonly caseAndExhibit: string };

/**
 * Media by SHA-256 in hexadecimal.
 * @throws HomewardError HW_SERIES_PART_NOT_FOUND where one was never scanned
 */
export async function findMedia(db: Queryable, sha256: readonly string[]): Promise<number[]> {
  const asked = [...new Set(sha256)];
  const found = await db.read(
    row({ mediaId: integer, sha256: text }),
    `select media_id, encode(sha256, 'hex') as sha256 from media where sha256 = any($1::bytea[])`,
    [asked.map((hex) => Buffer.from(hex, 'hex'))],
  );
  const known = new Set(found.map((one) => one.sha256));
  const missing = asked.filter((hex) => !known.has(hex));
  if (missing.length > 0) throw notFound('SHA-256 of media that were scanned', missing, 'scan them first');
  return found.map((one) => one.mediaId);
}

/**
 * The pictures and videos of a batch and how many other contents it has.
 * @throws HomewardError HW_SERIES_PART_NOT_FOUND where there is no such batch
 */
export async function mediaOfBatches(
  db: Queryable,
  batch: BatchName,
): Promise<{ readonly mediaIds: readonly number[]; readonly leftOut: number }> {
  const [condition, name] =
    'batchId' in batch
      ? ['batch_id::text = lower($1)', batch.batchId]
      : [`case_ref || '/' || exhibit_ref = $1`, batch.caseAndExhibit];
  const batches = await db.read(row({ batchId: text }), `select batch_id from batch where ${condition}`, [name]);
  if (batches.length === 0)
    throw notFound("a batch's number or its CASE/EXHIBIT", [name], 'a scan with --case and --exhibit makes one');
  const found = await db.read(
    row({ mediaId: integer, isPicture: bool }),
    `select m.media_id, m.size_bytes > 0 and (m.type like 'image/%' or m.type like 'video/%') as is_picture
       from media m
      where m.media_id in (select i.media_id from item i where i.batch_id = any($1::uuid[]))`,
    [batches.map((one) => one.batchId)],
  );
  const mediaIds = found.filter((one) => one.isPicture).map((one) => one.mediaId);
  return { mediaIds, leftOut: found.length - mediaIds.length };
}
