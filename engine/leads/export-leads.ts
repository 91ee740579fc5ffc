import { type ExportedLead, LEAD_FILE_VERSION, type LeadFile } from '../../schemas/lead-file.ts';
import { withGuard } from '../hashset/formats/csv/formula-guard.ts';
import type { LeadDetail } from './queue.ts';
import { ADULTS_ONLY } from './sentences.ts';

/** Without a byte-order mark spreadsheets take UTF-8 for the machine's code page. */
const BYTE_ORDER_MARK = '\ufeff';
const COLUMNS = [
  'leadId',
  'caseRef',
  'exhibitRef',
  'path',
  'pathHex',
  'sha256',
  'faceId',
  'faceX',
  'faceY',
  'faceWidth',
  'faceHeight',
  'source',
  'series',
  'log10LikelihoodRatio',
  'reasons',
  'adultsOnly',
] as const;

/** Leads for the unit's own viewer; what anybody decided is left out, so that a second look stays a second look. */
export function leadFile(leads: readonly LeadDetail[], exportedAt: string): LeadFile {
  return { kind: 'homeward-leads', version: LEAD_FILE_VERSION, exportedAt, leads: leads.map(exportedLead) };
}

function exportedLead(lead: LeadDetail): ExportedLead {
  return {
    leadId: lead.leadId,
    source: lead.source,
    series: lead.series,
    sha256: lead.sha256,
    items: [...lead.items],
    faces: [...lead.faces],
    log10LikelihoodRatio: lead.log10LikelihoodRatio,
    reasons: lead.reasons.map(({ matchId, sentence }) => ({ matchId, sentence })),
    adultsOnly: lead.adultsOnly ? ADULTS_ONLY : null,
  };
}

/**
 * The same as CSV (RFC 4180): a row for each item and each face in it, so that every row is one thing to open. Text that a spreadsheet
 * could run as a formula is guarded by an apostrophe; `pathHex` has the bytes as they are.
 */
export function leadCsv(file: LeadFile): string {
  const rows = file.leads.flatMap((lead) =>
    lead.items.flatMap((item) =>
      (lead.faces.length === 0 ? [null] : lead.faces).map((face) => [
        lead.leadId,
        item.caseRef,
        item.exhibitRef,
        item.path,
        item.pathHex,
        lead.sha256,
        face?.faceId ?? null,
        face?.x ?? null,
        face?.y ?? null,
        face?.width ?? null,
        face?.height ?? null,
        lead.source,
        lead.series,
        lead.log10LikelihoodRatio,
        lead.reasons.map((reason) => `${reason.matchId}: ${reason.sentence}`).join(' '),
        lead.adultsOnly,
      ]),
    ),
  );
  return `${BYTE_ORDER_MARK}${[COLUMNS, ...rows].map((cells) => `${cells.map(cell).join(',')}\r\n`).join('')}`;
}

function cell(value: string | number | null): string {
  if (value === null) return '';
  // Numbers are ours: a negative one is no formula.
  if (typeof value === 'number') return String(value);
  return `"${withGuard(value).replaceAll('"', '""')}"`;
}
