import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { run } from 'node:test';
import { inspect } from 'node:util';

/** One test that did not simply pass. `name` is the path of suites and tests down to it. */
export interface Remark {
  readonly name: string;
  readonly detail: string;
}

export interface FileResult {
  /** Relative to the root of the checkout. */
  readonly file: string;
  readonly durationMs: number;
  readonly passed: number;
  readonly failures: readonly Remark[];
  readonly skips: readonly Remark[];
  /** What the file's process printed, shortened to its last part. */
  readonly output: string;
}

export interface FileOptions {
  readonly root: string;
  readonly file: string;
  readonly timeoutMs: number;
  /** Regular expression over test names; only these run, and the others are not counted. */
  readonly namePattern: string | undefined;
  /** A folder that does not exist yet: the file's TMPDIR, which has to be empty again at the end. */
  readonly scratch: string;
  readonly interrupt: AbortSignal;
}

const WHOLE = 'the file as a whole';
const OUTPUT_LIMIT_CHARACTERS = 65_536;

/**
 * Runs one test file in a process of its own and tells what became of it.
 * `run()` is called once a file because its `timeout` does not end a file that hangs outside a test (Node 24.21: a file
 * sleeping 100 s under a limit of 3 s was reported as passed), while an aborted signal kills the process in every case tried.
 */
export async function runFile(options: FileOptions): Promise<FileResult> {
  const startedMs = performance.now();
  mkdirSync(options.scratch, { recursive: true });
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const absolute = path.join(options.root, options.file);
  const stream = run({
    files: [absolute],
    cwd: options.root,
    concurrency: 1,
    signal: AbortSignal.any([deadline, options.interrupt]),
    env: { ...process.env, TMPDIR: options.scratch, TEMP: options.scratch, TMP: options.scratch },
    ...(options.namePattern === undefined ? {} : { testNamePatterns: [new RegExp(options.namePattern, 'u')] }),
  });

  let passed = 0;
  let unfinished = 0;
  let output = '';
  const failures: Remark[] = [];
  const skips: Remark[] = [];
  const above: string[] = [];
  const keep = (text: string) => {
    output = (output + text).slice(-OUTPUT_LIMIT_CHARACTERS);
  };

  for await (const event of stream) {
    if (event.type === 'test:stdout' || event.type === 'test:stderr') keep(event.data.message);
    if (event.type === 'test:enqueue') unfinished += 1;
    if (event.type === 'test:complete') unfinished -= 1;
    if (event.type === 'test:start') {
      above.length = event.data.nesting;
      above[event.data.nesting] = event.data.name;
    }
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue;
    const { data } = event;
    // A file without a single test, or one that died before its first, is reported as a test named after itself.
    const isTheFile = data.nesting === 0 && path.resolve(options.root, data.name) === absolute;
    const name = isTheFile ? WHOLE : [...above.slice(0, data.nesting), data.name].join(' > ');
    const isSuite = data.details.type === 'suite';

    if (event.type === 'test:fail') {
      const why = event.data.details.error;
      if (deadline.aborted && isTheFile) {
        failures.push({ name, detail: `did not end within ${options.timeoutMs / 1000} s and was killed` });
      } else if (!subtestsOnly(why)) {
        failures.push({ name, detail: describeError(why) });
      }
    } else if (isTheFile) {
      if (options.namePattern === undefined) failures.push({ name, detail: 'holds no test' });
    } else if (data.skip !== undefined && data.skip !== false) {
      skips.push({ name, detail: typeof data.skip === 'string' && data.skip !== '' ? data.skip : 'no reason given' });
    } else if (data.todo !== undefined && data.todo !== false) {
      skips.push({ name, detail: `to do: ${typeof data.todo === 'string' ? data.todo : 'not written yet'}` });
    } else if (!isSuite) {
      passed += 1;
    }
  }

  // Without this, a test that calls process.exit(0) takes those after it with it and the file counts as passed.
  if (unfinished > 0 && failures.length === 0 && options.namePattern === undefined) {
    failures.push({ name: WHOLE, detail: `ended while ${unfinished} of its tests had no result` });
  }
  // npm 11 asks Node to keep compiled modules there; no test of ours can clear that up.
  const left = readdirSync(options.scratch).filter((name) => name !== 'node-compile-cache');
  if (left.length > 0 && failures.length === 0) {
    failures.push({
      name: WHOLE,
      detail: `left behind in its temp folder: ${left.slice(0, 10).join(', ')}`,
    });
  }
  rmSync(options.scratch, { recursive: true, force: true });
  return { file: options.file, durationMs: performance.now() - startedMs, passed, failures, skips, output };
}

/** A suite that fails because a test in it failed says nothing new; the test itself has been counted. */
function subtestsOnly(error: unknown): boolean {
  return error instanceof Error && 'failureType' in error && error.failureType === 'subtestsFailed';
}

function describeError(error: unknown): string {
  const inner = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return typeof inner === 'string' ? inner : inspect(inner, { depth: 4, breakLength: 120 });
}
