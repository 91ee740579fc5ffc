import { createHash } from 'node:crypto';
import type { Transaction } from '../store/db.ts';
import { row, text } from '../store/row-shape.ts';

const PAGE = 10_000;
const LINE = row({ sortKey: text, line: text });

/**
 * SHA-256 over what is about to be erased, one line each: `batch UUID`, `item NUMBER`, `media NUMBER`, in that order and within each by
 * number. It says of an erasure what went, to who holds the numbers, and nothing to who does not. Needs the tables of chooseMaterial.
 */
export async function commitmentOf(tx: Transaction): Promise<Buffer> {
  const hash = createHash('sha256');
  const parts = [
    'select batch_id::text as sort_key, $$batch $$ || batch_id as line from erased_batch where batch_id::text > $1',
    // Padded, so that the order of the text is that of the numbers.
    `select lpad(i.item_id::text, 20, '0') as sort_key, 'item ' || i.item_id as line
       from item i join erased_batch using (batch_id) where i.item_id > coalesce(nullif($1, '')::bigint, 0)`,
    `select lpad(media_id::text, 20, '0') as sort_key, 'media ' || media_id as line
       from erased_media where media_id > coalesce(nullif($1, '')::bigint, 0)`,
  ];
  for (const part of parts) {
    for (let after = ''; ; ) {
      const page = await tx.read(LINE, `${part} order by 1 limit ${PAGE}`, [after]);
      for (const { line } of page) hash.update(`${line}\n`);
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) break;
      after = last.sortKey;
    }
  }
  return hash.digest();
}
