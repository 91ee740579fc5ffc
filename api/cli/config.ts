import os from 'node:os';
import path from 'node:path';
import type { TSchema } from 'typebox';
import { isConfig } from '../../schemas/checks/is-config.ts';
import { isConfigFile } from '../../schemas/checks/is-config-file.ts';
import type { Config, ConfigFile, ConfigOrigin } from '../../schemas/config.ts';
import {
  DEFAULT_ARCHIVE_BUDGET,
  DEFAULT_FILE_BUDGET,
  DEFAULT_MODELS,
  DEFAULT_SUSPEND_AFTER_CASES,
  DEFAULT_UPLOADS,
} from '../../schemas/constants.ts';
import { HomewardError } from '../../schemas/error.ts';

export interface ConfigSources {
  /** Values given as options, undefined where an option was not given. */
  readonly commandLine: { readonly [K in keyof Config]?: Config[K] | undefined };
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The configuration file's text, or null when there is none. */
  readonly file: { readonly path: string; readonly text: string } | null;
}

export interface ResolvedConfig {
  readonly config: Config;
  /** Where each setting came from, by its name. */
  readonly origins: Readonly<Record<string, ConfigOrigin>>;
}

/** Environment variables and the settings they give; budgets come from the file only. */
export const ENVIRONMENT_SETTINGS = {
  HOMEWARD_DATA: 'dataFolder',
  HOMEWARD_DATABASE_URL: 'databaseUrl',
  HOMEWARD_ORGANISATION: 'organisation',
  HOMEWARD_SCRATCH: 'scratchFolder',
  HOMEWARD_HOSTS: 'hosts',
  HOMEWARD_THREADS_PER_HOST: 'threadsPerHost',
  HOMEWARD_SANDBOX: 'sandbox',
} as const satisfies Record<string, keyof Config>;

/**
 * The configuration in force: command line over environment over file over defaults.
 * @throws HomewardError HW_CONFIG_INVALID naming the value, what was expected and where it came from.
 */
export async function resolveConfig(sources: ConfigSources): Promise<ResolvedConfig> {
  const values: Record<string, unknown> = { ...defaultConfig(sources.environment) };
  const origins: Record<string, ConfigOrigin> = Object.fromEntries(Object.keys(values).map((key) => [key, 'default']));
  const take = (key: string, value: unknown, origin: ConfigOrigin): void => {
    values[key] = value;
    origins[key] = origin;
  };

  for (const [key, value] of Object.entries(await readFile(sources.file))) {
    const defaults = values[key];
    take(key, isRecord(value) && isRecord(defaults) ? { ...defaults, ...value } : value, 'file');
  }
  for (const [variable, key] of Object.entries(ENVIRONMENT_SETTINGS)) {
    const text = sources.environment[variable];
    if (text !== undefined && text !== '')
      take(key, key === 'hosts' || key === 'threadsPerHost' ? Number(text) : text, 'environment');
  }
  for (const [key, value] of Object.entries(sources.commandLine)) {
    if (value !== undefined) take(key, value, 'commandLine');
  }
  if (!isConfig(values)) {
    const problem = await firstProblem('Config', values);
    const key = problem?.instancePath.split('/')[1] ?? '';
    throw new HomewardError(
      'HW_CONFIG_INVALID',
      `expected a valid setting for ${problem?.instancePath.slice(1) ?? 'the configuration'} (${problem?.message ?? 'unknown key'}), ` +
        `received ${JSON.stringify(values[key])} from ${origins[key] ?? 'an unknown origin'}; correct it or remove it`,
    );
  }
  return { config: values, origins };
}

async function readFile(file: ConfigSources['file']): Promise<ConfigFile> {
  if (file === null) return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(file.text);
  } catch (error) {
    throw new HomewardError(
      'HW_CONFIG_INVALID',
      `expected JSON in ${file.path}, received text that is none; correct or remove the file`,
      { cause: error },
    );
  }
  if (!isConfigFile(parsed)) {
    const problem = await firstProblem('ConfigFile', parsed);
    throw new HomewardError(
      'HW_CONFIG_INVALID',
      `expected known settings in ${file.path}, received a problem at ${problem?.instancePath || 'its top'}: ${problem?.message ?? 'unknown'}; homeward config show lists the settings`,
    );
  }
  return parsed;
}

/** What is wrong with a configuration, in TypeBox's words; loads it, which a valid one does without. */
async function firstProblem(type: 'Config' | 'ConfigFile', value: unknown) {
  const schemas = await import('../../schemas/config.ts');
  const { Compile } = await import('typebox/compile');
  const schema: TSchema = schemas[type];
  return Compile(schema).Errors(value)[0];
}

function defaultConfig(environment: ConfigSources['environment']): Config {
  return {
    dataFolder: path.join(userDataFolder(environment), 'homeward'),
    databaseUrl: null,
    organisation: 'local',
    actor: operatingSystemUser(),
    scratchFolder: os.tmpdir(),
    // One thread a host: processor time can then be charged to a file, and a decoder's error text cannot mix with another file's.
    hosts: Math.max(1, os.availableParallelism()),
    threadsPerHost: 1,
    sandbox: 'preferred',
    fileBudget: DEFAULT_FILE_BUDGET,
    archiveBudget: DEFAULT_ARCHIVE_BUDGET,
    models: DEFAULT_MODELS,
    suspendAfterCases: DEFAULT_SUSPEND_AFTER_CASES,
    cases: [],
    evidenceRoots: [],
    uploads: DEFAULT_UPLOADS,
    tls: null,
    identityProviders: [],
    contact: null,
    auditKeyFile: null,
    auditDropFolder: null,
  };
}

function userDataFolder(environment: ConfigSources['environment']): string {
  if (process.platform === 'win32') return environment['LOCALAPPDATA'] ?? os.homedir();
  if (process.platform === 'darwin') return path.join(os.homedir(), 'Library', 'Application Support');
  return environment['XDG_DATA_HOME'] ?? path.join(os.homedir(), '.local', 'share');
}

function operatingSystemUser(): string {
  try {
    return os.userInfo().username;
  } catch {
    // A user id without an entry in the user table (containers): the number still says who acted.
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
