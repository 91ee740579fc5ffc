import type { DecodeMode } from '../../schemas/fingerprint.ts';
import type { Standing } from '../../schemas/report.ts';
import { findBitEvidence } from '../match/bit-evidence.ts';
import { isDigestMethod, standingOf } from '../match/standing.ts';
import type { BitSearch } from '../search/bit-search.ts';
import type { Db } from '../store/db.ts';
import { recordItems } from '../store/queries/record-items.ts';
import { type FoundMatch, findDigestMatches, matchSummaries, recordMatches } from '../store/queries/record-matches.ts';
import type { ItemRow } from './row-writer.ts';

/** A row as it was recorded, as far as counting is concerned. */
export interface RecordedStanding {
  readonly standing: Standing;
  /** Sources, schemes and codes of its digest matches, each once, by however many records and digests. */
  readonly knownAs: readonly { readonly source: string; readonly scheme: string; readonly code: string | null }[];
}

/** Records groups of items of one batch together with what they match: one transaction a group. */
export class Recorder {
  readonly #db: Db;
  readonly #search: BitSearch;
  readonly #batchId: string;
  readonly #mode: DecodeMode;
  readonly added = { items: 0, media: 0, matches: 0 };
  /** Time spent waiting for the database and for the search, for the benchmark's figures. */
  databaseMs = 0;

  constructor(db: Db, search: BitSearch, batch: { readonly batchId: string; readonly mode: DecodeMode }) {
    this.#db = db;
    this.#search = search;
    this.#batchId = batch.batchId;
    this.#mode = batch.mode;
  }

  async record(rows: readonly ItemRow[]): Promise<RecordedStanding[]> {
    // Before the transaction: the search may take its time, and holds no lock while it does.
    const evidence = await findBitEvidence(
      this.#search,
      rows.map((row) => row.examination),
    );
    const startedMs = performance.now();
    const { recorded, matches, known } = await this.#db.transaction(async (tx) => {
      const group = await recordItems(tx, this.#batchId, this.#mode, rows);
      const mediaIds = [...new Set(group.mediaIds.filter((id) => id !== null))];
      const found = await findDigestMatches(tx, mediaIds);
      for (const [at, ofRow] of evidence) {
        const mediaId = group.mediaIds[at];
        if (mediaId != null) found.push(...ofRow.map((one): FoundMatch => ({ ...one, mediaId })));
      }
      const newMatches = await recordMatches(tx, this.#mode, found);
      return { recorded: group, matches: newMatches, known: await matchSummaries(tx, mediaIds, this.#mode) };
    });
    this.databaseMs += performance.now() - startedMs;
    this.added.items += recorded.newItems;
    this.added.media += recorded.newMedia;
    this.added.matches += matches;
    const byMedia = Map.groupBy(known, (one) => one.mediaId);
    return rows.map(({ examination }, at) => {
      const mediaId = recorded.mediaIds[at] ?? null;
      const of = mediaId === null ? [] : (byMedia.get(mediaId) ?? []);
      return {
        standing: standingOf({
          outcome: examination.outcome,
          isPicture: examination.picture !== null,
          methods: of.map((one) => one.method),
        }),
        knownAs: distinctLabels(of.filter((one) => isDigestMethod(one.method))),
      };
    });
  }
}

type Label = RecordedStanding['knownAs'][number];

function distinctLabels(matches: readonly Label[]): Label[] {
  const labels = new Map<string, Label>();
  for (const { source, scheme, code } of matches)
    labels.set(JSON.stringify([source, scheme, code]), { source, scheme, code });
  return [...labels.values()];
}
