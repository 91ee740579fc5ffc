import { randomUUID } from 'node:crypto';
import { Type } from 'typebox';
import { DECODE_MODES, OUTCOMES } from '../../../schemas/constants.ts';
import type { DecodeMode } from '../../../schemas/fingerprint.ts';
import type { Outcome } from '../../../schemas/outcome.ts';
import { type Db, jsonParam, storableText } from '../db.ts';
import { bool, bytes, integer, json, nullable, oneOf, row, text, timestamp } from '../row-shape.ts';

export const STAGE_STATES = ['pending', 'interrupted', 'complete'] as const;
export type StageState = (typeof STAGE_STATES)[number];
export type Stage = 'hashes' | 'models';

export interface NewBatch {
  /** 32 bytes that are the same whenever the same thing is scanned again. */
  readonly identity: Uint8Array;
  readonly caseRef: string;
  readonly exhibitRef: string;
  readonly organisation: string;
  readonly actor: string;
  readonly mode: DecodeMode;
  /** As a person reads them. */
  readonly roots: readonly string[];
  readonly pipelineVersion: string;
  /** ISO 8601. */
  readonly startedAt: string;
}

export interface BatchRecord {
  readonly batchId: string;
  readonly mode: DecodeMode;
  readonly pipelineVersion: string;
  readonly hashesStage: StageState;
  readonly modelsStage: StageState;
  readonly startedAt: string;
  readonly finishedAt: string | null;
}

const BATCH_FIELDS = {
  batchId: text,
  mode: oneOf(DECODE_MODES),
  pipelineVersion: text,
  hashesStage: oneOf(STAGE_STATES),
  modelsStage: oneOf(STAGE_STATES),
  startedAt: timestamp,
  finishedAt: nullable(timestamp),
};
const BATCH = row(BATCH_FIELDS);
const BATCH_COLUMNS = 'batch_id, mode, pipeline_version, hashes_stage, models_stage, started_at, finished_at';

/** The batch of this identity, made now unless an earlier scan made it; that one keeps its first case data and start. */
export async function openBatch(db: Db, batch: NewBatch): Promise<BatchRecord & { readonly existed: boolean }> {
  return await db.transaction(async (tx) => {
    // An earlier scan by an older pipeline goes on with this one: its fingerprints are kept under their own version.
    const [opened] = await tx.read(
      row({ inserted: bool }),
      `insert into batch (batch_id, identity, case_ref, exhibit_ref, organisation, actor, mode, roots, pipeline_version, started_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
       on conflict (identity) do update set pipeline_version = excluded.pipeline_version
       returning (xmax = 0) as inserted`,
      [
        randomUUID(),
        batch.identity,
        storableText(batch.caseRef),
        storableText(batch.exhibitRef),
        storableText(batch.organisation),
        storableText(batch.actor),
        batch.mode,
        jsonParam(batch.roots),
        batch.pipelineVersion,
        batch.startedAt,
      ],
    );
    const [found] = await tx.read(BATCH, `select ${BATCH_COLUMNS} from batch where identity = $1`, [batch.identity]);
    if (found === undefined || opened === undefined) throw new Error('a batch just written is not there');
    return { ...found, existed: !opened.inserted };
  });
}

export async function findBatch(db: Db, identity: Uint8Array): Promise<BatchRecord | null> {
  const [found] = await db.read(BATCH, `select ${BATCH_COLUMNS} from batch where identity = $1`, [identity]);
  return found ?? null;
}

/** Batches that models have looked at, oldest first, with where their material lay. */
export async function batchesLookedAt(db: Db): Promise<(BatchRecord & { readonly roots: readonly string[] })[]> {
  return await db.read(
    row({ ...BATCH_FIELDS, roots: json(Type.Array(Type.String())) }),
    `select ${BATCH_COLUMNS}, roots from batch b
      where exists (select from item i join embedding_run r on r.media_id = i.media_id where i.batch_id = b.batch_id)
      order by started_at, batch_id`,
  );
}

/** `finishedAt` (ISO 8601) is set with the last run's end, whole or not. */
export async function setStage(
  db: Db,
  batchId: string,
  stage: Stage,
  state: StageState,
  finishedAt: string | null = null,
): Promise<void> {
  const column = stage === 'hashes' ? 'hashes_stage' : 'models_stage';
  await db.execute(
    `update batch set ${column} = $2, finished_at = coalesce($3::timestamptz, finished_at) where batch_id = $1`,
    [batchId, state, finishedAt],
  );
}

export async function finishHashesStage(
  db: Db,
  batchId: string,
  state: 'interrupted' | 'complete',
  finishedAt: string,
): Promise<void> {
  await setStage(db, batchId, 'hashes', state, finishedAt);
}

export interface RecordedPlace {
  readonly outcome: Outcome;
  readonly sizeBytes: number | null;
  readonly modifiedAt: string | null;
  /** Whether its fingerprint is to be made anew. */
  readonly remake: boolean;
}

const PLACE = row({
  pathKey: bytes,
  outcome: oneOf(OUTCOMES),
  sizeBytes: nullable(integer),
  modifiedAt: nullable(timestamp),
  remake: bool,
});

/**
 * What is recorded of these places, by path key in hexadecimal; the item seen last where a place has several. For resuming:
 * asked in groups of some hundred, so that memory does not grow with the batch.
 */
export async function recordedPlaces(
  db: Db,
  batchId: string,
  pathKeys: readonly Uint8Array[],
): Promise<Map<string, RecordedPlace>> {
  const found = await db.read(
    PLACE,
    `select path_key, outcome, size_bytes, modified_at,
            exists (select from fingerprint f where f.media_id = item.media_id and f.remake) as remake
       from item
      where batch_id = $1 and path_key = any($2::bytea[])
      order by seen_at, item_id`,
    [batchId, pathKeys],
  );
  return new Map(found.map((place) => [place.pathKey.toString('hex'), place]));
}

/** The items that recordedPlaces told of were found there again, and are not read anew. */
export async function seePlacesAgain(db: Db, batchId: string, pathKeys: readonly Uint8Array[]): Promise<void> {
  if (pathKeys.length === 0) return;
  await db.execute(
    `update item set seen_at = now()
      where item_id in (select distinct on (path_key) item_id from item
                         where batch_id = $1 and path_key = any($2::bytea[]) order by path_key, seen_at desc, item_id desc)`,
    [batchId, pathKeys],
  );
}

/** Path keys, in hexadecimal, of the archives of a batch that hold, at any depth, a content whose fingerprint is to be made anew. */
export async function archivesToRemake(db: Db, batchId: string): Promise<ReadonlySet<string>> {
  const found = await db.read(
    row({ pathKey: text }),
    `with recursive holding as (
       select distinct i.container_path_key as path_key
         from fingerprint f join item i on i.media_id = f.media_id
        where f.remake and i.batch_id = $1 and i.container_path_key is not null
       union
       select o.container_path_key from holding h join item o on o.batch_id = $1 and o.path_key = h.path_key
        where o.container_path_key is not null
     )
     select encode(path_key, 'hex') as path_key from holding`,
    [batchId],
  );
  return new Set(found.map(({ pathKey }) => pathKey));
}

const PAGE = 5_000;

/** The keys of every recorded place of a batch, page by page in the order of the keys. */
export async function* listRecordedPathKeys(db: Db, batchId: string): AsyncGenerator<Buffer> {
  let after: Buffer = Buffer.alloc(0);
  for (;;) {
    const page = await db.read(
      row({ pathKey: bytes }),
      `select distinct path_key from item where batch_id = $1 and path_key > $2 order by path_key limit ${PAGE}`,
      [batchId, after],
    );
    for (const { pathKey } of page) yield pathKey;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    after = last.pathKey;
  }
}
