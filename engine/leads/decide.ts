import { HomewardError } from '../../schemas/error.ts';
import { jsonParam, storableText, type Transaction } from '../store/db.ts';
import { bytes, integer, oneOf, row } from '../store/row-shape.ts';
import { decidedEvidence } from './decided-evidence.ts';
import { evidenceInForce } from './lead-evidence.ts';
import { type MethodPrecision, pauseFailingMethods } from './precision.ts';
import { decisionsOf } from './refresh.ts';
import { type Basis, LEAD_STATES, type LeadState, lastWords, personOf, stateOf, type Verdict } from './verdicts.ts';

export interface LeadDecision {
  readonly leadId: number;
  readonly verdict: Verdict;
  /** What it rests on; needed for `confirmed`. */
  readonly basis: Basis | null;
  readonly note: string | null;
  /** Who looked and decided. */
  readonly decidedBy: string;
}

export interface Decided {
  readonly leadId: number;
  /** False where this person's last word on this lead is the very same: nothing was added. */
  readonly recorded: boolean;
  readonly state: LeadState;
  /** What else is needed to confirm, in a sentence; null where nothing is. */
  readonly stillNeeded: string | null;
  /** Methods whose precision fell under the floor with this decision. */
  readonly nowPaused: readonly MethodPrecision[];
}

/**
 * Records what somebody decided on a lead, with what the lead rested on then. Earlier decisions stay; of each person the latest counts.
 * A lead that was withdrawn can still be decided on: what a person saw is worth keeping.
 * @throws HomewardError HW_USAGE for `confirmed` without a basis, HW_LEAD_NOT_FOUND
 */
export async function decideLead(tx: Transaction, decision: LeadDecision): Promise<Decided> {
  const { leadId, verdict, basis } = decision;
  if (verdict === 'confirmed' && basis === null) {
    throw new HomewardError(
      'HW_USAGE',
      'expected a basis (viewed, partner or metadata) for the verdict confirmed, received none; say what the confirmation rests on',
    );
  }
  if (personOf(decision.decidedBy) === '') {
    throw new HomewardError('HW_USAGE', 'expected the name of who decides, received none; give it');
  }
  const lead = await heldLead(tx, leadId);
  const before = (await decisionsOf(tx, [leadId])).get(leadId) ?? [];
  const person = personOf(decision.decidedBy);
  const note = decision.note === null ? null : storableText(decision.note);
  const last = before.findLast((one) => personOf(one.decidedBy) === person);
  if (last?.verdict === verdict && last.basis === basis && last.note === note)
    return { leadId, recorded: false, state: lead.state, stillNeeded: neededFor(lead.state, before), nowPaused: [] };

  const { evidence } = await evidenceInForce(tx, [lead.mediaId]);
  await tx.execute(
    `insert into disposition (lead_id, verdict, basis, note, decided_by, evidence) values ($1, $2, $3, $4, $5, $6)`,
    [
      leadId,
      verdict,
      basis,
      note,
      storableText(decision.decidedBy.trim()),
      jsonParam(decidedEvidence(evidence.filter((one) => one.seriesId === lead.seriesId))),
    ],
  );
  const decisions = [...before, decision];
  const state = stateOf(decisions);
  await tx.execute('update lead set state = $2, updated_at = now() where lead_id = $1', [leadId, state]);
  return {
    leadId,
    recorded: true,
    state,
    stillNeeded: neededFor(state, decisions),
    nowPaused: await pauseFailingMethods(tx),
  };
}

/** Held until the transaction ends, so that two decisions at once see each other. */
async function heldLead(tx: Transaction, leadId: number) {
  const [lead] = await tx.read(
    row({ mediaId: integer, seriesId: integer, state: oneOf(LEAD_STATES) }),
    'select media_id, series_id, state from lead where lead_id = $1 for update',
    [leadId],
  );
  if (lead === undefined) throw leadNotFound(leadId);
  return lead;
}

export function leadNotFound(leadId: number): HomewardError {
  return new HomewardError(
    'HW_LEAD_NOT_FOUND',
    `expected the number of a lead, received ${leadId}, which is not here; homeward leads list shows what is there`,
  );
}

function neededFor(state: LeadState, decisions: Parameters<typeof stateOf>[0]): string | null {
  if (state !== 'needsSecondOpinion') return null;
  const words = lastWords(decisions);
  const confirmed = words.filter((one) => one.verdict === 'confirmed');
  if (confirmed.length > 0 && words.some((one) => one.verdict === 'rejected'))
    return 'Opinions differ: another person has to decide.';
  if (confirmed.length >= 2) return 'Metadata alone closes nothing: somebody has to confirm it on another basis.';
  return 'Another person has to decide, without knowing this decision.';
}

/** Digest of the content that a lead is about, for what comes back from elsewhere; null where there is no such lead. */
export async function contentOfLead(tx: Transaction, leadId: number): Promise<Buffer | null> {
  const [found] = await tx.read(
    row({ sha256: bytes }),
    'select m.sha256 from lead l join media m on m.media_id = l.media_id where l.lead_id = $1',
    [leadId],
  );
  return found?.sha256 ?? null;
}
