import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Compile } from 'typebox/compile';
import { openEmbedded } from '../engine/store/adapters/pglite.ts';
import type { Db } from '../engine/store/db.ts';
import { ProgressLine } from '../schemas/progress.ts';
import { Report } from '../schemas/report.ts';

/** For tests of the command line: runs it as a person would, as a process of its own, and looks at what it left. */

const CHECKOUT = path.resolve(import.meta.dirname, '..');
const LAUNCHER = path.join(CHECKOUT, 'bin', 'launch.cjs');
const ENTRY = path.join(CHECKOUT, 'api', 'cli', 'main.ts');

export const checkReport = Compile(Report);
export const checkProgress = Compile(ProgressLine);

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

export interface RunningCli {
  readonly process: ChildProcess;
  readonly finished: Promise<Finished>;
  readonly startedMs: number;
  /** Standard error as far as it came. */
  stderrSoFar(): string;
}

/** A folder that is removed with everything in it at the end of the `await using` block. */
export class TestFolder implements AsyncDisposable {
  readonly path: string;

  private constructor(folder: string) {
    this.path = folder;
  }

  static async make(): Promise<TestFolder> {
    // Resolved, since a scan reports resolved paths and temp folders may lie behind a link.
    return new TestFolder(await realpath(await mkdtemp(path.join(os.tmpdir(), 'homeward-cli-'))));
  }

  at(...names: string[]): string {
    return path.join(this.path, ...names);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A test that ran out of time leaves its command running.
    for (const cli of running) {
      const supervisor = supervisorOf(cli);
      if (supervisor !== undefined) killHard(supervisor.pid);
      await cli.finished;
    }
    // A killed host may still be on its way out and write its last.
    await rm(this.path, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

const running = new Set<RunningCli>();

export function startCli(args: readonly string[], environment: Readonly<Record<string, string>> = {}): RunningCli {
  const startedMs = performance.now();
  const { NODE_TEST_CONTEXT: _none, ...inherited } = process.env;
  const child = spawn(process.execPath, [LAUNCHER, ENTRY, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...inherited, ...environment },
  });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text;
    });
  }
  const finished = once(child, 'close').then(([code]): Finished => {
    return { code: typeof code === 'number' ? code : -1, ...texts, durationMs: performance.now() - startedMs };
  });
  const cli: RunningCli = { process: child, finished, startedMs, stderrSoFar: () => texts.stderr };
  running.add(cli);
  void finished.then(() => running.delete(cli));
  return cli;
}

export async function runCli(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  return await startCli(args, environment).finished;
}

/** The progress lines on standard error. */
export function progressLines(stderr: string): ProgressLine[] {
  return stderr.split('\n').flatMap((line) => {
    if (!line.startsWith('{')) return [];
    try {
      const parsed: unknown = JSON.parse(line);
      return checkProgress.Check(parsed) ? [parsed] : [];
    } catch {
      // The last line may be cut while the process still writes.
      return [];
    }
  });
}

/** Waits until a progress line satisfies `wanted`; false when the process ended before. */
export async function untilProgress(cli: RunningCli, wanted: (line: ProgressLine) => boolean): Promise<boolean> {
  let ended = false;
  void cli.finished.then(() => {
    ended = true;
  });
  for (;;) {
    if (progressLines(cli.stderrSoFar()).some(wanted)) return true;
    if (ended) return false;
    await sleep(20);
  }
}

export function readReport(text: string): Report {
  const parsed: unknown = JSON.parse(text);
  if (!checkReport.Check(parsed)) {
    throw new Error(`expected a report, received ${JSON.stringify(checkReport.Errors(parsed).slice(0, 3))}`);
  }
  return parsed;
}

export interface ProcessInfo {
  readonly pid: number;
  readonly command: readonly string[];
}

/** Living descendants, outermost first. Linux only. */
export function descendants(pid: number): ProcessInfo[] {
  const parents = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readProc(name, 'stat');
    // proc(5): the name in parentheses may hold anything; state and parent follow its last one.
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (parent === undefined || state === 'Z') continue;
    parents.set(Number(parent), [...(parents.get(Number(parent)) ?? []), Number(name)]);
  }
  const found: ProcessInfo[] = [];
  const waiting = [pid];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    for (const child of parents.get(next) ?? []) {
      found.push({ pid: child, command: readProc(String(child), 'cmdline').split('\0') });
      waiting.push(child);
    }
  }
  return found;
}

/** The process that does the work (the launcher only waits for it), or undefined while it is not there. */
export function supervisorOf(cli: RunningCli): ProcessInfo | undefined {
  return descendants(cli.process.pid ?? 0).find(({ command }) => command.includes(ENTRY));
}

/** The worker processes themselves, without the programs that wrap them in a sandbox. */
export function hostsOf(cli: RunningCli): ProcessInfo[] {
  return descendants(cli.process.pid ?? 0).filter(
    ({ command }) => command[0] === process.execPath && command.includes('--role'),
  );
}

/** False when it is gone already. */
export function killHard(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}

export async function withData<T>(dataFolder: string, work: (db: Db) => Promise<T>): Promise<T> {
  const db = await openEmbedded({ dataFolder });
  try {
    return await work(db);
  } finally {
    await db.close();
  }
}

/** Everything a scan recorded except numbers given by chance and times of recording, one text a row, sorted. */
export async function recordedRows(
  db: Db,
): Promise<Readonly<Record<'items' | 'media' | 'fingerprints' | 'matches', string[]>>> {
  const lines = async (select: string): Promise<string[]> =>
    (await db.query<{ line: string }>(`select row_to_json(r)::text as line from (${select}) as r`))
      .map(({ line }) => line)
      .sort();
  return {
    items: await lines(
      `select encode(path, 'escape') as path, encode(path_key, 'hex') as key, encode(container_path_key, 'hex') as container,
              encode(sha256, 'hex') as sha256, item.size_bytes, modified_at, item.type, outcome, reason
         from item left join media using (media_id)`,
    ),
    media: await lines(
      `select encode(sha256, 'hex') as sha256, encode(sha1, 'hex') as sha1, encode(md5, 'hex') as md5, size_bytes, type from media`,
    ),
    fingerprints: await lines(
      `select encode(sha256, 'hex') as sha256, pipeline_version, mode, outcome, reason, width_pixels, height_pixels, decoder, frames,
              trailing_bytes, encode(pdq_512_dihedral, 'hex') as pdq_512, pdq_512_quality, encode(pdq_full_dihedral, 'hex') as pdq_full,
              pdq_full_quality, blockhash::text as blockhash, blockhash_variant, capture
         from fingerprint join media using (media_id)`,
    ),
    matches: await lines(
      `select encode(media.sha256, 'hex') as sha256, hash_set.name, hash_set.version, encode(known_record.sha256, 'hex') as known_sha256,
              known_record.source_key, method, algorithm, match.mode, distance_bits, threshold_bits, orientation, flavour,
              match.category_code, series.name as series, withdrawn_at
         from match join media using (media_id) join hash_set on hash_set.set_id = match.set_id
         left join known_record using (record_id) left join series on series.series_id = match.series_id`,
    ),
  };
}

function readProc(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
