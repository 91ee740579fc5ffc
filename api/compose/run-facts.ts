import os from 'node:os';
import { ALGORITHMS } from '../../engine/match/policy.ts';
import type { Db } from '../../engine/store/db.ts';
import type { BatchRecord } from '../../engine/store/queries/batch.ts';
import type { Config } from '../../schemas/config.ts';
import { PIPELINE_VERSION, REPORT_SCHEMA_VERSION } from '../../schemas/constants.ts';
import type { ReportCustody } from '../../schemas/custody.ts';
import type { DecodeMode } from '../../schemas/fingerprint.ts';
import type { Report } from '../../schemas/report.ts';
import { ENGINE_VERSION } from '../version.ts';
import type { OpenFleet } from './open-fleet.ts';

/** What was asked for. */
interface Asked {
  readonly config: Config;
  readonly roots: readonly string[];
  readonly caseRef: string;
  readonly exhibitRef: string;
  readonly mode: DecodeMode;
}

/** What a report says of how it was made: versions, thresholds, operator, machine, limits, sandbox. */
export async function runFacts(
  db: Db,
  open: OpenFleet,
  scan: Asked,
  run: {
    readonly batch: BatchRecord;
    readonly finishedAt: string;
    readonly hashes: 'complete' | 'interrupted';
    readonly models: 'complete' | 'interrupted' | 'leftOut';
    readonly bitSearch: string;
    /** Null where the source was not gone through to its end. */
    readonly custody: ReportCustody | null;
  },
): Promise<Pick<Report, 'schemaVersion' | 'engine' | 'batch' | 'custody'>> {
  const { config } = scan;
  return {
    schemaVersion: REPORT_SCHEMA_VERSION,
    custody: run.custody,
    engine: {
      version: ENGINE_VERSION,
      pipelineVersion: PIPELINE_VERSION,
      runtime: `Node ${process.versions.node} (${process.platform} ${process.arch})`,
      decoders: [...(await open.fleet.decoders())],
      algorithms: ALGORITHMS.map(({ id, thresholdBits, minimumQuality }) => ({ id, thresholdBits, minimumQuality })),
      database: db.capabilities.description,
      bitSearch: run.bitSearch,
    },
    batch: {
      batchId: run.batch.batchId,
      caseRef: scan.caseRef,
      exhibitRef: scan.exhibitRef,
      organisation: config.organisation,
      operator: config.actor,
      machine: `${os.hostname()}, ${os.cpus()[0]?.model ?? 'unknown processor'}, ${os.availableParallelism()} cores, ${Math.round(os.totalmem() / 2 ** 30)} GiB, ${os.type()} ${os.release()}`,
      mode: scan.mode,
      roots: [...scan.roots],
      startedAt: run.batch.startedAt,
      finishedAt: run.finishedAt,
      complete: run.hashes === 'complete' && run.models !== 'interrupted',
      stages: [
        { stage: 'hashes', state: run.hashes },
        { stage: 'models', state: run.models },
      ],
      budgets: { file: config.fileBudget, archive: config.archiveBudget },
      sandbox: open.fleet.sandbox,
    },
  };
}
