import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';

const WAIT_MS = 15_000;

/** Waits for something that happens by itself, and fails by its name where it does not. */
export async function until(done: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const startedMs = performance.now();
  while (!(await done())) {
    assert.ok(performance.now() - startedMs < WAIT_MS, `${what} did not happen within ${WAIT_MS} ms`);
    await delay(20);
  }
}
