import path from 'node:path';
import type { CaseToRun, RequirementToRun } from '../case.ts';
import type { Ground } from '../ground.ts';
import { hostAtWork, hostReady } from '../host-watch.ts';

const MOST_RETURN_MS = 2_000;
function kill(processId: number): boolean {
  try {
    return process.kill(processId, 'SIGKILL');
  } catch {
    // It ended by itself between being seen and being killed; the case then says that nothing was killed.
    return false;
  }
}

/** Kills the host of the heavy picture once; the other files around it must not notice. */
export function killedOnceCase(mostReturnMs: number = MOST_RETURN_MS): CaseToRun {
  return {
    id: 'killed-once',
    assertion: `A host killed at work: its file still gets its record, others are examined, and hosts are back within ${mostReturnMs} ms.`,
    check: async (ground) => {
      await using hosts = await ground.startHosts(2, 1);
      // All of them start when they are wanted; how soon they are back is a matter of hosts that were there.
      await hosts.decoders();
      await hostReady(hosts, 2);
      const heavy = hosts.examine(picture(ground, 'heavy.jpg'), { mode: 'exact' });
      const victim = await hostAtWork(hosts);
      const killed = victim !== null && kill(victim);
      const others = await Promise.all(
        Array.from({ length: 10 }, async () => await hosts.examine(picture(ground, 'scene-0.png'), { mode: 'exact' })),
      );
      const { outcome } = await heavy;
      await hostReady(hosts, 2);
      const { slowestReturnMs, hostsCrashed } = hosts.stats();
      const done = others.filter((one) => one.outcome === 'done').length;
      return {
        expected: `1 host killed, its file done, 10 others done, back within ${mostReturnMs} ms`,
        received: `${killed ? hostsCrashed : 0} host killed, its file ${outcome}, ${done} others done, back after ${Math.round(slowestReturnMs)} ms`,
        holds: killed && hostsCrashed >= 1 && outcome === 'done' && done === 10 && slowestReturnMs <= mostReturnMs,
      };
    },
  };
}

const killedTwiceCase: CaseToRun = {
  id: 'killed-twice',
  assertion:
    'A file whose host dies under it a second time, alone, is recorded as failed (hostCrashed), and work goes on.',
  check: async (ground) => {
    await using hosts = await ground.startHosts(2, 1);
    const heavy = hosts.examine(picture(ground, 'heavy.jpg'), { mode: 'exact' });
    const killed = new Set<number>();
    for (let time = 0; time < 2; time++) {
      const victim = await hostAtWork(hosts, killed);
      if (victim !== null && kill(victim)) killed.add(victim);
    }
    const { outcome, reason } = await heavy;
    const after = await hosts.examine(picture(ground, 'scene-0.png'), { mode: 'exact' });
    return {
      expected: '2 hosts killed, failed (hostCrashed), the next file done',
      received: `${killed.size} hosts killed, ${outcome} (${reason?.code ?? 'no reason'}), the next file ${after.outcome}`,
      holds: killed.size === 2 && outcome === 'failed' && reason?.code === 'hostCrashed' && after.outcome === 'done',
    };
  },
};

const picture = (ground: Ground, file: string): Buffer => Buffer.from(path.join(ground.picturesFolder, file));

export const containment: RequirementToRun = {
  id: 'containment',
  goals: ['R4'],
  requirement: 'A decoder that crashes costs one host, never a batch.',
  cases: [killedOnceCase(), killedTwiceCase],
};
