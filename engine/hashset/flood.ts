/**
 * What comes ten times as thick as usual waits for a person: a source that mixes up its files, or somebody who wants to bury a unit in hits,
 * shows in numbers first.
 */
const TIMES_THE_USUAL = 10;

/** Below ten times this nothing is a flood: small stores and first deltas vary by more. Conventions of ours. */
const LEAST_USUAL = { recordsOfSet: 10_000, recordsOfDelta: 1_000, contentsHit: 100 } as const;

const WHAT = {
  recordsOfSet: 'records in the set',
  recordsOfDelta: 'records added, corrected or withdrawn',
  contentsHit: 'stored contents that it hits by digest',
} as const;

/** Why a number is a flood, in words; null where it is none. */
export function floodOf(what: keyof typeof LEAST_USUAL, count: number, usual: number): string | null {
  const expected = Math.max(usual, LEAST_USUAL[what]);
  if (count <= expected * TIMES_THE_USUAL) return null;
  return `${count} ${WHAT[what]}, where ${usual} were usual and ${expected * TIMES_THE_USUAL} pass`;
}
