import type { DecodeMode } from '../../schemas/fingerprint.ts';
import type { Report, ReportCounts, ReportHead, ReportItem, ReportModels, ReportSet } from '../../schemas/report.ts';
import type { Db } from '../store/db.ts';
import { bytes, integer, nullable, oneOf, row, text, timestamp } from '../store/row-shape.ts';
import { reportItems } from './items.ts';
import { type ModelRuns, modelCounts } from './model-items.ts';
import { Tally } from './tally.ts';

export interface ReportRequest {
  readonly batch: { readonly batchId: string; readonly pipelineVersion: string; readonly mode: DecodeMode };
  /** What is not in the database: versions, operator, machine, sandbox. */
  readonly facts: Pick<Report, 'schemaVersion' | 'engine' | 'batch'>;
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

  constructor(db: Db, request: ReportRequest) {
    this.#db = db;
    this.#request = request;
  }

  async *items(): AsyncGenerator<ReportItem> {
    const { batch, models } = this.#request;
    for await (const { item } of reportItems(this.#db, { ...batch, models: models === null ? null : runsOf(models) })) {
      this.#tally.add(item);
      yield item;
    }
  }

  async head(): Promise<ReportHead> {
    return {
      ...this.#request.facts,
      sets: await setsInForce(this.#db),
      counts: this.#tally.counts(await mediaOf(this.#db, this.#request.batch.batchId), this.#request.added),
      figures: this.#tally.figures(),
      models: await this.#models(),
      itemsFile: null,
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
  source: text,
  name: text,
  version: integer,
  contentSha256: bytes,
  format: text,
  formatVersion: nullable(text),
  recordCount: integer,
  importedAt: timestamp,
  purpose: oneOf(['known', 'good', 'negative'] as const),
});

/** Every set that a search made now would look into. */
export async function setsInForce(db: Db): Promise<ReportSet[]> {
  const rows = await db.read(
    SET,
    `select source, name, version, content_sha256, format, format_version, record_count, imported_at, purpose
       from hash_set where state = 'active' order by source, name, version`,
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
