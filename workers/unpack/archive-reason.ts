import type { Outcome, Reason, ReasonCode } from '../../schemas/outcome.ts';

/** What was found wrong with an entry; null when nothing was. */
export type Flaw = { readonly outcome: Exclude<Outcome, 'done'>; readonly reason: Reason } | null;

const LONGEST_DETAIL = 300;

/** A reason whose detail is printable and bounded, whatever an archive made a library say. */
export function archiveReason(code: ReasonCode, detail: string): Reason {
  return { code, detail: detail.replace(/[^\x20-\x7e]/g, '?').slice(0, LONGEST_DETAIL) };
}

/** Something of it could be read, or nothing. */
export const damaged = (readable: boolean, code: ReasonCode, detail: string): Flaw => ({
  outcome: readable ? 'partial' : 'rejected',
  reason: archiveReason(code, detail),
});

export const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error));
