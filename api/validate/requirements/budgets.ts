import path from 'node:path';
import { DEFAULT_FILE_BUDGET, type FileBudget } from '../../../schemas/host-protocol.ts';
import type { ReasonCode } from '../../../schemas/outcome.ts';
import type { CaseToRun, RequirementToRun } from '../case.ts';
import { hostReady } from '../host-watch.ts';

/** A bomb ends within this, limit of processor time included. */
const MOST_BOMB_MS = 12_000;

interface BudgetExpectation {
  readonly id: string;
  readonly assertion: string;
  readonly file: string;
  readonly budget?: Partial<FileBudget>;
  readonly outcome: 'rejected' | 'failed' | 'done';
  readonly reasons: readonly ReasonCode[];
}

export function budgetCase({ id, assertion, file, budget, outcome, reasons }: BudgetExpectation): CaseToRun {
  return {
    id,
    assertion,
    check: async (ground) => {
      // A host that is only just being started is no cost of this file.
      await hostReady(ground.hosts);
      const beganMs = performance.now();
      const location = Buffer.from(path.join(ground.picturesFolder, file));
      const found = await ground.hosts.examine(location, {
        mode: 'exact',
        budget: { ...DEFAULT_FILE_BUDGET, ...budget },
      });
      const tookMs = performance.now() - beganMs;
      const reason = found.reason?.code ?? null;
      const reasonHolds = reasons.length === 0 ? reason === null : reason !== null && reasons.includes(reason);
      return {
        expected: `${outcome}${reasons.length === 0 ? '' : ` (${reasons.join(' or ')})`} within ${MOST_BOMB_MS / 1000} s`,
        received: `${found.outcome}${reason === null ? '' : ` (${reason})`} after ${(tookMs / 1000).toFixed(1)} s`,
        holds: found.outcome === outcome && reasonHolds && tookMs <= MOST_BOMB_MS,
      };
    },
  };
}

export const budgets: RequirementToRun = {
  id: 'budgets',
  goals: ['R3'],
  requirement: 'A file can use up its own budget only, and ends as a limit.',
  cases: [
    budgetCase({
      id: 'bomb',
      assertion: 'A PNG of 100 kilobytes that asks for 900 Mpx is refused.',
      file: 'bomb.png',
      outcome: 'rejected',
      reasons: ['pixelLimit'],
    }),
    budgetCase({
      id: 'side',
      assertion: 'A picture with a side of 70,000 pixels is refused.',
      file: 'long.png',
      outcome: 'rejected',
      reasons: ['dimensionLimit'],
    }),
    budgetCase({
      id: 'below-limit',
      assertion: 'A picture of 36 Mpx, below the limit, is examined within its budget.',
      file: 'heavy.jpg',
      outcome: 'done',
      reasons: [],
    }),
    budgetCase({
      id: 'own-pixel-limit',
      assertion: 'A lower pixel limit of the configuration is kept.',
      file: 'scene-0.png',
      budget: { pixels: 100_000 },
      outcome: 'rejected',
      reasons: ['pixelLimit'],
    }),
    budgetCase({
      id: 'size',
      assertion: 'A file of more bytes than its budget is refused.',
      file: 'scene-0.png',
      budget: { sizeBytes: 1_000 },
      outcome: 'rejected',
      reasons: ['tooLarge'],
    }),
    budgetCase({
      id: 'time',
      assertion: 'A file that takes longer than its budget is ended, and recorded as failed for that.',
      file: 'heavy.jpg',
      budget: { cpuTimeMs: 100, wallTimeMs: 100 },
      outcome: 'failed',
      reasons: ['timeLimit', 'cpuLimit'],
    }),
  ],
};
