import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { lastEndingOf } from '../../engine/store/adapters/pglite.ts';
import type { Config } from '../../schemas/config.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { SandboxState } from '../../schemas/report.ts';
import { withDatabase } from './open-database.ts';
import { openFleet } from './open-fleet.ts';

export interface Finding {
  readonly state: 'good' | 'warning' | 'bad';
  readonly what: string;
  readonly says: string;
  /** What to do about it; null when nothing is to be done. */
  readonly todo: string | null;
}

/** Below this an archive of ordinary size fills the scratch folder. */
const LEAST_FREE_BYTES = 5 * 2 ** 30;
/** Two hosts at their memory limit, the database and the engine. */
const LEAST_MEMORY_BYTES = 4 * 2 ** 30;

const good = (what: string, says: string): Finding => ({ state: 'good', what, says, todo: null });
const warning = (what: string, says: string, todo: string): Finding => ({ state: 'warning', what, says, todo });
const bad = (what: string, says: string, todo: string): Finding => ({ state: 'bad', what, says, todo });

/** Tries each part of the installation for real: hosts are started, the database is opened. */
export async function examineInstallation(config: Config): Promise<Finding[]> {
  return [
    good('runtime', `Node ${process.versions.node}, ${process.platform} ${process.arch}`),
    ...(await workers(config)),
    ...memory(config),
    await disk('scratch folder', config.scratchFolder),
    ...(await database(config)),
  ];
}

async function workers(config: Config): Promise<Finding[]> {
  try {
    await using open = await openFleet({ ...config, sandbox: 'preferred' }, []);
    const { fleet } = open;
    return [good('decoders', (await fleet.decoders()).join(', ')), ...sandboxFindings(fleet.sandbox, config)];
  } catch (error) {
    return [
      bad(
        'worker processes',
        message(error),
        'Run npm ci again on this machine; native parts are installed for one platform only.',
      ),
    ];
  }
}

function sandboxFindings(sandbox: SandboxState, config: Config): Finding[] {
  const todo =
    'Install util-linux (unshare) and allow user namespaces, or run as root on a machine of its own; every report says this too.';
  const lacking = config.sandbox === 'required' ? bad : warning;
  return [
    sandbox.network === 'none'
      ? good('sandbox: network', `hosts have none (${sandbox.namespace} namespace)`)
      : bad('sandbox: network', 'hosts share the network of this machine', todo),
    sandbox.dataFolder === 'visible'
      ? bad('sandbox: data folder', 'hosts can see it', todo)
      : good(
          'sandbox: data folder',
          sandbox.dataFolder === 'hidden' ? 'hidden from hosts' : 'reading is refused to hosts',
        ),
    sandbox.memoryLimit && sandbox.cpuLimit
      ? good('limits', 'memory and processor time of a file are watched')
      : lacking(
          'limits',
          'memory or processor time of a file cannot be watched here; only the clock is',
          'Use Linux for material you do not trust.',
        ),
    ...sandbox.warnings.map((says) => warning('sandbox', says, 'See docs/operations.md, Sandbox.')),
  ];
}

function memory(config: Config): Finding[] {
  const says = `${(os.totalmem() / 2 ** 30).toFixed(1)} GiB, ${os.availableParallelism()} cores; ${config.hosts} hosts of ${config.threadsPerHost} threads`;
  return [
    os.totalmem() < LEAST_MEMORY_BYTES
      ? warning('memory', says, 'Lower hosts and fileBudget.memoryBytes in the configuration.')
      : good('memory', says),
  ];
}

async function disk(what: string, folder: string): Promise<Finding> {
  let existing = folder;
  while (!existsSync(existing)) existing = path.dirname(existing);
  const { bavail, bsize } = await statfs(existing);
  const says = `${folder}, ${((bavail * bsize) / 2 ** 30).toFixed(1)} GiB free`;
  return bavail * bsize < LEAST_FREE_BYTES
    ? warning(what, says, 'Free some space or name another folder.')
    : good(what, says);
}

async function database(config: Config): Promise<Finding[]> {
  const embedded = config.databaseUrl === null;
  const findings: Finding[] = embedded ? [await disk('data folder', config.dataFolder)] : [];
  const ending = embedded ? lastEndingOf(config.dataFolder) : null;
  if (ending === 'machineWentDown') {
    findings.push(
      warning(
        'data folder',
        'the machine went down while it was open',
        'The pages were checked on opening; compare with your backup.',
      ),
    );
  }
  if (embedded && ending === null)
    return [...findings, good('database', 'none in the data folder yet; the first scan makes one')];
  try {
    const { description, durable } = await withDatabase(config, async (db) => db.capabilities);
    findings.push(good('database', description));
    if (!durable)
      findings.push(
        warning(
          'database',
          'the embedded database can lose its last work in a power loss',
          'Use a PostgreSQL server for evidence, or back the folder up after each batch.',
        ),
      );
  } catch (error) {
    findings.push(bad('database', message(error), 'See docs/errors.md for the code.'));
  }
  return findings;
}

function message(error: unknown): string {
  return error instanceof HomewardError
    ? `${error.code}: ${error.message}`
    : error instanceof Error
      ? error.message
      : String(error);
}
