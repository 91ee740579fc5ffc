import { HomewardError } from '../../schemas/error.ts';
import type {
  ChangedColumn,
  ChangedTable,
  SeriesChangeDetails,
  SeriesChanged,
  SeriesChangeEntry,
} from '../../schemas/series.ts';
import { type Db, jsonParam, type SqlParam, storableText, type Transaction } from '../store/db.ts';
import { lockSeriesChanges } from '../store/queries/series-turn.ts';
import { integer, row } from '../store/row-shape.ts';
import { retrying } from '../store/sqlstate.ts';
import { COLUMN_TYPES, contentsKey, packIds, rowKey, TABLE_SHAPES, unpackIds } from './change-rows.ts';
import { followChange } from './follow-change.ts';

/** Who changes a series, for whom and why. */
export interface ChangedBy {
  readonly actor: string;
  readonly organisation: string;
  /** At most 1,000 characters. */
  readonly reason?: string;
}

/** What a change made of the series, told to whoever asked for it. */
export type ChangeOutcome = Partial<Pick<SeriesChanged, 'partId' | 'created' | 'changed' | 'unchanged' | 'leftOut'>>;

/** A change holds the number of every row it touched; beyond this it would not fit its row. */
const MOST_ROWS = 500_000;
const MOST_REASON = 1_000;

/**
 * Writes the rows of one change and keeps book of them, so that they can be put back. A change that writes nothing is not recorded.
 */
export class SeriesDraft {
  readonly tx: Transaction;
  readonly by: ChangedBy;
  readonly entries: SeriesChangeEntry[] = [];
  readonly #series: number[] = [];
  readonly #restsOn = new Set<string>();

  constructor(tx: Transaction, by: ChangedBy) {
    this.tx = tx;
    this.by = by;
  }

  /** The series that the change is recorded under comes first. */
  get series(): readonly number[] {
    return this.#series;
  }

  get restsOn(): readonly string[] {
    return [...this.#restsOn];
  }

  /** Says that the change concerns a series, which can then not be undone from under it. */
  concerns(seriesId: number): void {
    if (!this.#series.includes(seriesId)) this.#series.push(seriesId);
    this.#restsOn.add(rowKey('series', seriesId));
  }

  /** Says that the change took a subject or place for granted, and the series it is in. */
  takesForGranted(table: 'subject' | 'place' | 'camera', id: number): void {
    this.#restsOn.add(rowKey(table, id));
    this.#restsOn.add(`${rowKey(table, id)}.series_id`);
  }

  /** Says that the change took all that a series holds, so that nothing can be put back into it from under it. */
  takesContents(seriesId: number): void {
    this.#restsOn.add(contentsKey(seriesId));
  }

  /** Adds one row that gets a number of its own, and returns that. */
  async insert(
    table: 'series' | 'subject' | 'place' | 'camera' | 'series_link',
    values: Readonly<Record<string, SqlParam>>,
  ): Promise<number> {
    const columns = Object.keys(values);
    const [made] = await this.tx.read(
      row({ id: integer }),
      `insert into ${table} (${columns.join(', ')}) values (${columns.map((_, at) => `$${at + 1}`).join(', ')})
       returning ${TABLE_SHAPES[table].key} as id`,
      Object.values(values),
    );
    if (made === undefined) throw new Error('a row just inserted has no number');
    this.#note({ op: 'insert', table, owner: null, ids: [made.id] });
    return made.id;
  }

  /** Adds media or faces to their owner; those that are there stay as they are. Returns the numbers of the new ones. */
  async attach(
    table: 'series_media' | 'subject_face' | 'place_media',
    owner: number,
    ids: readonly number[],
  ): Promise<number[]> {
    const shape = TABLE_SHAPES[table];
    const added = await this.tx.read(
      row({ id: integer }),
      `insert into ${table} (${shape.owner}, ${shape.key}, added_by) select $1, id, $2 from unnest($3::bigint[]) as given(id)
        where not exists (select from ${table} t where t.${shape.owner} = $1 and t.${shape.key} = given.id)
       returning ${shape.key} as id`,
      [owner, storableText(this.by.actor), [...new Set(ids)]],
    );
    if (added.length > 0) this.#note({ op: 'insert', table, owner, ids: packIds(added.map((one) => one.id)) });
    return added.map((one) => one.id);
  }

  /** Removes rows, which are kept in the history as they were: not for tables that hold more than ids, times and who did it. */
  async remove(
    table: 'subject' | 'series_media' | 'subject_face' | 'place_media',
    owner: number | null,
    ids: readonly number[],
  ): Promise<void> {
    if (ids.length === 0) return;
    const shape = TABLE_SHAPES[table];
    const removed = await this.tx.query<{ line: Record<string, string | number | null> }>(
      `delete from ${table} t where ${shape.key} = any($1::bigint[]) ${owner === null ? '' : `and ${shape.owner} = $2`}
       returning to_jsonb(t) as line`,
      owner === null ? [ids] : [ids, owner],
    );
    this.#note({ op: 'delete', table, owner, ids: packIds(ids), rows: removed.map((one) => one.line) });
  }

  /** Sets a column that is the same in all of these rows, from what it is to something else. */
  async set(
    table: ChangedTable,
    ids: readonly number[],
    column: ChangedColumn,
    change: { readonly before: string | number | null; readonly after: string | number | null },
  ): Promise<void> {
    if (ids.length === 0) return;
    const shape = TABLE_SHAPES[table];
    const moves = shape.owner === column;
    await this.tx.execute(
      `update ${table} set ${column} = $2::text::${COLUMN_TYPES[column]}
        where ${shape.key} = any($1::bigint[]) ${moves ? `and ${shape.owner} = $3` : ''}`,
      [ids, change.after === null ? null : String(change.after), ...(moves ? [change.before] : [])],
    );
    const owner = moves && typeof change.after === 'number' ? change.after : null;
    this.#note({ op: 'set', table, owner, ids: packIds(ids), column, before: change.before, after: change.after });
  }

  #note(entry: SeriesChangeEntry): void {
    this.entries.push(entry);
    const rows = this.entries.reduce((sum, one) => sum + unpackIds(one.ids).length, 0);
    if (rows > MOST_ROWS) {
      throw new HomewardError(
        'HW_SERIES_TOO_LARGE',
        `expected at most ${MOST_ROWS} media and faces in one change of a series, received ${rows}; divide it over several commands`,
      );
    }
  }
}

/**
 * Makes one change of a series in one transaction: its rows, the flags and evidence that follow from them, and the entry of the history
 * that undoes it. One change at a time for the whole database: what is checked (a face is one person's, two faces in one picture are
 * two people) would otherwise hold for each of two changes and not for both.
 * @throws what `work` throws; nothing of the change is kept then
 */
export async function changeSeries(
  db: Db,
  by: ChangedBy,
  action: string,
  work: (draft: SeriesDraft) => Promise<ChangeOutcome>,
): Promise<SeriesChanged> {
  return await retrying(
    async () =>
      await db.transaction(async (tx) => {
        await lockSeriesChanges(tx);
        const draft = new SeriesDraft(tx, by);
        const outcome = await work(draft);
        const [seriesId] = draft.series;
        if (seriesId === undefined) throw new Error('a change of a series names none');
        const told = {
          partId: null,
          created: false,
          changed: 0,
          unchanged: 0,
          leftOut: 0,
          ...outcome,
          seriesId,
          action,
        };
        if (draft.entries.length === 0) return { ...told, changeId: null, evidenceWithdrawn: 0 };
        const { evidenceWithdrawn } = await followChange(tx, draft.series, draft.entries, 'done');
        return { ...told, changeId: await record(draft, seriesId, action), evidenceWithdrawn };
      }),
  );
}

async function record(draft: SeriesDraft, seriesId: number, action: string): Promise<number> {
  const details: SeriesChangeDetails = {
    version: 1,
    series: [...draft.series],
    entries: draft.entries,
    restsOn: [...draft.restsOn],
  };
  const { actor, reason } = draft.by;
  const [written] = await draft.tx.read(
    row({ changeId: integer }),
    `insert into series_change (series_id, action, details, reason, done_by) values ($1, $2, $3, $4, $5) returning change_id`,
    [
      seriesId,
      action,
      jsonParam(details),
      reason === undefined ? null : storableText(reason).slice(0, MOST_REASON),
      storableText(actor),
    ],
  );
  if (written === undefined) throw new Error('a change just recorded has no number');
  return written.changeId;
}
