import type { ReportFigures } from '../../schemas/report.ts';

export interface TimelineBin {
  /** `2024-07` or `2024`. */
  readonly label: string;
  readonly items: number;
}

export interface Timeline {
  readonly unit: 'month' | 'year';
  readonly bins: readonly TimelineBin[];
  /** Items whose month is none, such as `0000-00` of a camera whose clock was never set. */
  readonly undated: number;
}

/** More columns than this cannot be told apart. */
const MAX_BINS = 60;
/** Before photography or well after now: written by a clock that was wrong, or by hand. */
const EARLIEST_YEAR = 1826;
const LATEST_YEAR = 2100;

/** Months in order with their gaps filled; years when the months would be too many; only years that occur when those are, too. */
export function timeline(months: ReportFigures['captureTimeline']): Timeline {
  const byMonth = new Map<number, number>();
  let undated = 0;
  for (const { month, items } of months) {
    const parts = /^(\d{4})-(\d{2})$/.exec(month);
    const year = Number(parts?.[1]);
    const monthOfYear = Number(parts?.[2]);
    if (parts === null || year < EARLIEST_YEAR || year > LATEST_YEAR || monthOfYear < 1 || monthOfYear > 12)
      undated += items;
    else add(byMonth, year * 12 + monthOfYear - 1, items);
  }
  if (byMonth.size === 0) return { unit: 'month', bins: [], undated };
  const keys = [...byMonth.keys()].sort((one, other) => one - other);
  const first = keys[0] ?? 0;
  const last = keys.at(-1) ?? 0;
  if (last - first < MAX_BINS) return { unit: 'month', bins: fill(first, last, byMonth, monthLabel), undated };

  const byYear = new Map<number, number>();
  for (const [key, items] of byMonth) add(byYear, Math.floor(key / 12), items);
  const firstYear = Math.floor(first / 12);
  const lastYear = Math.floor(last / 12);
  if (lastYear - firstYear < MAX_BINS)
    return { unit: 'year', bins: fill(firstYear, lastYear, byYear, String), undated };
  const years = [...byYear]
    .sort(([one], [other]) => one - other)
    .map(([year, items]) => ({ label: String(year), items }));
  return { unit: 'year', bins: years, undated };
}

function fill(
  first: number,
  last: number,
  values: ReadonlyMap<number, number>,
  label: (key: number) => string,
): TimelineBin[] {
  return Array.from({ length: last - first + 1 }, (_, offset) => ({
    label: label(first + offset),
    items: values.get(first + offset) ?? 0,
  }));
}

function monthLabel(key: number): string {
  return `${Math.floor(key / 12)}-${String((key % 12) + 1).padStart(2, '0')}`;
}

function add(values: Map<number, number>, key: number, items: number): void {
  values.set(key, (values.get(key) ?? 0) + items);
}
