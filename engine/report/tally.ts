import type {
  KnownBy,
  ReportCounts,
  ReportFigures,
  ReportItem,
  ReportMatch,
  UnknownReason,
} from '../../schemas/report.ts';

const DIGEST_METHODS: ReadonlySet<string> = new Set(['md5', 'sha1', 'sha256']);
/** Kinds of cameras, types and series a report lists; what is beyond them is in the items. */
const MOST_ROWS = 200;

/** Kinds remembered of each sort; names come from the seizure, and a hostile one must not fill our memory. */
const MOST_KINDS = 10_000;

/** Counts items one by one; memory grows with the kinds of things seen, not with their number. */
export class Tally {
  readonly #counts = {
    items: 0,
    known: 0,
    nearDuplicate: 0,
    unseen: 0,
    knownGood: 0,
    contradicted: 0,
    unknown: 0,
    done: 0,
    partial: 0,
    rejected: 0,
    notExamined: 0,
    failed: 0,
  };
  readonly #bytes = { examinedItems: 0, examinedBytes: 0, totalBytes: 0 };
  readonly #knownBy = new Map<string, KnownBy>();
  readonly #byUnknownReason = new Counter<UnknownReason>();
  readonly #byReason = new Map<string, ReportCounts['byReason'][number]>();
  readonly #byType = new Counter<string>();
  readonly #bySeries = new Map<string, ReportFigures['bySeries'][number]>();
  readonly #months = new Counter<string>();
  readonly #cameras = new Map<string, { make: string; model: string; serials: Set<string>; items: number }>();
  readonly #distances = new Counter<number>();
  #syntheticTraces = 0;
  #withGps = 0;

  add(item: ReportItem): void {
    this.#counts.items += 1;
    this.#counts[item.outcome] += 1;
    if (item.standing !== 'none') this.#counts[item.standing] += 1;
    if (item.knownGood.length > 0 && item.matches.length > 0) this.#counts.contradicted += 1;
    if (item.unknownFor !== null) this.#byUnknownReason.add(item.unknownFor);
    const sizeBytes = item.sizeBytes ?? 0;
    this.#bytes.totalBytes += sizeBytes;
    if (item.outcome === 'done' || item.outcome === 'partial') {
      this.#bytes.examinedItems += 1;
      this.#bytes.examinedBytes += sizeBytes;
    }
    this.#byType.add(item.type);
    if (item.reason !== null) {
      const key = `${item.outcome} ${item.reason}`;
      const row = this.#byReason.get(key) ?? { outcome: item.outcome, reason: item.reason, items: 0 };
      this.#byReason.set(key, { ...row, items: row.items + 1 });
    }
    this.#addMatches(item.matches);
    this.#addCapture(item);
  }

  /** An item that matches several records of one source, scheme and code counts once there, by its best evidence. */
  #addMatches(matches: readonly ReportMatch[]): void {
    const byCode = Map.groupBy(matches, (match) =>
      JSON.stringify([
        match.source,
        match.setName,
        match.setVersion,
        match.category?.scheme ?? '',
        match.category?.code ?? null,
      ]),
    );
    for (const [key, ofCode] of byCode) {
      const [first] = ofCode;
      if (first === undefined) continue;
      const row = this.#knownBy.get(key) ?? {
        source: first.source,
        setName: first.setName,
        setVersion: first.setVersion,
        scheme: first.category?.scheme ?? 'unspecified',
        code: first.category?.code ?? null,
        label: first.category?.label ?? null,
        known: 0,
        nearDuplicate: 0,
      };
      const known = ofCode.some((match) => DIGEST_METHODS.has(match.method));
      this.#knownBy.set(key, {
        ...row,
        known: row.known + (known ? 1 : 0),
        nearDuplicate: row.nearDuplicate + (known ? 0 : 1),
      });
    }
    const series = new Map(
      matches.flatMap((match) =>
        match.series === null ? [] : [[JSON.stringify([match.source, match.series]), match] as const],
      ),
    );
    for (const [key, match] of series) {
      const row = this.#bySeries.get(key) ?? { source: match.source, series: match.series ?? '', items: 0 };
      this.#bySeries.set(key, { ...row, items: row.items + 1 });
    }
    const perceptual = matches.filter((match) => !DIGEST_METHODS.has(match.method)).map((match) => match.distance);
    if (perceptual.length > 0) this.#distances.add(Math.min(...perceptual));
  }

  #addCapture(item: ReportItem): void {
    const { capture } = item;
    if (capture === null) return;
    const month = capture.capturedAt?.slice(0, 7);
    if (month !== undefined && /^\d{4}-\d{2}$/.test(month)) this.#months.add(month);
    if (capture.gps !== null) this.#withGps += 1;
    if (capture.syntheticTraces.length > 0) this.#syntheticTraces += 1;
    if (capture.make === null && capture.model === null) return;
    const key = JSON.stringify([capture.make, capture.model]);
    if (this.#cameras.size >= MOST_KINDS && !this.#cameras.has(key)) return;
    const camera = this.#cameras.get(key) ?? {
      make: capture.make ?? '',
      model: capture.model ?? '',
      serials: new Set<string>(),
      items: 0,
    };
    camera.items += 1;
    if (capture.bodySerialNumber !== null && camera.serials.size < MOST_KINDS)
      camera.serials.add(capture.bodySerialNumber);
    this.#cameras.set(key, camera);
  }

  counts(media: number, added: ReportCounts['added']): ReportCounts {
    return {
      ...this.#counts,
      media,
      byUnknownReason: this.#byUnknownReason.rows().map(([reason, items]) => ({ reason, items })),
      knownBy: [...this.#knownBy.values()].sort(
        (a, b) => b.known - a.known || b.nearDuplicate - a.nearDuplicate || a.source.localeCompare(b.source),
      ),
      ...this.#bytes,
      byReason: [...this.#byReason.values()].sort((a, b) => b.items - a.items || a.reason.localeCompare(b.reason)),
      byType: this.#byType.rows().map(([type, items]) => ({ type, items })),
      added,
    };
  }

  figures(): ReportFigures {
    return {
      bySeries: [...this.#bySeries.values()].sort((a, b) => b.items - a.items).slice(0, MOST_ROWS),
      captureTimeline: this.#months
        .rows()
        .map(([month, items]) => ({ month, items }))
        .sort((a, b) => a.month.localeCompare(b.month)),
      cameras: [...this.#cameras.values()]
        .map(({ serials, ...camera }) => ({ ...camera, serialNumbers: serials.size }))
        .sort((a, b) => b.items - a.items)
        .slice(0, MOST_ROWS),
      distanceHistogram: this.#distances
        .rows()
        .map(([distance, items]) => ({ distance, items }))
        .sort((a, b) => a.distance - b.distance),
      syntheticTraces: this.#syntheticTraces,
      withGps: this.#withGps,
    };
  }
}

class Counter<K extends string | number> {
  readonly #counts = new Map<K, number>();

  add(key: K): void {
    if (this.#counts.size >= MOST_KINDS && !this.#counts.has(key)) return;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  /** Most frequent first. */
  rows(): [K, number][] {
    return [...this.#counts].sort((a, b) => b[1] - a[1]);
  }
}
