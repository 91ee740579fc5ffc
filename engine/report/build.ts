import { SET_PURPOSES } from '../../schemas/constants.ts';
import type { DecodeMode } from '../../schemas/fingerprint.ts';
import { MODEL_METHODS } from '../../schemas/model-match.ts';
import type {
  Report,
  ReportCounts,
  ReportHead,
  ReportItem,
  ReportModels,
  ReportSearch,
  ReportSet,
} from '../../schemas/report.ts';
import type { Db } from '../store/db.ts';
import { pendingRematch } from '../store/queries/rematch-pass.ts';
import { bytes, integer, nullable, oneOf, row, text, timestamp } from '../store/row-shape.ts';
import { reportItems } from './items.ts';
import { type ModelRuns, modelCounts } from './model-items.ts';
import { hashesOfSets } from './set-hashes.ts';
import { Tally } from './tally.ts';

export interface ReportRequest {
  readonly batch: { readonly batchId: string; readonly pipelineVersion: string; readonly mode: DecodeMode };
  /** What is not in the database: versions, operator, machine, sandbox. */
  readonly facts: Pick<Report, 'schemaVersion' | 'engine' | 'batch' | 'custody'>;
  readonly added: ReportCounts['added'];
  /** Null where the models were left out. */
  readonly models:
    | (Pick<ReportModels, 'packs' | 'provider' | 'faceSearch' | 'left' | 'stepMs'> & {
        /** 32 bytes; see embedding_run. */
        readonly profile: Uint8Array;
      })
    | null;
}

/**
 * A batch's report. Items pass through once, for the file and for the counts alike; call `head` after they have.
 */
export class ReportBuilder {
  readonly #db: Db;
  readonly #request: ReportRequest;
  readonly #tally = new Tally();
  #known: Pick<ReportHead, 'sets' | 'search'> | null = null;

  constructor(db: Db, request: ReportRequest) {
    this.#db = db;
    this.#request = request;
  }

  async *items(): AsyncGenerator<ReportItem> {
    const { batch, models } = this.#request;
    const { awaitsRematch } = (await this.#saidWith()).search;
    for await (const { item } of reportItems(this.#db, {
      ...batch,
      awaitsChangeId: awaitsRematch?.lastChangeId ?? null,
      models: models === null ? null : runsOf(models),
    })) {
      this.#tally.add(item);
      yield item;
    }
  }

  async head(): Promise<ReportHead> {
    return {
      ...this.#request.facts,
      ...(await this.#saidWith()),
      counts: this.#tally.counts(await mediaOf(this.#db, this.#request.batch.batchId), this.#request.added),
      figures: this.#tally.figures(),
      models: await this.#models(),
      itemsFile: null,
    };
  }

  /** Asked once, before the items: a set that comes into force meanwhile was not compared with the first of them. */
  async #saidWith(): Promise<Pick<ReportHead, 'sets' | 'search'>> {
    this.#known ??= { search: await this.#search(), sets: await setsInForce(this.#db) };
    return this.#known;
  }

  async #search(): Promise<ReportSearch> {
    const { facts, models } = this.#request;
    const [latest] = await this.#db.read(
      row({ changeId: integer, at: timestamp }),
      'select change_id, at from known_change order by change_id desc limit 1',
    );
    const pending = await pendingRematch(this.#db);
    const stage = facts.batch.stages.find((one) => one.stage === 'models')?.state;
    const state =
      models === null || stage === 'leftOut' ? 'leftOut' : stage === 'complete' ? 'complete' : 'interrupted';
    return {
      changeId: latest?.changeId ?? 0,
      changedAt: latest?.at ?? null,
      awaitsRematch: pending,
      models: MODEL_METHODS.map((method) => ({
        method,
        // Faces are looked for only where the law allows it.
        state: method === 'face' && models !== null && models.faceSearch === null ? 'leftOut' : state,
      })),
    };
  }

  async #models(): Promise<ReportModels | null> {
    const { batch, models } = this.#request;
    if (models === null) return null;
    const { profile: _profile, ...said } = models;
    return { ...said, ...(await modelCounts(this.#db, batch.batchId, runsOf(models))) };
  }
}

function runsOf({ profile, packs }: NonNullable<ReportRequest['models']>): ModelRuns {
  const detectors = packs.filter(({ kind }) => kind === 'faceDetector');
  return { profile, faceDetectors: detectors.map(({ id, version }) => `${id}@${version}`) };
}

const SET = row({
  setId: integer,
  sourceVersion: nullable(text),
  updatedAt: nullable(timestamp),
  source: text,
  name: text,
  version: integer,
  contentSha256: bytes,
  format: text,
  formatVersion: nullable(text),
  recordCount: integer,
  importedAt: timestamp,
  purpose: oneOf(SET_PURPOSES),
});

/** Every set of known material that a search made now would look into. */
export async function setsInForce(db: Db): Promise<ReportSet[]> {
  const rows = await db.read(
    SET,
    `select set_id, source, name, version, content_sha256, format, format_version, record_count, imported_at, source_version, updated_at, purpose
       from hash_set where state = 'active' order by source, name, version`,
  );
  const hashes = await hashesOfSets(
    db,
    rows.map((set) => set.setId),
  );
  return rows.map((set) => ({
    source: set.source,
    name: set.name,
    version: set.version,
    sha256: set.contentSha256.toString('hex'),
    format: set.formatVersion === null ? set.format : `${set.format} ${set.formatVersion}`,
    records: set.recordCount,
    importedAt: set.importedAt,
    purpose: set.purpose,
    sourceVersion: set.sourceVersion,
    updatedAt: set.updatedAt,
    hashes: hashes.get(set.setId) ?? [],
  }));
}

async function mediaOf(db: Db, batchId: string): Promise<number> {
  const [counted] = await db.read(
    row({ media: integer }),
    'select count(distinct media_id) as media from item where batch_id = $1',
    [batchId],
  );
  return counted?.media ?? 0;
}
