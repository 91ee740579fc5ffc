import os from 'node:os';
import { withAudit } from '../../engine/audit/with-audit.ts';
import { INDEX_BUILD, LEAST_INDEXED } from '../../engine/search/vector-open.ts';
import { readServerSettings, storedAmounts } from '../../engine/store/queries/tune-facts.ts';
import { type Advice, adviseServer, SET_PER_QUERY, type TunedMachine } from '../../engine/store/tune.ts';
import type { Config } from '../../schemas/config.ts';
import { auditActOf } from './audit-act.ts';
import { withDatabase } from './open-database.ts';

export interface TuneAnswer {
  readonly database: string;
  /** Null on the embedded database, whose settings are the engine's own. */
  readonly machine: TunedMachine | null;
  readonly advice: readonly Advice[];
  /** What is nowhere in a file, and why. */
  readonly notInFile: readonly { readonly setting: string; readonly reason: string }[];
}

const EMBEDDED: TuneAnswer['notInFile'] = [
  {
    setting: 'shared_buffers, max_wal_size, wal_sync_method',
    reason: 'set by the engine, which starts the embedded database; there is no postgresql.conf to change',
  },
  {
    setting: 'max_connections, max_parallel_workers, max_parallel_maintenance_workers, max_worker_processes',
    reason: 'do not apply: it has one connection and no processes of its own, so that every statement runs on one core',
  },
  {
    setting: 'maintenance_work_mem, hnsw.ef_search',
    reason: 'set by the engine for each build and each search',
  },
  {
    setting: 'effective_cache_size, work_mem, random_page_cost, jit, checkpoint_timeout, wal_compression',
    reason:
      'as PostgreSQL comes; above some million hashes or a hundred thousand pictures use a server (docs/scale.md)',
  },
];

/** What to set on the configured server; nothing is changed. `given` stands for a machine other than this one. */
export async function tuneDatabase(
  config: Config,
  given: { readonly memoryGb?: number | undefined; readonly cores?: number | undefined },
): Promise<TuneAnswer> {
  return await withDatabase(
    config,
    async (db) =>
      await withAudit<TuneAnswer>(db, auditActOf(config, 'consultation', 'db tune'), async () => {
        const database = db.capabilities.description;
        if (config.databaseUrl === null)
          return { result: { database, machine: null, advice: [], notInFile: EMBEDDED } };
        const machine: TunedMachine = {
          memoryMb: Math.round(given.memoryGb === undefined ? os.totalmem() / 1024 ** 2 : given.memoryGb * 1024),
          cores: given.cores ?? os.availableParallelism(),
        };
        const stored = await storedAmounts(db, INDEX_BUILD, LEAST_INDEXED);
        const advice = adviseServer(machine, stored, await readServerSettings(db));
        return { result: { database, machine, advice, notInFile: SET_PER_QUERY } };
      }),
  );
}
