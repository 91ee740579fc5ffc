import type { DecodeMode } from '../../../schemas/fingerprint.ts';
import type { Db, SqlParam } from '../db.ts';
import { bytes, integer, row, text } from '../row-shape.ts';
import { knownGoodSql } from './known-good.ts';

/** Which media of a batch the models of one profile still have to look at. */
export interface PendingQuery {
  readonly batchId: string;
  readonly mode: DecodeMode;
  readonly pipelineVersion: string;
  /** 32 bytes; see embedding_run. */
  readonly profile: Uint8Array;
  /** True: what is known by digest, and what is known-good and matches nothing known, is left out, as the policy says. */
  readonly skipKnown: boolean;
  /**
   * Null: all of them. Else those alone that models have looked at before, whatever their profile: `any`; with a search for faces (`faces`);
   * without one (`noFaces`). Who looks again looks for faces only where that was done before.
   */
  readonly lookedAt: 'any' | 'faces' | 'noFaces' | null;
}

/** A run that failed is done again: it may have died with the process that was interrupted. */
const PENDING = `
  from item i
  join media m on m.media_id = i.media_id
  join fingerprint f on f.media_id = m.media_id and f.pipeline_version = $2 and f.mode = $3
 where i.batch_id = $1 and f.width_pixels is not null and f.outcome in ('done', 'partial')
   and not exists (select from embedding_run r where r.media_id = m.media_id and r.profile = $4 and r.outcome <> 'failed')
   and (not $5::boolean or not exists (
         select from match t join hash_set s on s.set_id = t.set_id and s.state = 'active'
          where t.media_id = m.media_id and t.withdrawn_at is null and t.method in ('md5', 'sha1', 'sha256'))
        and (not ${knownGoodSql('m.media_id')} or exists (
          select from match t join hash_set s on s.set_id = t.set_id and s.state = 'active'
           where t.media_id = m.media_id and t.withdrawn_at is null)))
   and ($6::text is null or exists (select from embedding_run r where r.media_id = m.media_id)
        and ($6::text = 'any' or ($6::text = 'faces') = exists (
              select from embedding_run r where r.media_id = m.media_id and r.faces_found is not null)))`;

const paramsOf = (query: PendingQuery): SqlParam[] => [
  query.batchId,
  query.pipelineVersion,
  query.mode,
  query.profile,
  query.skipKnown,
  query.lookedAt,
];

const FOUND = row({ pathKey: bytes, mediaId: integer, sha256: text });

type Found = ReadonlyMap<string, { readonly mediaId: number; readonly sha256: string }>;

async function find(db: Db, query: PendingQuery, condition: string, value: SqlParam): Promise<Found> {
  const found = await db.read(
    FOUND,
    `select i.path_key, m.media_id, encode(m.sha256, 'hex') as sha256 ${PENDING} and ${condition}`,
    [...paramsOf(query), value],
  );
  return new Map(found.map(({ pathKey, mediaId, sha256 }) => [pathKey.toString('hex'), { mediaId, sha256 }]));
}

/** By path key in hexadecimal. */
export async function pendingAt(db: Db, query: PendingQuery, pathKeys: readonly Uint8Array[]): Promise<Found> {
  return await find(db, query, 'i.path_key = any($7::bytea[])', pathKeys);
}

/** The entries of one archive; not those of archives in it. */
export async function pendingInArchive(db: Db, query: PendingQuery, containerPathKey: Uint8Array): Promise<Found> {
  return await find(db, query, 'i.container_path_key = $7', containerPathKey);
}

/** Path keys, in hexadecimal, of the archives that hold a pending media at any depth. */
export async function pendingArchives(db: Db, query: PendingQuery): Promise<ReadonlySet<string>> {
  const found = await db.read(
    row({ pathKey: text }),
    `with recursive holding as (
       select distinct i.container_path_key as path_key ${PENDING} and i.container_path_key is not null
       union
       select o.container_path_key from holding h join item o on o.batch_id = $1 and o.path_key = h.path_key
        where o.container_path_key is not null
     )
     select encode(path_key, 'hex') as path_key from holding`,
    paramsOf(query),
  );
  return new Set(found.map(({ pathKey }) => pathKey));
}

/** How many contents are to be looked at. */
export async function countPending(db: Db, query: PendingQuery): Promise<number> {
  const [counted] = await db.read(
    row({ media: integer }),
    `select count(distinct m.media_id) as media ${PENDING}`,
    paramsOf(query),
  );
  return counted?.media ?? 0;
}

/** Contents of the batch that these models looked at before: they may be matched anew without being read. */
export async function mediaLookedAt(db: Db, query: PendingQuery): Promise<number[]> {
  const found = await db.read(
    row({ mediaId: integer }),
    `select r.media_id from embedding_run r
      where r.profile = $2 and r.outcome in ('done', 'partial')
        and exists (select from item i where i.batch_id = $1 and i.media_id = r.media_id)
      order by r.media_id`,
    [query.batchId, query.profile],
  );
  return found.map(({ mediaId }) => mediaId);
}
