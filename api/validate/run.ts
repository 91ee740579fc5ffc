import { HomewardError } from '../../schemas/error.ts';
import type { CaseResult, ValidationCase, ValidationReport, ValidationRequirement } from '../../schemas/validation.ts';
import type { CaseToRun, RequirementToRun } from './case.ts';
import type { Ground } from './ground.ts';

/** A case that hangs is a failure, not a validation that never ends. Long, since an examiner's machine may be busy. */
const CASE_TIMEOUT_MS = 180_000;

/** Runs every case one after the other and says what became of it; `onCase` hears of each as it ends. */
export async function runRequirements(
  requirements: readonly RequirementToRun[],
  ground: Ground,
  signal: AbortSignal,
  onCase: (requirement: RequirementToRun, ended: ValidationCase) => void = () => undefined,
): Promise<ValidationRequirement[]> {
  const ran: ValidationRequirement[] = [];
  for (const requirement of requirements) {
    const cases: ValidationCase[] = [];
    for (const one of requirement.cases) {
      if (signal.aborted)
        throw new HomewardError('HW_USAGE', 'expected to run every case, received a stop; nothing was written');
      const ended = await runCase(one, ground);
      onCase(requirement, ended);
      cases.push(ended);
    }
    ran.push({
      id: requirement.id,
      goals: [...requirement.goals],
      requirement: requirement.requirement,
      result: resultOf(cases),
      cases,
    });
  }
  return ran;
}

async function runCase({ id, assertion, check }: CaseToRun, ground: Ground): Promise<ValidationCase> {
  const beganMs = performance.now();
  const { expected, received, result, reason } = await outcomeOf(check, ground);
  const durationMs = Math.round(performance.now() - beganMs);
  return { id, assertion, expected: bounded(expected), received: bounded(received), result, reason, durationMs };
}

async function outcomeOf(
  check: CaseToRun['check'],
  ground: Ground,
): Promise<Pick<ValidationCase, 'expected' | 'received' | 'result' | 'reason'>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${CASE_TIMEOUT_MS / 1000} s`)), CASE_TIMEOUT_MS);
  });
  try {
    const found = await Promise.race([check(ground), late]);
    if ('notApplicable' in found) {
      return { expected: '', received: '', result: 'notApplicable', reason: bounded(found.notApplicable) };
    }
    return {
      expected: found.expected,
      received: found.received,
      result: found.holds ? 'passed' : 'failed',
      reason: null,
    };
  } catch (error) {
    const received = error instanceof HomewardError ? `${error.code}: ${error.message}` : String(error);
    return { expected: 'an answer', received, result: 'failed', reason: null };
  } finally {
    clearTimeout(timer);
  }
}

function resultOf(cases: readonly ValidationCase[]): CaseResult {
  if (cases.some(({ result }) => result === 'failed')) return 'failed';
  return cases.some(({ result }) => result === 'passed') ? 'passed' : 'notApplicable';
}

/** Passed is what was tried and held; a requirement of which nothing could be tried does not count for it. */
export function verdictOf(
  requirements: readonly ValidationRequirement[],
): Pick<ValidationReport, 'verdict' | 'counts'> {
  const counts = { passed: 0, failed: 0, notApplicable: 0 };
  for (const { cases } of requirements) for (const { result } of cases) counts[result] += 1;
  return { verdict: counts.failed === 0 && counts.passed > 0 ? 'passed' : 'failed', counts };
}

const bounded = (text: string): string => (text.length <= 500 ? text : `${text.slice(0, 497)}...`);

/** What a validation that did not hold ends with; null when it held. */
export function refusalOf(report: Pick<ValidationReport, 'verdict' | 'requirements'>): HomewardError | null {
  if (report.verdict === 'passed') return null;
  const failed = report.requirements.filter(({ result }) => result === 'failed').map(({ id }) => id);
  return new HomewardError(
    'HW_VALIDATION_FAILED',
    `expected every requirement to hold on this machine, received ${failed.length === 0 ? 'none that could be tried' : `a failure of ${failed.join(', ')}`}; do not use this installation for evidence`,
  );
}
