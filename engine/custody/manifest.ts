import { createHash } from 'node:crypto';
import type { Queryable } from '../store/db.ts';
import { bytes, integer, nullable, row } from '../store/row-shape.ts';

const PAGE = 5_000;
const LINE = row({ pathKey: bytes, sizeBytes: nullable(integer), sha256: nullable(bytes) });

/** One entry of a source as the manifest has it. */
export interface ManifestEntry {
  /** SHA-256 of the raw path bytes. */
  readonly pathKey: Uint8Array;
  /** Null where it has none, such as a link. */
  readonly sizeBytes: number | null;
  /** Null where it could not be read to its end. */
  readonly sha256: Uint8Array | null;
}

/** `SHA-256 of the path, size, SHA-256 of the content`, in lower-case hexadecimal and decimal, `-` for what there is not, and a line feed. */
export function manifestLine({ pathKey, sizeBytes, sha256 }: ManifestEntry): string {
  const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex');
  return `${hex(pathKey)} ${sizeBytes ?? '-'} ${sha256 === null ? '-' : hex(sha256)}\n`;
}

/**
 * The digest of a batch's source as one scan found it: SHA-256 over a line for each file and each other entry under the roots (what is
 * in archives is covered by the archive), in ascending order of the path's digest. Whoever has the files can compute it without this
 * engine: docs/custody.md. Read page by page.
 * @param since ISO 8601, the database's clock, when the scan began: what was seen only before that is not there any more
 */
export async function manifestDigest(
  db: Queryable,
  batchId: string,
  since: string,
): Promise<{ sha256: Buffer; entries: number }> {
  const hash = createHash('sha256');
  let entries = 0;
  for (let after: Buffer = Buffer.alloc(0); ; ) {
    const page = await db.read(
      LINE,
      // A file that changed in place has an item for each content: the one seen last.
      `select distinct on (i.path_key) i.path_key, i.size_bytes, m.sha256
         from item i left join media m using (media_id)
        where i.batch_id = $1 and i.container_path_key is null and i.seen_at >= $2 and i.path_key > $3
        order by i.path_key, i.seen_at desc, i.item_id desc limit ${PAGE}`,
      [batchId, since, after],
    );
    for (const entry of page) hash.update(manifestLine(entry));
    entries += page.length;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return { sha256: hash.digest(), entries };
    after = last.pathKey;
  }
}
