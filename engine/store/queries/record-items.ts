import { PIPELINE_VERSION } from '../../../schemas/constants.ts';
import type { DecodeMode, Examination } from '../../../schemas/fingerprint.ts';
import { jsonParam, storableText, type Transaction } from '../db.ts';
import { bytes, integer, row, text } from '../row-shape.ts';
import type { RemadeFingerprint } from './record-matches.ts';

/** One item ready to be recorded. */
export interface NewItem {
  readonly pathKey: Uint8Array;
  readonly path: Uint8Array;
  readonly containerPathKey: Uint8Array | null;
  /** ISO 8601. */
  readonly modifiedAt: string | null;
  readonly examination: Examination;
}

export interface NewFingerprints {
  readonly mode: DecodeMode;
  /** Change of what is known up to which their hashes were compared; see known_change. */
  readonly searchedChangeId: number;
}

export interface RecordedGroup {
  /** The content of each item, by position; null where the file could not be read to its end. */
  readonly mediaIds: readonly (number | null)[];
  readonly newItems: number;
  readonly newMedia: number;
  /** Fingerprints that were to be made anew, and were. */
  readonly remade: readonly RemadeFingerprint[];
}

/**
 * Records a group of items with their contents and fingerprints, in the caller's transaction and without adding anything that is there.
 * A fingerprint of an earlier failure gives way to one that succeeded, and so does an item.
 */
export async function recordItems(
  tx: Transaction,
  batchId: string,
  fingerprints: NewFingerprints,
  items: readonly NewItem[],
): Promise<RecordedGroup> {
  const byDigest = new Map<string, Examination>();
  for (const { examination } of items) {
    if (examination.digests !== null && !byDigest.has(examination.digests.sha256))
      byDigest.set(examination.digests.sha256, examination);
  }
  // In one order for everybody: two scans on one server that write the same contents would otherwise wait for each other in a circle.
  const contents = [...byDigest.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
  const newMedia = await insertMedia(tx, contents);
  const mediaIds = await mediaIdsOf(tx, [...byDigest.keys()]);
  const remade = await takeRemade(tx, fingerprints.mode, contents, mediaIds);
  await insertFingerprints(tx, fingerprints, contents, mediaIds);
  await dropFailures(tx, batchId, items);
  const ids = items.map(({ examination }) =>
    examination.digests === null ? null : (mediaIds.get(examination.digests.sha256) ?? null),
  );
  const newItems = await insertItems(tx, batchId, items, ids);
  if (newItems < items.length) await seeAgain(tx, batchId, items, ids);
  if (remade.length > 0) await updateItems(tx, batchId, items, ids, remade);
  return { mediaIds: ids, newItems, newMedia, remade };
}

/** What was there already is there still. */
async function seeAgain(
  tx: Transaction,
  batchId: string,
  items: readonly NewItem[],
  mediaIds: readonly (number | null)[],
): Promise<void> {
  await tx.execute(
    `update item i set seen_at = now()
       from unnest($2::bytea[], $3::bigint[]) as n(path_key, media_id)
      where i.batch_id = $1 and i.path_key = n.path_key and coalesce(i.media_id, 0) = coalesce(n.media_id, 0) and i.seen_at < now()`,
    [batchId, items.map((item) => item.pathKey), mediaIds],
  );
}

/** Takes out fingerprints that were marked to be made anew, where that succeeded. */
async function takeRemade(
  tx: Transaction,
  mode: DecodeMode,
  contents: readonly (readonly [string, Examination])[],
  mediaIds: ReadonlyMap<string, number>,
): Promise<RemadeFingerprint[]> {
  const made = contents.flatMap(([sha256, { outcome }]) => (outcome === 'failed' ? [] : [mediaIds.get(sha256) ?? 0]));
  return await tx.read(
    row({ mediaId: integer, pipelineVersion: text }),
    'delete from fingerprint where remake and mode = $1 and media_id = any($2::bigint[]) returning media_id, pipeline_version',
    [mode, made],
  );
}

/** What was said of an item when its fingerprint was made is said anew. */
async function updateItems(
  tx: Transaction,
  batchId: string,
  items: readonly NewItem[],
  mediaIds: readonly (number | null)[],
  remade: readonly RemadeFingerprint[],
): Promise<void> {
  const of = new Set(remade.map((one) => one.mediaId));
  const changed = items.filter((_, at) => of.has(mediaIds[at] ?? 0));
  await tx.execute(
    `update item i set type = n.type, outcome = n.outcome, reason = n.reason, reason_detail = n.reason_detail
       from unnest($2::bytea[], $3::text[], $4::text[], $5::text[], $6::text[]) as n(path_key, type, outcome, reason, reason_detail)
      where i.batch_id = $1 and i.path_key = n.path_key and i.media_id = any($7::bigint[])`,
    [
      batchId,
      changed.map((item) => item.pathKey),
      changed.map((item) => storableText(item.examination.type)),
      changed.map((item) => item.examination.outcome),
      changed.map((item) => item.examination.reason?.code ?? null),
      changed.map((item) => (item.examination.reason === null ? null : storableText(item.examination.reason.detail))),
      [...of],
    ],
  );
}

async function insertMedia(tx: Transaction, contents: readonly (readonly [string, Examination])[]): Promise<number> {
  const digest = (of: (digests: NonNullable<Examination['digests']>) => string): Buffer[] =>
    contents.flatMap(([, { digests }]) => (digests === null ? [] : [Buffer.from(of(digests), 'hex')]));
  return await tx.execute(
    `insert into media (sha256, sha1, md5, size_bytes, type)
     select * from unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bigint[], $5::text[])
     on conflict (sha256) do nothing`,
    [
      digest((digests) => digests.sha256),
      digest((digests) => digests.sha1),
      digest((digests) => digests.md5),
      contents.map(([, { sizeBytes }]) => sizeBytes ?? 0),
      contents.map(([, { type }]) => storableText(type)),
    ],
  );
}

async function mediaIdsOf(tx: Transaction, sha256s: readonly string[]): Promise<Map<string, number>> {
  const found = await tx.read(
    row({ mediaId: integer, sha256: bytes }),
    'select media_id, sha256 from media where sha256 = any($1::bytea[])',
    [sha256s.map((hex) => Buffer.from(hex, 'hex'))],
  );
  return new Map(found.map((one) => [one.sha256.toString('hex'), one.mediaId]));
}

async function insertFingerprints(
  tx: Transaction,
  { mode, searchedChangeId }: NewFingerprints,
  contents: readonly (readonly [string, Examination])[],
  mediaIds: ReadonlyMap<string, number>,
): Promise<void> {
  const column = <T>(of: (examination: Examination) => T): T[] => contents.map(([, examination]) => of(examination));
  const dihedral = (flavour: string) => (examination: Examination) => {
    const pdq = examination.picture?.pdq.find((one) => one.flavour === flavour);
    return pdq === undefined ? null : Buffer.from(pdq.dihedral.join(''), 'hex');
  };
  const quality = (flavour: string) => (examination: Examination) =>
    examination.picture?.pdq.find((one) => one.flavour === flavour)?.quality ?? null;
  await tx.execute(
    `insert into fingerprint (media_id, pipeline_version, mode, outcome, reason, reason_detail, width_pixels, height_pixels, decoder,
            reduction_factor, frames, trailing_bytes, pdq_512_dihedral, pdq_512_quality, pdq_full_dihedral, pdq_full_quality,
            blockhash, blockhash_variant, capture, searched_change_id)
     select media_id, $1, $2, outcome, reason, reason_detail, width_pixels, height_pixels, decoder, reduction_factor, frames, trailing_bytes,
            pdq_512, pdq_512_quality, pdq_full, pdq_full_quality, ('x' || blockhash)::bit(256), blockhash_variant, capture::jsonb, $20
       from unnest($3::bigint[], $4::text[], $5::text[], $6::text[], $7::int[], $8::int[], $9::text[], $10::smallint[], $11::int[], $12::bigint[],
                   $13::bytea[], $14::smallint[], $15::bytea[], $16::smallint[], $17::text[], $18::text[], $19::text[])
         as f(media_id, outcome, reason, reason_detail, width_pixels, height_pixels, decoder, reduction_factor, frames, trailing_bytes,
              pdq_512, pdq_512_quality, pdq_full, pdq_full_quality, blockhash, blockhash_variant, capture)
     on conflict (media_id, pipeline_version, mode) do update
        set outcome = excluded.outcome, reason = excluded.reason, reason_detail = excluded.reason_detail,
            width_pixels = excluded.width_pixels, height_pixels = excluded.height_pixels, decoder = excluded.decoder,
            reduction_factor = excluded.reduction_factor, frames = excluded.frames, trailing_bytes = excluded.trailing_bytes,
            pdq_512_dihedral = excluded.pdq_512_dihedral, pdq_512_quality = excluded.pdq_512_quality,
            pdq_full_dihedral = excluded.pdq_full_dihedral, pdq_full_quality = excluded.pdq_full_quality,
            blockhash = excluded.blockhash, blockhash_variant = excluded.blockhash_variant, capture = excluded.capture,
            searched_change_id = excluded.searched_change_id
      where fingerprint.outcome = 'failed' and excluded.outcome <> 'failed'`,
    [
      PIPELINE_VERSION,
      mode,
      contents.map(([sha256]) => mediaIds.get(sha256) ?? null),
      column((one) => one.outcome),
      column((one) => one.reason?.code ?? null),
      column((one) => (one.reason === null ? null : storableText(one.reason.detail))),
      column((one) => one.picture?.widthPixels ?? null),
      column((one) => one.picture?.heightPixels ?? null),
      column((one) => one.picture?.decoder ?? null),
      column((one) => one.picture?.reductionFactor ?? null),
      column((one) => one.picture?.frames ?? null),
      column((one) => one.trailingBytes),
      column(dihedral('pdq-512')),
      column(quality('pdq-512')),
      column(dihedral('pdq-full')),
      column(quality('pdq-full')),
      column((one) => one.picture?.blockhash?.hex ?? null),
      column((one) => one.picture?.blockhash?.variant ?? null),
      column((one) => (one.capture === null ? null : jsonParam(one.capture))),
      searchedChangeId,
    ],
  );
}

/** A file that failed before (its host died, perhaps with us) and did not now has one item, not two. */
async function dropFailures(tx: Transaction, batchId: string, items: readonly NewItem[]): Promise<void> {
  const better = items.filter(({ examination }) => examination.outcome !== 'failed').map(({ pathKey }) => pathKey);
  await tx.execute(`delete from item where batch_id = $1 and path_key = any($2::bytea[]) and outcome = 'failed'`, [
    batchId,
    better,
  ]);
}

async function insertItems(
  tx: Transaction,
  batchId: string,
  items: readonly NewItem[],
  mediaIds: readonly (number | null)[],
): Promise<number> {
  return await tx.execute(
    `insert into item (batch_id, path_key, path, container_path_key, media_id, size_bytes, modified_at, type, outcome, reason, reason_detail)
     select $1, * from unnest($2::bytea[], $3::bytea[], $4::bytea[], $5::bigint[], $6::bigint[], $7::timestamptz[], $8::text[], $9::text[],
                              $10::text[], $11::text[])
     on conflict do nothing`,
    [
      batchId,
      items.map((item) => item.pathKey),
      items.map((item) => item.path),
      items.map((item) => item.containerPathKey),
      mediaIds,
      items.map((item) => item.examination.sizeBytes),
      items.map((item) => item.modifiedAt),
      items.map((item) => storableText(item.examination.type)),
      items.map((item) => item.examination.outcome),
      items.map((item) => item.examination.reason?.code ?? null),
      items.map((item) => (item.examination.reason === null ? null : storableText(item.examination.reason.detail))),
    ],
  );
}
