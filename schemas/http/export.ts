import { Type } from 'typebox';
import { OrganisationId, Uuid } from '../access.ts';
import { BoundedText, Closed, Count, Nullable, type Static } from '../closed.ts';
import { KnownRecord } from '../known-record.ts';

export const ExportRequest = Closed({ setId: Count() });

/** A whole hash set that somebody asked for. */
export const ExportAnswer = Closed({
  exportId: Uuid,
  setId: Count(),
  source: BoundedText(200),
  setName: BoundedText(200),
  setVersion: Count(),
  organisationId: OrganisationId,
  askedBy: BoundedText(200),
  justification: BoundedText(2000),
  askedAt: BoundedText(30),
  /** Null: it waits for a second person. */
  approvedBy: Nullable(BoundedText(200)),
  openUntil: Nullable(BoundedText(30)),
});
export type ExportAnswer = Static<typeof ExportAnswer>;

export const ExportList = Closed({ exports: Type.Array(ExportAnswer, { maxItems: 200 }) });

export const MOST_EXPORTED_AT_ONCE = 1000;
/** Records as they were received; what the agreement does not name is left out: perceptual hashes, category, series. */
export const ExportPage = Closed({
  records: Type.Array(KnownRecord, { maxItems: MOST_EXPORTED_AT_ONCE }),
  next: Nullable(BoundedText(300)),
});
