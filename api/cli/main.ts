#!/usr/bin/env node
// Where the process starts: arguments, environment, signals and exit code are touched here and nowhere else.
import { EXIT } from '../../schemas/error.ts';
import type { CliContext } from './context.ts';
import { buildProgram, runProgram } from './program.ts';

const stop = new AbortController();
let stops = 0;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    stops += 1;
    stop.abort();
    // A group signal and the launcher's own may both arrive; only a person who insists ends it without a clean stop.
    if (stops > 3) process.exit(EXIT.interrupted);
  });
}
// A reader that goes away (`| head`, a closed connection) is no failure of ours, and no reason to leave a batch half recorded.
for (const output of [process.stdout, process.stderr]) {
  output.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

const context: CliContext = {
  environment: process.env,
  workingFolder: process.cwd(),
  stdout: process.stdout,
  stderr: process.stderr,
  stopSignal: stop.signal,
  sinceStartMs: () => performance.now(),
  exit: { code: EXIT.done },
};
// Not process.exit(): results still on their way into a pipe would be cut off.
const args = process.argv.slice(2);
process.exitCode = await runProgram(await buildProgram(context, args), args, context);
