import { DEFAULT_SUSPEND_AFTER_CASES } from '../../schemas/constants.ts';
import type { DecodeMode } from '../../schemas/fingerprint.ts';
import type { Standing } from '../../schemas/report.ts';
import { type SuspendedRecord, suspendOverused } from '../hashset/suspend.ts';
import { refreshLeads } from '../leads/refresh.ts';
import { type BitEvidence, type Contradiction, findBitEvidence } from '../match/bit-evidence.ts';
import { loadSetRules, type SetRules } from '../match/set-rules.ts';
import { isDigestMethod, standingOf } from '../match/standing.ts';
import type { BitSearch } from '../search/bit-search.ts';
import type { Db, Transaction } from '../store/db.ts';
import { type RecordedGroup, recordItems } from '../store/queries/record-items.ts';
import {
  type FoundMatch,
  findDigestMatches,
  holdSetsInForce,
  matchSummaries,
  recordMatches,
} from '../store/queries/record-matches.ts';
import { holdSeries } from '../store/queries/series-turn.ts';
import { retrying } from '../store/sqlstate.ts';
import type { ItemRow } from './row-writer.ts';

/** A row as it was recorded, as far as counting is concerned. */
export interface RecordedStanding {
  readonly standing: Standing;
  /** Sources, schemes and codes of its digest matches, each once, by however many records and digests. */
  readonly knownAs: readonly { readonly source: string; readonly scheme: string; readonly code: string | null }[];
}

/** Sets may come and go faster than they are searched: after the second search, evidence of what is gone by then is left out. */
const MOST_SEARCHES = 2;

/** Records groups of items of one batch together with what they match: one transaction a group. */
export class Recorder {
  readonly #db: Db;
  readonly #search: BitSearch;
  readonly #batchId: string;
  readonly #mode: DecodeMode;
  readonly #suspendAfterCases: number;
  readonly added = { items: 0, media: 0, matches: 0 };
  /** Records that this batch was one case too many for. */
  readonly suspended: SuspendedRecord[] = [];
  /** Time spent waiting for the database and for the search, for the benchmark's figures. */
  databaseMs = 0;

  constructor(
    db: Db,
    search: BitSearch,
    batch: { readonly batchId: string; readonly mode: DecodeMode },
    suspendAfterCases = DEFAULT_SUSPEND_AFTER_CASES,
  ) {
    this.#db = db;
    this.#search = search;
    this.#batchId = batch.batchId;
    this.#mode = batch.mode;
    this.#suspendAfterCases = suspendAfterCases;
  }

  /**
   * Records a group, whole or not at all. Lost against another scan or cut off by the server it is tried again; where a set went out
   * of force between the search and the recording, it is searched again.
   */
  async record(rows: readonly ItemRow[]): Promise<RecordedStanding[]> {
    for (let searches = 1; ; searches += 1) {
      // Before the transaction: the search may take its time, and holds no lock while it does.
      const rules = await loadSetRules(this.#db);
      const evidence = await findBitEvidence(
        this.#search,
        rows.map((row) => row.examination),
        rules,
      );
      const startedMs = performance.now();
      try {
        const written = await retrying(
          async () =>
            await this.#db.transaction(
              async (tx) => await this.#write(tx, rows, { evidence, rules }, searches >= MOST_SEARCHES),
            ),
        );
        this.suspended.push(...(await suspendOverused(this.#db, written.matchedRecordIds, this.#suspendAfterCases)));
        return this.#standings(rows, written);
      } catch (error) {
        if (!(error instanceof SetOutOfForce)) throw error;
      } finally {
        this.databaseMs += performance.now() - startedMs;
      }
    }
  }

  async #write(
    tx: Transaction,
    rows: readonly ItemRow[],
    { evidence, rules }: { readonly evidence: ReadonlyMap<number, readonly BitEvidence[]>; readonly rules: SetRules },
    goOn: boolean,
  ): Promise<Written> {
    const recorded = await recordItems(tx, this.#batchId, this.#mode, rows);
    const mediaIds = [...new Set(recorded.mediaIds.filter((id) => id !== null))];
    const byDigest = await findDigestMatches(tx, mediaIds);
    const found = byDigest.filter((one) => rules.purposeOf(one.recordId) === 'known');
    const negative = negativesOf(byDigest, rules);
    for (const [at, ofRow] of evidence) {
      const mediaId = recorded.mediaIds[at];
      if (mediaId != null)
        found.push(
          ...ofRow.map(
            (one): FoundMatch => ({ ...one, mediaId, contradiction: negative.get(mediaId) ?? one.contradiction }),
          ),
        );
    }
    if (!(await holdSetsInForce(tx, found)) && !goOn) throw new SetOutOfForce();
    if (found.length > 0) await holdSeries(tx);
    const matches = await recordMatches(tx, this.#mode, found);
    // Only what is new changes a lead; most groups find nothing.
    if (matches > 0) await refreshLeads(tx, { mediaIds: [...new Set(found.map((one) => one.mediaId))] });
    const matchedRecordIds = matches > 0 ? [...new Set(found.map((one) => one.recordId))] : [];
    return { recorded, matches, matchedRecordIds, known: await matchSummaries(tx, mediaIds, this.#mode) };
  }

  #standings(rows: readonly ItemRow[], { recorded, matches, known }: Written): RecordedStanding[] {
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

/** Contents that are a picture of a negative set themselves. */
function negativesOf(found: readonly FoundMatch[], rules: SetRules): ReadonlyMap<number, Contradiction> {
  return new Map(
    found.flatMap(({ mediaId, recordId }) => {
      const setId = rules.purposeOf(recordId) === 'negative' ? rules.setOf(recordId) : null;
      return setId === null ? [] : [[mediaId, { setId, recordId, distanceBits: 0 }] as const];
    }),
  );
}

interface Written {
  readonly recorded: RecordedGroup;
  readonly matches: number;
  /** None where nothing new was found. */
  readonly matchedRecordIds: readonly number[];
  readonly known: Awaited<ReturnType<typeof matchSummaries>>;
}

/** Rolls a group back whose evidence rests on a set that another process took out of force meanwhile. */
class SetOutOfForce extends Error {}

type Label = RecordedStanding['knownAs'][number];

function distinctLabels(matches: readonly Label[]): Label[] {
  const labels = new Map<string, Label>();
  for (const { source, scheme, code } of matches)
    labels.set(JSON.stringify([source, scheme, code]), { source, scheme, code });
  return [...labels.values()];
}
