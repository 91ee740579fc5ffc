import { Type } from 'typebox';
import { bytes, integer, json, nullable, oneOf, type RowOf, row, text, timestamp } from '../store/row-shape.ts';

/** Outcomes of a case that leave its material where it is, until a review. */
export const KEEPING_OUTCOMES = ['no-further-action', 'prosecuted', 'convicted', 'acquitted', 'referred'] as const;
export type KeepingOutcome = (typeof KEEPING_OUTCOMES)[number];
/** no-offence: nothing was to be found. review: a review decided that it goes. */
export const ERASING_OUTCOMES = ['no-offence', 'review'] as const;
export type ErasingOutcome = (typeof ERASING_OUTCOMES)[number];

export const ERASURE_STATES = ['deleted', 'rewritten', 'done'] as const;

/** How a case was closed. */
export const CLOSURE = row({
  closureId: integer,
  organisation: text,
  caseRef: text,
  outcome: oneOf([...ERASING_OUTCOMES, ...KEEPING_OUTCOMES] as const),
  closedAt: timestamp,
  reviewAt: nullable(timestamp),
  /** Null: nothing is erased. deleted: the rows are gone; rewritten: their bytes in tables and indexes too; done: those in the log too. */
  erasure: nullable(oneOf(ERASURE_STATES)),
  /** Rows that went, by table. */
  counts: nullable(json(Type.Record(Type.String(), Type.Integer()))),
  commitment: nullable(bytes),
  /** `2027-01-31` */
  backupsGoneBy: nullable(text),
  /** What the engine could not reach, as sentences. */
  leftToOperator: nullable(json(Type.Array(Type.String()))),
  erasedAt: nullable(timestamp),
});
export type Closure = RowOf<typeof CLOSURE>;

export const CLOSURE_COLUMNS =
  'closure_id, organisation, case_ref, outcome, closed_at, review_at, erasure, counts, commitment, backups_gone_by::text as backups_gone_by, left_to_operator, erased_at';
