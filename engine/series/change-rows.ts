import type { ChangedColumn, ChangedTable, SeriesChangeEntry } from '../../schemas/series.ts';
import type { Transaction } from '../store/db.ts';

interface TableShape {
  readonly key: string;
  /** The column of the series, subject or place that a row belongs to, where the row has no number of its own. */
  readonly owner: string | null;
}

export const TABLE_SHAPES: Readonly<Record<ChangedTable, TableShape>> = {
  series: { key: 'series_id', owner: null },
  subject: { key: 'subject_id', owner: null },
  place: { key: 'place_id', owner: null },
  camera: { key: 'camera_id', owner: null },
  series_link: { key: 'link_id', owner: null },
  series_media: { key: 'media_id', owner: 'series_id' },
  subject_face: { key: 'face_id', owner: 'subject_id' },
  place_media: { key: 'media_id', owner: 'place_id' },
};

export const COLUMN_TYPES: Readonly<Record<ChangedColumn, 'bigint' | 'text' | 'timestamptz'>> = {
  series_id: 'bigint',
  subject_id: 'bigint',
  merged_into: 'bigint',
  victim_identified: 'text',
  reference: 'text',
  withdrawn_at: 'timestamptz',
};

type Packed = SeriesChangeEntry['ids'];

/** Numbers in rising order, a run of neighbours as a pair: those of one batch mostly are neighbours. */
export function packIds(ids: readonly number[]): Packed {
  const packed: Packed = [];
  const sorted = [...new Set(ids)].sort((one, other) => one - other);
  for (let at = 0; at < sorted.length; ) {
    const first = sorted[at] ?? 0;
    let length = 1;
    while (sorted[at + length] === first + length) length += 1;
    packed.push(length === 1 ? first : [first, first + length - 1]);
    at += length;
  }
  return packed;
}

export function unpackIds(packed: Packed): number[] {
  const ids: number[] = [];
  for (const one of packed) {
    if (typeof one === 'number') ids.push(one);
    else for (let id = one[0]; id <= one[1]; id += 1) ids.push(id);
  }
  return ids;
}

/** Puts rows back as they were before this entry. Returns whether all of them were as the entry had left them. */
export async function revertEntry(tx: Transaction, entry: SeriesChangeEntry): Promise<boolean> {
  const ids = unpackIds(entry.ids);
  const { key, owner } = TABLE_SHAPES[entry.table];
  const where = owner === null ? `${key} = any($1::bigint[])` : `${key} = any($1::bigint[]) and ${owner} = $2`;
  const params = owner === null ? [ids] : [ids, entry.owner];
  if (entry.op === 'insert')
    return (await tx.execute(`delete from ${entry.table} where ${where}`, params)) === ids.length;
  if (entry.op === 'delete') {
    const restored = await tx.execute(
      `insert into ${entry.table} overriding system value select * from jsonb_populate_recordset(null::${entry.table}, $1::jsonb)`,
      [JSON.stringify(entry.rows)],
    );
    return restored === ids.length;
  }
  const reverted = await tx.execute(
    `update ${entry.table} set ${entry.column} = $${params.length + 1}::text::${COLUMN_TYPES[entry.column]} where ${where}`,
    [...params, entry.before === null ? null : String(entry.before)],
  );
  return reverted === ids.length;
}

/**
 * The rows and cells that an entry wrote: a row by its table and number (such as `subject:7`), a cell by its column in addition. A row
 * that was moved to another owner is two rows, one that went and one that came.
 */
export function writtenKeys(entry: SeriesChangeEntry): string[] {
  const ids = unpackIds(entry.ids);
  if (entry.op !== 'set') return ids.map((id) => rowKey(entry.table, id, entry.owner));
  if (TABLE_SHAPES[entry.table].owner !== entry.column)
    return ids.map((id) => `${rowKey(entry.table, id, entry.owner)}.${entry.column}`);
  const owners = [entry.before, entry.after].filter((owner) => typeof owner === 'number');
  return ids.flatMap((id) => owners.map((owner) => rowKey(entry.table, id, owner)));
}

/** What an entry wrote, and the rows that had to be there for it. */
export function touchedKeys(entry: SeriesChangeEntry): string[] {
  return [...writtenKeys(entry), ...unpackIds(entry.ids).map((id) => rowKey(entry.table, id, entry.owner))];
}

/**
 * Series that reverting an entry puts something back into. A later merge took all that such a series had then: what came back after it
 * would be left in a series that is only a name.
 */
export function refilledKeys(entry: SeriesChangeEntry): string[] {
  if (entry.op === 'insert') return [];
  if (entry.op === 'set') return entry.column === 'series_id' ? contentsOf(entry.before) : [];
  if (entry.table === 'series_media') return contentsOf(entry.owner);
  return entry.rows.flatMap((row) => contentsOf(row['series_id']));
}

function contentsOf(seriesId: string | number | null | undefined): string[] {
  return typeof seriesId === 'number' ? [contentsKey(seriesId)] : [];
}

/** Stands for all that a series holds. */
export function contentsKey(seriesId: number): string {
  return `${rowKey('series', seriesId)}.contents`;
}

export function rowKey(table: ChangedTable, id: number, owner: number | null = null): string {
  return owner === null ? `${table}:${id}` : `${table}:${owner}:${id}`;
}
