import { availableParallelism } from 'node:os';
import path from 'node:path';
import type { Examination } from '../../../schemas/fingerprint.ts';
import { type CaseToRun, none, type RequirementToRun } from '../case.ts';
import type { Ground } from '../ground.ts';

const REPEATS = 10;
const FILES = ['format-jpeg.jpg', 'format-webp.webp', 'format-avif.avif', 'kernel-513x100.png', 'kernel-640x480.png'];

async function examineRepeatedly(ground: Ground, hosts: number, threads: number): Promise<Examination[][]> {
  await using started = await ground.startHosts(hosts, threads);
  return await Promise.all(
    FILES.map(async (file) => {
      const location = Buffer.from(path.join(ground.picturesFolder, file));
      return await Promise.all(
        Array.from({ length: REPEATS }, async () => await started.examine(location, { mode: 'exact' })),
      );
    }),
  );
}

function determinismCase(hosts: number, threads: number): CaseToRun {
  return {
    id: `${hosts}-hosts-${threads}-threads`,
    assertion: `${FILES.length} files examined ${REPEATS} times at once by ${hosts} hosts of ${threads} threads give one record each, that of the first time.`,
    check: async (ground) => {
      const wrong: string[] = [];
      const repeated = await examineRepeatedly(ground, hosts, threads);
      for (const [index, file] of FILES.entries()) {
        const once = await ground.hosts.examine(Buffer.from(path.join(ground.picturesFolder, file)), { mode: 'exact' });
        const text = JSON.stringify(once);
        const others = (repeated[index] ?? []).filter((one) => JSON.stringify(one) !== text);
        if (others.length > 0) wrong.push(`${file}: ${others.length} of ${REPEATS} differ`);
      }
      const all = FILES.length * REPEATS;
      return none(`${all} of ${all} equal`, wrong, `${all} of ${all} equal`);
    },
  };
}

export const determinism: RequirementToRun = {
  id: 'determinism',
  goals: ['R5'],
  requirement: 'The same file gives the same record, however often and by however many hosts and threads.',
  cases: [
    determinismCase(1, 1),
    determinismCase(2, 1),
    determinismCase(1, Math.min(4, Math.max(2, availableParallelism()))),
  ],
};
