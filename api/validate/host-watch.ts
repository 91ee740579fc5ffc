import { setTimeout as wait } from 'node:timers/promises';
import type { HostsUnderTest } from './ground.ts';

const LOOK_EVERY_MS = 5;
/** Until a host has the file, and until a host is ready again. */
const PATIENCE_MS = 20_000;

/** The process that has a file in hand, as soon as there is one. */
export async function hostAtWork(
  hosts: HostsUnderTest,
  except: ReadonlySet<number> = new Set(),
): Promise<number | null> {
  for (const beganMs = performance.now(); performance.now() - beganMs < PATIENCE_MS; await wait(LOOK_EVERY_MS)) {
    const found = hosts
      .stats()
      .hosts.find(({ inFlight, processId }) => inFlight > 0 && processId !== undefined && !except.has(processId));
    if (found?.processId !== undefined) return found.processId;
  }
  return null;
}

/** Waits until so many picture hosts can take a file; gives up in silence, since the case that follows says what it finds. */
export async function hostReady(hosts: HostsUnderTest, least = 1): Promise<void> {
  const beganMs = performance.now();
  const ready = () => hosts.stats().hosts.filter((host) => host.ready && host.kind === 'picture').length;
  while (ready() < least && performance.now() - beganMs < PATIENCE_MS) await wait(LOOK_EVERY_MS);
}
