import type { ReportItem } from '../../schemas/report.ts';

/** Rows on a page: with fewer than 700 bytes each they leave most of the 5 MB a page may have. */
export const MAX_PAGE_ROWS = 2_000;
/** Rows kept for each kind that would otherwise be crowded out by a flood of known files. */
const RESERVED_ROWS_PER_KIND = 100;

const KINDS = [
  'known',
  'nearDuplicate',
  'byModel',
  'failed',
  'partial',
  'unknown',
  'unseen',
  'rejected',
  'notExamined',
  'knownGood',
] as const;
type Kind = (typeof KINDS)[number];

export interface PageRow {
  /** 1, 2, 3 ... in the order of the report's items, or line number of its NDJSON file. */
  readonly number: number;
  readonly item: ReportItem;
}

export interface PageRows {
  /** Known first, then near duplicates, what a model ties to a series, failed, partial, unknown, unseen, rejected, not examined, known-good; by number within each. */
  readonly rows: readonly PageRow[];
  /** Items offered, whether shown or not. */
  readonly offered: number;
}

/**
 * Chooses the items that a page shows out of any number of them, in constant memory. Offer every item in the report's order.
 */
export class PageRowSelector {
  readonly #limit: number;
  readonly #kept = new Map<Kind, PageRow[]>(KINDS.map((kind) => [kind, []]));
  #offered = 0;

  constructor(limit: number = MAX_PAGE_ROWS) {
    this.#limit = limit;
  }

  offer(item: ReportItem): void {
    this.#offered += 1;
    const kept = this.#kept.get(kindOf(item));
    if (kept !== undefined && kept.length < this.#limit) kept.push({ number: this.#offered, item });
  }

  select(): PageRows {
    const room = new Map<Kind, number>();
    let free = this.#limit;
    for (const kind of KINDS) {
      const reserved = Math.min(free, RESERVED_ROWS_PER_KIND, this.#count(kind));
      room.set(kind, reserved);
      free -= reserved;
    }
    for (const kind of KINDS) {
      const reserved = room.get(kind) ?? 0;
      const more = Math.min(free, this.#count(kind) - reserved);
      room.set(kind, reserved + more);
      free -= more;
    }
    const rows = KINDS.flatMap((kind) => (this.#kept.get(kind) ?? []).slice(0, room.get(kind) ?? 0));
    return { rows, offered: this.#offered };
  }

  #count(kind: Kind): number {
    return this.#kept.get(kind)?.length ?? 0;
  }
}

function kindOf(item: ReportItem): Kind {
  if (item.standing === 'known' || item.standing === 'nearDuplicate') return item.standing;
  if ((item.models?.matches ?? []).length > 0) return 'byModel';
  if (item.standing === 'knownGood') return item.standing;
  return KINDS.find((kind) => kind === item.outcome) ?? (item.standing === 'unknown' ? 'unknown' : 'unseen');
}
