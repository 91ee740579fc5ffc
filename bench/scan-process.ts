import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Compile } from 'typebox/compile';
import { ProgressLine } from '../schemas/progress.ts';

const CHECKOUT = path.resolve(import.meta.dirname, '..');
/** done, and done with some items failed: both are a scan that came to its end. */
const ENDED_WELL: ReadonlySet<number | null> = new Set([0, 4]);

const progressValidator = Compile(ProgressLine);

export interface ScanProcessOptions {
  readonly dataFolder: string;
  readonly scratchFolder: string;
  /** For the runtime, such as `--expose-gc`. */
  readonly runtimeArguments?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** The whole chain a person starts (`npm start`) in place of the launcher alone. */
  readonly throughNpm?: boolean;
  /** Options of the command in place of `--hash-only`. */
  readonly options?: readonly string[];
}

export interface ScanProcess {
  readonly child: ChildProcess;
  /** Each progress line with the time it arrived, in ms since the epoch. */
  readonly progress: readonly { readonly atMs: number; readonly line: ProgressLine }[];
  /** Rejects when the scan did not come to its end. */
  readonly done: Promise<void>;
}

/** Starts `scan` as a user would, with a database and scratch folder of its own. */
export function startScan(paths: readonly string[], options: ScanProcessOptions): ScanProcess {
  const args = ['scan', ...(options.options ?? ['--hash-only']), ...paths, '--data', options.dataFolder];
  const launcher = path.join(CHECKOUT, 'bin', 'launch.cjs');
  const entry = path.join(CHECKOUT, 'api', 'cli', 'main.ts');
  const [command, commandArgs] =
    options.throughNpm === true
      ? ['npm', ['start', '--silent', '--', ...args]]
      : [process.execPath, [launcher, ...(options.runtimeArguments ?? []), entry, ...args]];
  const child = spawn(command, commandArgs, {
    cwd: CHECKOUT,
    env: { ...process.env, HOMEWARD_SCRATCH: options.scratchFolder, ...options.environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const progress: { atMs: number; line: ProgressLine }[] = [];
  const said: string[] = [];
  createInterface({ input: child.stderr }).on('line', (text) => {
    const line = progressLine(text);
    if (line !== undefined) progress.push({ atMs: Date.now(), line });
    else said.push(text);
  });
  const done = once(child, 'close').then(([code]) => {
    if (ENDED_WELL.has(code)) return;
    throw new Error(
      `expected the scan to come to its end, it ended with ${code}: ${said.slice(-5).join(' | ').slice(0, 800)}`,
    );
  });
  done.catch(() => undefined); // awaited by the caller, who may still be looking at the process
  return { child, progress, done };
}

function progressLine(text: string): ProgressLine | undefined {
  if (!text.startsWith('{')) return undefined;
  const parsed: unknown = JSON.parse(text);
  return progressValidator.Check(parsed) ? parsed : undefined;
}
