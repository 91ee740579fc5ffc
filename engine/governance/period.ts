import { HomewardError } from '../../schemas/error.ts';

/** From the first instant, up to but without the second; ISO 8601 in UTC. */
export interface Period {
  readonly from: string;
  readonly until: string;
}

/**
 * `2026`, `2026-11`, `2026-11-03`, or `2026-11-03..2026-11-09`, of which both days belong to it; in UTC, as the audit has it.
 * @throws HomewardError HW_USAGE
 */
export function parsePeriod(text: string): Period {
  const [first, last, ...more] = text.split('..');
  const start = spanOf(first ?? '');
  const end = last === undefined ? start : spanOf(last);
  if (start === null || end === null || more.length > 0 || end.until <= start.from) {
    throw new HomewardError(
      'HW_USAGE',
      `expected a period such as 2026, 2026-11, 2026-11-03 or 2026-11-03..2026-11-09, received ${JSON.stringify(text.slice(0, 60))}`,
    );
  }
  return { from: start.from.toISOString(), until: end.until.toISOString() };
}

function spanOf(text: string): { readonly from: Date; readonly until: Date } | null {
  const [, year, month, day] = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$/.exec(text) ?? [];
  if (year === undefined) return null;
  const from = new Date(`${year}-${month ?? '01'}-${day ?? '01'}T00:00:00.000Z`);
  // A day that no month has is moved on by Date, or is none at all.
  if (Number.isNaN(from.getTime()) || !from.toISOString().startsWith(text)) return null;
  const until = new Date(from);
  if (day !== undefined) until.setUTCDate(until.getUTCDate() + 1);
  else if (month !== undefined) until.setUTCMonth(until.getUTCMonth() + 1);
  else until.setUTCFullYear(until.getUTCFullYear() + 1);
  return { from, until };
}
