import { randomBytes } from 'node:crypto';
import type { Queryable } from '../store/db.ts';
import { bytes, row } from '../store/row-shape.ts';

/** A key of this installation, 32 random bytes, made when it is first asked for and the same for all nodes from then on. */
export async function accessSecret(db: Queryable, name: 'probes' | 'review'): Promise<Buffer> {
  const [found] = await db.read(row({ key: bytes }), 'select key from access_secret where name = $1', [name]);
  if (found !== undefined) return found.key;
  await db.execute('insert into access_secret (name, key) values ($1, $2) on conflict do nothing', [
    name,
    randomBytes(32),
  ]);
  return await accessSecret(db, name);
}
