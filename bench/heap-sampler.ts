/**
 * Preloaded into the supervisor by the memory bench (`--expose-gc --import`): writes one line of JSON a second with what
 * is alive after a collection. Does nothing in the hosts and threads that inherit the flags.
 */
import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { isMainThread } from 'node:worker_threads';

const file = process.env['HOMEWARD_BENCH_MEMORY_FILE'];
const isSupervisor = isMainThread && path.basename(path.dirname(process.argv[1] ?? '')) === 'cli';
if (file !== undefined && isSupervisor) {
  const timer = setInterval(() => {
    // Without it the sawtooth of the collector hides what stays.
    globalThis.gc?.();
    const { heapUsed, external, rss } = process.memoryUsage();
    appendFileSync(file, `${JSON.stringify({ atMs: Date.now(), heapUsed, external, rss })}\n`);
  }, 1000);
  timer.unref();
}
