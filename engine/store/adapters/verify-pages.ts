import { HomewardError } from '../../../schemas/error.ts';
import { type Db, quoted } from '../db.ts';
import { row, text } from '../row-shape.ts';
import { damaged } from './data-folder.ts';

/**
 * Reads every row of every table, which holds each page against its checksum (initdb of PostgreSQL 18 turns them on).
 * Costs about a second for 200 MB; done only when a power loss may have left pages half written.
 * @throws HW_DATA_DAMAGED
 */
export async function verifyPages(db: Db): Promise<void> {
  const tables = await db.read(
    row({ schema: text, name: text }),
    `select n.nspname as schema, c.relname as name
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'm') and c.relpersistence = 'p' and n.nspname not in ('pg_toast', 'information_schema')
      order by 1, 2`,
  );
  for (const table of tables) {
    try {
      await db.execute(`select count(*) from ${quoted(table.schema)}.${quoted(table.name)}`);
    } catch (error) {
      if (error instanceof HomewardError && error.code === 'HW_DATA_DAMAGED')
        throw damaged('a page does not fit its checksum', error);
      throw damaged('a table cannot be read', error);
    }
  }
}
