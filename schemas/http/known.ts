import { Type } from 'typebox';
import { OrganisationId, Tlp, Uuid } from '../access.ts';
import { AuditEntry } from '../audit.ts';
import { BoundedText, Closed, Count, Nullable, OneOf } from '../closed.ts';
import { SET_PURPOSES } from '../constants.ts';
import { SearchedSet } from '../lookup.ts';

export const HashSetList = Closed({ sets: Type.Array(SearchedSet, { maxItems: 10_000 }) });

/** Every version of every set, those in force first. */
export const HashSetVersions = Closed({
  sets: Type.Array(
    Closed({
      setId: Count(),
      source: BoundedText(200),
      name: BoundedText(200),
      version: Count(),
      revision: Count(),
      purpose: OneOf(SET_PURPOSES),
      state: BoundedText(20),
      heldReason: Nullable(BoundedText(2000)),
      format: BoundedText(60),
      categoryScheme: BoundedText(60),
      records: Count(),
      importedAt: BoundedText(40),
      importedBy: BoundedText(200),
      updatedAt: Nullable(BoundedText(40)),
      tlp: Tlp,
      /** Null: of the organisation that runs the engine. */
      owner: Nullable(OrganisationId),
    }),
    { maxItems: 10_000 },
  ),
});

export const SeriesPage = Closed({
  series: Type.Array(Closed({ seriesId: Count(), source: BoundedText(200), name: BoundedText(300) }), {
    maxItems: 500,
  }),
  next: Nullable(BoundedText(300)),
});

export const CaseList = Closed({
  cases: Type.Array(
    Closed({
      caseId: Uuid,
      caseRef: BoundedText(200),
      joint: Type.Boolean(),
      lastDay: Nullable(BoundedText(10)),
    }),
    { maxItems: 1000 },
  ),
});

export const AuditPage = Closed({
  entries: Type.Array(AuditEntry, { maxItems: 500 }),
  /** For `after` of the next page; null at the end. */
  next: Nullable(BoundedText(300)),
});
