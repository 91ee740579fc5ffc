import { HomewardError } from '../../../schemas/error.ts';
import type { Db } from '../db.ts';
import { integer, nullable, row, text } from '../row-shape.ts';
import type { ServerSetting, StoredAmounts } from '../tune.ts';
import { listSpaces, spaceName } from './embedding-spaces.ts';
import { countVectors } from './gallery.ts';
import { type IndexBuild, indexBuildMegabytes, indexedAs } from './vector-indexes.ts';

const SETTING = row({ name: text, value: text, unit: nullable(text), choices: nullable(text) });

/** The settings of the server as they are in force. Any user may read them. */
export async function readServerSettings(db: Db): Promise<ServerSetting[]> {
  const settings = await db.read(
    SETTING,
    `select name, setting as value, unit, array_to_string(enumvals, ',') as choices from pg_settings`,
  );
  if (settings.length === 0)
    throw new HomewardError(
      'HW_DATABASE',
      'expected the settings of the server in pg_settings, received none; give its user the right to read them',
    );
  return settings.map((one) => ({ ...one, choices: one.choices?.split(',') ?? [] }));
}

/** What is stored, as far as settings depend on it. Spaces below `leastIndexed` vectors need no index. */
export async function storedAmounts(db: Db, build: IndexBuild, leastIndexed: number): Promise<StoredAmounts> {
  const [counted] = await db.read(
    row({ hashes: integer }),
    // An estimate, as the last analyze left it: counting hundreds of millions would take minutes.
    `select greatest(0, reltuples)::bigint as hashes from pg_class where oid = 'known_bits'::regclass`,
  );
  let indexBuildMb = 0;
  let largestIndex: string | null = null;
  for (const space of await listSpaces(db)) {
    const type = indexedAs(space.dimensions, db.capabilities);
    if (space.state === 'retired' || type === null) continue;
    const vectors = await countVectors(db, space, 'all');
    const megabytes = indexBuildMegabytes(space.dimensions, vectors, type, build);
    if (vectors < leastIndexed || megabytes <= indexBuildMb) continue;
    indexBuildMb = megabytes;
    largestIndex = spaceName(space);
  }
  return { hashes: counted?.hashes ?? 0, indexBuildMb, largestIndex };
}
