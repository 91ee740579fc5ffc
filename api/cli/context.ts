import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../../schemas/config.ts';
import { type ExitCode, HomewardError } from '../../schemas/error.ts';
import { type ResolvedConfig, resolveConfig } from './config.ts';

/** What a command gets from the process that runs it; nothing below main.ts touches `process` itself. */
export interface CliContext {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingFolder: string;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly stopSignal: AbortSignal;
  /** Milliseconds since the process started, for the figures of start-up. */
  readonly sinceStartMs: () => number;
  /** What the process will end with, unless an error says otherwise. */
  readonly exit: { code: ExitCode };
}

/** Options that every command touching data has. */
export interface CommonOptions {
  readonly data?: string;
  readonly database?: string;
  readonly config?: string;
  readonly as?: string;
  readonly organisation?: string;
}

export function withCommonOptions(command: Command): Command {
  return command
    .option('--data <folder>', 'folder of the embedded database')
    .option(
      '--database <url>',
      'PostgreSQL server to use in its place (better in HOMEWARD_DATABASE_URL, where others do not see it)',
    )
    .option('--config <file>', 'configuration file (default: homeward.json in the working folder, if it is there)')
    .option('--as <name>', 'who acts, for the audit trail (default: the operating-system user)')
    .option('--organisation <name>', 'unit on whose behalf');
}

export async function configFor(
  context: CliContext,
  options: CommonOptions,
  more: { readonly [K in keyof Config]?: Config[K] | undefined } = {},
): Promise<ResolvedConfig> {
  const given = options.config ?? path.join(context.workingFolder, 'homeward.json');
  const file = path.resolve(context.workingFolder, given);
  if (options.config !== undefined && !existsSync(file)) {
    throw new HomewardError(
      'HW_PATH_NOT_FOUND',
      `expected a configuration file for --config, received ${options.config}, which is not there; check the path`,
    );
  }
  return await resolveConfig({
    environment: context.environment,
    file: existsSync(file) ? { path: file, text: readFileSync(file, 'utf8') } : null,
    commandLine: {
      dataFolder: options.data === undefined ? undefined : path.resolve(context.workingFolder, options.data),
      databaseUrl: options.database,
      actor: options.as,
      organisation: options.organisation,
      ...more,
    },
  });
}

/** A file name from the command line, found or refused. */
export function existingPath(context: CliContext, given: string, what: string): string {
  const absolute = path.resolve(context.workingFolder, given);
  if (!existsSync(absolute)) {
    throw new HomewardError(
      'HW_PATH_NOT_FOUND',
      `expected an existing path for ${what}, received ${JSON.stringify(given)}, which is not there or cannot be read; check the path and its permissions`,
    );
  }
  return absolute;
}

/** Writes one line of results. */
export function printLine(context: CliContext, line: string): void {
  context.stdout.write(`${line}\n`);
}
