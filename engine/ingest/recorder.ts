import { DEFAULT_SUSPEND_AFTER_CASES } from '../../schemas/constants.ts';
import type { DecodeMode } from '../../schemas/fingerprint.ts';
import type { Standing } from '../../schemas/report.ts';
import { type SuspendedRecord, suspendOverused } from '../hashset/suspend.ts';
import { refreshLeads } from '../leads/refresh.ts';
import { type BitEvidence, type Contradiction, findBitEvidence, qualitiesOf } from '../match/bit-evidence.ts';
import { loadSetRules, type SetRules } from '../match/set-rules.ts';
import { isDigestMethod, standingOf } from '../match/standing.ts';
import type { BitSearch } from '../search/bit-search.ts';
import type { DigestSearch, SoughtContent } from '../search/digests/digest-search.ts';
import { DATABASE_LOOK_UP } from '../search/digests/open-digest-search.ts';
import type { Db, Transaction } from '../store/db.ts';
import { latestKnownChange } from '../store/queries/known-changes.ts';
import { knownGoodAmong, recordKnownGood } from '../store/queries/known-good.ts';
import { type RecordedGroup, recordItems } from '../store/queries/record-items.ts';
import {
  type DigestHit,
  digestEvidence,
  type FoundMatch,
  holdSetsInForce,
  matchSummaries,
  recordMatches,
  withdrawRemade,
} from '../store/queries/record-matches.ts';
import { holdSearched, noteSearched, pendingRematch } from '../store/queries/rematch-pass.ts';
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

export interface RecorderOptions {
  /** The look-up of digests; the database's own unless given. */
  readonly digests?: DigestSearch;
  /** A known record that hits more unrelated cases than this is suspended; 0: none ever is. */
  readonly suspendAfterCases?: number;
}

/** Records groups of items of one batch together with what they match: one transaction a group. */
export class Recorder {
  readonly #db: Db;
  readonly #search: BitSearch;
  readonly #digests: DigestSearch;
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
    options: RecorderOptions = {},
  ) {
    this.#db = db;
    this.#search = search;
    this.#digests = options.digests ?? DATABASE_LOOK_UP;
    this.#batchId = batch.batchId;
    this.#mode = batch.mode;
    this.#suspendAfterCases = options.suspendAfterCases ?? DEFAULT_SUSPEND_AFTER_CASES;
  }

  /**
   * Records a group, whole or not at all. Lost against another scan or cut off by the server it is tried again; where a set went out
   * of force between the search and the recording, it is searched again.
   */
  async record(rows: readonly ItemRow[]): Promise<RecordedStanding[]> {
    for (let searches = 1; ; searches += 1) {
      // Noted before: what is searched holds at least these changes.
      const searchedChangeId = await latestKnownChange(this.#db);
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
              async (tx) =>
                await this.#write(tx, rows, { evidence, rules, searchedChangeId }, searches >= MOST_SEARCHES),
            ),
        );
        this.suspended.push(...(await suspendOverused(this.#db, written.matchedRecordIds, this.#suspendAfterCases)));
        return this.#standings(rows, written);
      } catch (error) {
        if (!(error instanceof SetOutOfForce) && !(error instanceof SearchedTooEarly)) throw error;
      } finally {
        this.databaseMs += performance.now() - startedMs;
      }
    }
  }

  async #write(
    tx: Transaction,
    rows: readonly ItemRow[],
    { evidence, rules, searchedChangeId }: Searched,
    goOn: boolean,
  ): Promise<Written> {
    // Stored media were gone through with a set that this search did not see, and those recorded now would be left out.
    if ((await holdSearched(tx)) > searchedChangeId) throw new SearchedTooEarly();
    const recorded = await recordItems(tx, this.#batchId, { mode: this.#mode, searchedChangeId }, rows);
    const mediaIds = [...new Set(recorded.mediaIds.filter((id) => id !== null))];
    if ((await pendingRematch(tx)) !== null) await noteSearched(tx, mediaIds, this.#mode, searchedChangeId);
    const hits = await this.#digests.find(tx, contentsOf(rows, recorded.mediaIds));
    const found = digestEvidence(hits);
    const negative = negativesOf(hits, rules);
    for (const [at, ofRow] of evidence) {
      const mediaId = recorded.mediaIds[at];
      if (mediaId != null)
        found.push(
          ...ofRow.map(
            (one): FoundMatch => ({ ...one, mediaId, contradiction: negative.get(mediaId) ?? one.contradiction }),
          ),
        );
    }
    if (!(await holdSetsInForce(tx, [...found, ...hits])) && !goOn) throw new SetOutOfForce();
    const remade = [...new Set(recorded.remade.map((one) => one.mediaId))];
    if (found.length > 0 || remade.length > 0) await holdSeries(tx);
    if (remade.length > 0) await withdrawRemade(tx, this.#mode, recorded.remade);
    const { length: matches } = await recordMatches(tx, { mode: this.#mode }, found);
    // Only what is new changes a lead; most groups find nothing.
    if (matches > 0 || remade.length > 0)
      await refreshLeads(tx, { mediaIds: [...new Set([...found.map((one) => one.mediaId), ...remade])] });
    await recordKnownGood(tx, hits);
    const matchedRecordIds = matches > 0 ? [...new Set(found.map((one) => one.recordId))] : [];
    const known = await matchSummaries(tx, mediaIds, this.#mode);
    return { recorded, matches, matchedRecordIds, known, good: await knownGoodAmong(tx, mediaIds) };
  }

  #standings(rows: readonly ItemRow[], { recorded, matches, known, good }: Written): RecordedStanding[] {
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
          hashes: qualitiesOf(examination.picture),
          methods: of.map((one) => one.method),
          isKnownGood: mediaId !== null && good.has(mediaId),
          awaitsRematch: false,
        }).standing,
        knownAs: distinctLabels(of.filter((one) => isDigestMethod(one.method))),
      };
    });
  }
}

interface Searched {
  readonly evidence: ReadonlyMap<number, readonly BitEvidence[]>;
  readonly rules: SetRules;
  /** Of what is known, the latest change that the search saw for sure. */
  readonly searchedChangeId: number;
}

/** Contents that are a picture of a negative set themselves. */
function negativesOf(hits: readonly DigestHit[], rules: SetRules): ReadonlyMap<number, Contradiction> {
  return new Map(
    hits.flatMap(({ mediaId, recordId, purpose }) => {
      const setId = purpose === 'negative' ? rules.setOf(recordId) : null;
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
  /** Contents that a known-good set has. */
  readonly good: ReadonlySet<number>;
}

/** Each content once, as it is looked up by its digests. */
function contentsOf(rows: readonly ItemRow[], mediaIds: readonly (number | null)[]): SoughtContent[] {
  const contents = new Map<number, SoughtContent>();
  for (const [at, { examination }] of rows.entries()) {
    const mediaId = mediaIds[at];
    const { digests, sizeBytes } = examination;
    if (mediaId != null && digests !== null) contents.set(mediaId, { mediaId, sizeBytes: sizeBytes ?? 0, ...digests });
  }
  return [...contents.values()];
}

/** Rolls a group back that was searched before a set came into force with which stored media were gone through since. */
class SearchedTooEarly extends Error {}

/** Rolls a group back whose evidence rests on a set that another process took out of force meanwhile. */
class SetOutOfForce extends Error {}

type Label = RecordedStanding['knownAs'][number];

function distinctLabels(matches: readonly Label[]): Label[] {
  const labels = new Map<string, Label>();
  for (const { source, scheme, code } of matches)
    labels.set(JSON.stringify([source, scheme, code]), { source, scheme, code });
  return [...labels.values()];
}
