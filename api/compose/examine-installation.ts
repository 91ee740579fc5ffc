import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pausedMethods } from '../../engine/leads/pauses.ts';
import { lastEndingOf } from '../../engine/store/adapters/pglite.ts';
import { openSearchAlarms } from '../../engine/store/queries/search-alarms.ts';
import type { PackEntry } from '../../models/registry/packs.ts';
import type { Config } from '../../schemas/config.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { SandboxState } from '../../schemas/report.ts';
import { checkModels, type PackCheck } from './check-models.ts';
import { choosePacks } from './choose-packs.ts';
import { listModels } from './models.ts';
import { withDatabase } from './open-database.ts';
import { openFleet } from './open-fleet.ts';
import { runtimeVersion, withVerifier } from './verify-packs.ts';

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
    ...(await models(config)),
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

/** What inference runs on, and which packs are built and hold what their manifests say; nothing is built here. */
async function models(config: Config): Promise<Finding[]> {
  const findings: Finding[] = [];
  try {
    const entries = await listModels(config);
    findings.push(await inference(config, entries));
    const checks = await checkModels(config, entries, 'recorded');
    const ids = (state: PackCheck['state']): string[] =>
      checks.filter((check) => check.state === state).map(({ entry }) => entry.id);
    const [ready, waiting] = [ids('ready'), [...ids('untried'), ...ids('notBuilt')]];
    if (ready.length > 0) findings.push(good('model packs', `${ready.join(', ')}: as their manifests say`));
    if (waiting.length > 0)
      findings.push(good('model packs', `${waiting.join(', ')}: not built or tried yet; the first scan does it`));
    for (const { entry, fault } of checks) {
      if (fault !== null)
        findings.push(
          bad(`model pack ${entry.id}`, message(fault), 'homeward models verify tries it again; docs/models.md.'),
        );
    }
    // Throws what a scan would.
    choosePacks(config, entries);
  } catch (error) {
    findings.push(
      bad('models', message(error), 'See models in the configuration: homeward config show, homeward models list.'),
    );
  }
  return findings;
}

/** A provider other than the processor needs libraries and a device: whether they are here only a net that is opened on it tells. */
async function inference(config: Config, entries: readonly PackEntry[]): Promise<Finding> {
  const { provider } = config.models;
  const built = entries.find(({ pack }) => pack !== null && existsSync(pack.netPath))?.pack ?? null;
  return await withVerifier(config, async (verifier) => {
    const offered = await verifier.offeredProviders();
    const says = `onnxruntime ${runtimeVersion()} on ${provider}; made for ${offered.join(', ')}`;
    const todo = `Set models.provider to cpu, or install what ${provider} needs.`;
    if (!offered.includes(provider)) return bad('inference', says, todo);
    if (provider === 'cpu') return good('inference', says);
    if (built === null)
      return warning('inference', `${says}; not tried, no net is built`, 'Run homeward models build.');
    try {
      await verifier.verify(built.manifest, built.netPath, provider);
      return good('inference', `${says}; tried with ${built.manifest.id}`);
    } catch (error) {
      return bad('inference', message(error), todo);
    }
  });
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
    const { description, durable, paused, alarms } = await withDatabase(config, async (db) => ({
      ...db.capabilities,
      paused: await pausedMethods(db),
      alarms: await openSearchAlarms(db),
    }));
    findings.push(good('database', description));
    for (const { at, detail } of alarms)
      findings.push(
        bad(
          'search',
          `${at}: ${detail}`,
          'What was scanned before may have missed something: see docs/search.md, Alarms.',
        ),
      );
    for (const { method, algorithm, confirmed, decided } of paused)
      findings.push(
        warning(
          'leads',
          `${method} (${algorithm}) is paused: ${confirmed} of ${decided} decided leads were confirmed, so no new lead rests on it alone`,
          `See homeward leads precision; homeward leads resume ${method} --reason TEXT takes it into use again.`,
        ),
      );
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
