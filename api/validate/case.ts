import type { Ground } from './ground.ts';

/** What a case found out. `holds` is decided by the case, by comparing the two. */
export type Finding =
  | { readonly expected: string; readonly received: string; readonly holds: boolean }
  | { readonly notApplicable: string };

export interface CaseToRun {
  /** Unique within its requirement. */
  readonly id: string;
  readonly assertion: string;
  /** A throw counts as failed. */
  readonly check: (ground: Ground) => Promise<Finding>;
}

export interface RequirementToRun {
  readonly id: string;
  readonly goals: readonly string[];
  readonly requirement: string;
  readonly cases: readonly CaseToRun[];
}

/** Compares two texts. */
export const same = (expected: string, received: string): Finding => ({
  expected,
  received,
  holds: expected === received,
});

/** Nothing may be in the list of what went wrong. */
export const none = (expected: string, wrong: readonly string[], received: string): Finding => ({
  expected,
  received: wrong.length === 0 ? received : `${wrong.length} otherwise: ${wrong.slice(0, 5).join('; ')}`,
  holds: wrong.length === 0,
});
