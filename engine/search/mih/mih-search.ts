import { BITS_ALGORITHMS } from '../../../schemas/constants.ts';
import type { CalibratedAlgorithm } from '../../match/calibration.ts';
import type { Db } from '../../store/db.ts';
import { type KnownChange, knownChangesAfter, latestKnownChange } from '../../store/queries/known-changes.ts';
import type { BitHit, BitQuery, BitSearch } from '../bit-search.ts';
import { type FollowOptions, followKnownChanges } from '../follow-changes.ts';
import { builtSegments, type SegmentsByAlgorithm, segmentsComparedWith } from './build-segments.ts';
import { collectGarbage } from './collect-garbage.ts';
import { gatherSegments, segmentsToGather } from './gather-segments.ts';
import { loadHashes, type StoredAlgorithm } from './load-hashes.ts';
import { MihThreads } from './mih-threads.ts';
import { RecordIntervals } from './record-intervals.ts';
import { searchSegments } from './search-segments.ts';
import type { Segment } from './segment.ts';
import { openSnapshot, saveSnapshot } from './snapshot.ts';

/** Fewer are loaded from the store in less time than a snapshot takes to be checked. */
const LEAST_SAVED = 200_000;

export interface MihOptions {
  /** Threads that search; one for each core, unless given. */
  readonly threads?: number;
  /** Where the index is kept between two runs; null: it is loaded from the store every time. */
  readonly snapshotFolder?: string | null;
  /** How many hashes an index has that is kept. */
  readonly leastSaved?: number;
}

/**
 * Multi-index hashing over all that is searched, in shared memory, by several threads. It follows the store: before every answer it asks
 * for the number of the latest change, loads what was added as a segment of its own and marks what was withdrawn. Small segments are
 * gathered into larger ones in the background.
 */
export class MihSearch implements BitSearch {
  readonly #db: Db;
  readonly #threads: MihThreads;
  readonly #folder: string | null;
  readonly #leastSaved: number;
  #segments: Map<StoredAlgorithm, readonly Segment[]>;
  #changeId: number;
  /** Of the state that the snapshot on disk holds; null where there is none. */
  #savedChangeId: number | null;
  /** Following is done by one caller after the other; searching is not. */
  #following: Promise<void> = Promise.resolve();
  #gathering: Promise<void> = Promise.resolve();
  /** What was withdrawn while segments are being gathered, and so may be in what comes out. */
  #withdrawnMeanwhile: RecordIntervals | null = null;
  #searches = 0;
  /** Out of use, but a search that began before may still name them. */
  #retired: Segment[] = [];

  private constructor(
    db: Db,
    threads: MihThreads,
    options: MihOptions,
    opened: { readonly segments: SegmentsByAlgorithm; readonly changeId: number; readonly fromSnapshot: boolean },
  ) {
    this.#db = db;
    this.#threads = threads;
    this.#folder = options.snapshotFolder ?? null;
    this.#leastSaved = options.leastSaved ?? LEAST_SAVED;
    this.#segments = new Map(opened.segments);
    this.#changeId = opened.changeId;
    this.#savedChangeId = opened.fromSnapshot ? opened.changeId : null;
  }

  /** From the snapshot where it is whole and of this database, otherwise from the store. */
  static async open(db: Db, options: MihOptions = {}): Promise<MihSearch> {
    const threads = new MihThreads(options.threads);
    try {
      const saved = options.snapshotFolder == null ? null : await openSnapshot(db, options.snapshotFolder, threads);
      if (saved !== null) {
        const search = new MihSearch(db, threads, options, { ...saved, fromSnapshot: true });
        await search.#follow();
        return search;
      }
      const { changeId, loaded } = await db.transaction(async (tx) => {
        // One snapshot for both: a change is in the rows exactly when its number is counted.
        await tx.execute('set transaction isolation level repeatable read');
        return { changeId: await latestKnownChange(tx), loaded: await loadHashes(tx) };
      });
      const segments = await builtSegments(threads, loaded);
      return new MihSearch(db, threads, options, { segments, changeId, fromSnapshot: false });
    } catch (error) {
      await threads.close();
      throw error;
    }
  }

  get description(): string {
    return `multi-index hashing in memory (exact), state ${this.#changeId}`;
  }

  /** Number of the latest change of the store that the next answer is sure to know. */
  get changeId(): number {
    return this.#changeId;
  }

  async within(queries: readonly BitQuery[]): Promise<BitHit[]> {
    await this.#follow();
    const segments = this.#segments;
    this.#searches += 1;
    try {
      return await searchSegments(this.#threads, segments, queries);
    } finally {
      this.#searches -= 1;
      this.#letGo();
    }
  }

  async size(algorithm: CalibratedAlgorithm): Promise<number> {
    let size = 0;
    for (const segment of segmentsComparedWith(this.#segments, algorithm)) size += segment.liveCount();
    return size;
  }

  /** Waits for the background; then saves what is not saved yet. */
  async close(): Promise<void> {
    await this.#following.catch(() => undefined);
    await this.#gathering.catch(() => undefined);
    try {
      await this.save();
    } finally {
      await this.#threads.close();
    }
  }

  /** Writes the snapshot where there is a folder for it and something new to keep. */
  async save(): Promise<void> {
    let count = 0;
    for (const segments of this.#segments.values()) for (const segment of segments) count += segment.count;
    if (this.#folder === null || count < this.#leastSaved || this.#savedChangeId === this.#changeId) return;
    const changeId = this.#changeId;
    await saveSnapshot(this.#db, this.#folder, this.#threads, { segments: this.#segments, changeId });
    this.#savedChangeId = changeId;
  }

  /**
   * Takes changes over as the store tells of them, and looks for them every `pollMs`, until `signal` is aborted: the next answer has not to
   * wait for what came in meanwhile. What is answered is right without it too.
   */
  async keepUp(options: Pick<FollowOptions, 'signal' | 'pollMs' | 'onFailure'>): Promise<void> {
    const onChange = async (): Promise<void> => await this.#follow();
    await followKnownChanges(this.#db, { ...options, after: this.#changeId, onChange });
  }

  /** For tests and benches: until nothing is left to do in the background. */
  async settled(): Promise<void> {
    await this.#gathering;
  }

  /** Takes over what changed in the store; a search that waits for it sees everything that was committed when it was asked. */
  async #follow(): Promise<void> {
    const turn = this.#following.then(
      () => this.#takeChanges(),
      () => this.#takeChanges(),
    );
    this.#following = turn;
    await turn;
  }

  async #takeChanges(): Promise<void> {
    const changes = await knownChangesAfter(this.#db, this.#changeId);
    // What follows each other is withdrawn at once: a delta may name thousands.
    const gone: KnownChange[] = [];
    for (const change of changes) {
      if (change.kind === 'withdrawn') {
        gone.push(change);
        continue;
      }
      this.#withdraw(gone.splice(0));
      await this.#add(change);
      this.#changeId = change.changeId;
    }
    this.#withdraw(gone);
    this.#changeId = changes.at(-1)?.changeId ?? this.#changeId;
    if (changes.length > 0) this.#gather();
  }

  #withdraw(changes: readonly KnownChange[]): void {
    const intervals = changes.map((change) => [change.firstRecordId, change.lastRecordId] as const);
    for (const segments of this.#segments.values()) for (const segment of segments) segment.withdraw(intervals);
    for (const [first, last] of intervals) this.#withdrawnMeanwhile?.add(first, last);
  }

  async #add(change: KnownChange): Promise<void> {
    const { firstRecordId, lastRecordId } = change;
    const from = `(select * from searched_bits where record_id between ${firstRecordId} and ${lastRecordId})`;
    const loaded = await this.#db.transaction(async (tx) => await loadHashes(tx, from));
    const added = await builtSegments(this.#threads, loaded);
    // What is told of again, such as a set that is matched anew, takes the place of what is here: twice it would be another answer than the scan's.
    this.#withdraw([change]);
    for (const [algorithm, more] of added)
      this.#segments.set(algorithm, [...(this.#segments.get(algorithm) ?? []), ...more]);
  }

  #gather(): void {
    this.#gathering = this.#gathering
      .catch(() => undefined)
      .then(async () => {
        for (const algorithm of BITS_ALGORITHMS) {
          const old = segmentsToGather(this.#segments.get(algorithm) ?? []);
          if (old.length === 0) continue;
          const meanwhile = new RecordIntervals();
          this.#withdrawnMeanwhile = meanwhile;
          const made = await gatherSegments(this.#threads, old);
          // From here to the end without waiting, so that nothing is withdrawn in between. Only what was withdrawn since it began: a record
          // that was withdrawn before and came back is in one of the old ones, and must be found.
          this.#withdrawnMeanwhile = null;
          made?.withdraw(meanwhile.toPairs());
          const kept = (this.#segments.get(algorithm) ?? []).filter((segment) => !old.includes(segment));
          this.#segments.set(algorithm, made === null ? kept : [made, ...kept]);
          this.#retired.push(...old);
          this.#letGo();
        }
      });
    // Where it fails the segments stay as they are, which is as exact and only slower; it is tried again with the next change.
    this.#gathering.catch(() => undefined);
  }

  #letGo(): void {
    if (this.#searches > 0) return;
    const retired = this.#retired.splice(0);
    for (const segment of retired) this.#threads.detach(segment);
    // Of a few hashes the memory is not worth a pause.
    if (retired.some((segment) => segment.count >= LEAST_SAVED)) setImmediate(collectGarbage);
  }
}
