import { Type } from 'typebox';
import { TLP_LEVELS, type Tlp } from '../../schemas/access.ts';
import { SET_PURPOSES, type SetPurpose } from '../../schemas/constants.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { KnownBits, KnownRecord } from '../../schemas/known-record.ts';
import type { LeadsFollowed } from '../leads/follow-sets.ts';
import type { Db } from '../store/db.ts';
import { bytes, integer, json, nullable, oneOf, row, text, timestamp } from '../store/row-shape.ts';
import { retrying } from '../store/sqlstate.ts';
import { FLAG_NAMES } from './formats/record-batch.ts';
import { removeFromForce } from './promote.ts';
import { SET_STATES } from './set-states.ts';
import { dropStageTables, stageTables } from './stage-tables.ts';

const SET = row({
  setId: integer,
  source: text,
  name: text,
  version: integer,
  revision: integer,
  purpose: oneOf(SET_PURPOSES),
  radiusBits: nullable(integer),
  heldReason: nullable(text),
  contentSha256: bytes,
  format: text,
  formatVersion: nullable(text),
  categoryScheme: text,
  state: oneOf(SET_STATES),
  recordCount: integer,
  importedAt: timestamp,
  importedBy: text,
  updatedAt: nullable(timestamp),
  tlp: oneOf(TLP_LEVELS),
  owner: nullable(text),
});

export interface HashSet {
  readonly setId: number;
  readonly source: string;
  readonly name: string;
  readonly version: number;
  /** How many deltas changed it since its import. */
  readonly revision: number;
  readonly purpose: SetPurpose;
  /** Of its perceptual hashes, where it is not the policy's. */
  readonly radiusBits: number | null;
  /** Why it waits for a person; null for any other state. */
  readonly heldReason: string | null;
  readonly sha256: string;
  readonly format: string;
  readonly formatVersion: string | null;
  readonly categoryScheme: string;
  readonly state: (typeof SET_STATES)[number];
  readonly records: number;
  readonly importedAt: string;
  readonly importedBy: string;
  readonly updatedAt: string | null;
  /** How far it may go. */
  readonly tlp: Tlp;
  /** The organisation whose it is; null: the one that runs the engine. */
  readonly owner: string | null;
}

const SELECT = `select set_id, source, name, version, revision, purpose, radius_bits, held_reason, content_sha256, format, format_version,
         category_scheme, state, record_count, imported_at, imported_by, updated_at, tlp,
         owner_organisation_id as owner
  from hash_set`;

/** Every version of every set, those in force first. */
export async function listSets(db: Db): Promise<HashSet[]> {
  const found = await db.read(SET, `${SELECT} order by state <> 'active', source, name, version`);
  return found.map(({ contentSha256, recordCount, ...set }) => ({
    ...set,
    sha256: contentSha256.toString('hex'),
    records: recordCount,
  }));
}

/**
 * Says how far a set may go (Traffic Light Protocol 2.0), and the series that its records name; versions to come are handled alike.
 * Whoever may not be told of it by then is told nothing of it from the next answer on.
 */
export async function setTlp(db: Db, { setId, source, name }: HashSet, tlp: Tlp): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.execute('update hash_set set tlp = $3 where source = $1 and name = $2', [source, name, tlp]);
    await tx.execute(
      'update series set tlp = $2 where series_id in (select series_id from known_record where set_id = $1 and series_id is not null)',
      [setId, tlp],
    );
  });
}

/**
 * The set of this name that is in force.
 * @throws HomewardError HW_SET_NOT_FOUND when there is none, or several sources have one and none is named
 */
export async function setInForce(db: Db, name: string, source: string | undefined): Promise<HashSet> {
  const found = (await listSets(db)).filter(
    (set) => set.state === 'active' && set.name === name && (source === undefined || set.source === source),
  );
  const [only] = found;
  if (only === undefined || found.length > 1) {
    const sources = found.map((set) => JSON.stringify(set.source)).join(', ');
    throw new HomewardError(
      'HW_SET_NOT_FOUND',
      found.length > 1
        ? `expected one hash set named ${JSON.stringify(name)}, found one of each of ${sources}; say which with --source`
        : `expected the name of a hash set in force, received ${JSON.stringify(name)}; homeward hashset list shows what is there`,
    );
  }
  return only;
}

export interface SetBreakdown {
  readonly categories: readonly { readonly code: string | null; readonly records: number }[];
  readonly hashes: readonly { readonly algorithm: string; readonly records: number }[];
  readonly series: number;
  /** Rejected records by reason and what else the import noted, as it was recorded then. */
  readonly counts: unknown;
}

/** What a set holds, counted. */
export async function showSet(db: Db, setId: number): Promise<SetBreakdown> {
  const categories = await db.read(
    row({ code: nullable(text), records: integer }),
    'select category_code as code, count(*) as records from known_record where set_id = $1 group by category_code order by records desc',
    [setId],
  );
  const hashes = await db.read(
    row({ algorithm: text, records: integer }),
    `select 'md5' as algorithm, count(md5) as records from known_record where set_id = $1
     union all select 'sha1', count(sha1) from known_record where set_id = $1
     union all select 'sha256', count(sha256) from known_record where set_id = $1
     union all (select algorithm, count(*) from known_bits where set_id = $1 group by algorithm order by algorithm)
     union all select 'photodna', count(*) from known_photodna where set_id = $1`,
    [setId],
  );
  const [series] = await db.read(
    row({ series: integer }),
    'select count(distinct series_id) as series from known_record where set_id = $1',
    [setId],
  );
  const [counted] = await db.read(
    row({ counts: json(Type.Unknown()) }),
    'select counts from hash_set where set_id = $1',
    [setId],
  );
  return {
    categories,
    hashes: hashes.filter((one) => one.records > 0),
    series: series?.series ?? 0,
    counts: counted?.counts ?? {},
  };
}

/** Takes a set out of force. What it matched stays readable as evidence and is marked as withdrawn; leads follow. */
export async function removeSet(db: Db, setId: number): Promise<LeadsFollowed> {
  return await retrying(
    async () =>
      await db.transaction(async (tx) => {
        await dropStageTables(tx, stageTables(setId));
        return await removeFromForce(tx, setId);
      }),
  );
}

const PAGE_RECORDS = 5_000;
const RECORD = row({
  recordId: integer,
  sourceKey: nullable(text),
  md5: nullable(text),
  sha1: nullable(text),
  sha256: nullable(text),
  sizeBytes: nullable(integer),
  categoryCode: nullable(text),
  seriesId: nullable(integer),
  series: nullable(text),
  tags: nullable(text),
  flags: integer,
});
const PHOTO_DNA = row({ recordId: integer, value: text });
const BITS = row({ recordId: integer, algorithm: text, hex: text, quality: nullable(integer) });

export interface PlacedRecord {
  readonly recordId: number;
  readonly seriesId: number | null;
  readonly record: KnownRecord;
}

/** Records of a set after a number, in the order they were received; several hashes of one record in an order of their own, always the same. */
export async function recordPage(db: Db, setId: number, after: number, most: number): Promise<PlacedRecord[]> {
  const page = await db.read(
    RECORD,
    `select r.record_id, r.source_key, encode(r.md5, 'hex') as md5, encode(r.sha1, 'hex') as sha1, encode(r.sha256, 'hex') as sha256,
            r.size_bytes, r.category_code, r.series_id, e.name as series, r.tags, r.flags
       from known_record r left join series e on e.series_id = r.series_id
      where r.set_id = $1 and r.record_id > $2 order by r.record_id limit $3`,
    [setId, after, most],
  );
  const last = page.at(-1);
  if (last === undefined) return [];
  // bit(256) has no other way to hexadecimal in SQL than by its binary form, whose first four bytes are its length.
  const bits = await db.read(
    BITS,
    `select record_id, algorithm, encode(substring(bit_send(bits) from 5), 'hex') as hex, quality
       from known_bits where set_id = $1 and record_id > $2 and record_id <= $3 order by record_id, algorithm, bits, quality`,
    [setId, after, last.recordId],
  );
  const photoDna = await db.read(
    PHOTO_DNA,
    `select record_id, value::text as value from known_photodna
      where set_id = $1 and record_id > $2 and record_id <= $3 order by record_id, orientation`,
    [setId, after, last.recordId],
  );
  const photoDnaOf = Map.groupBy(photoDna, (one) => one.recordId);
  const bitsOf = Map.groupBy(bits, (one) => one.recordId);
  return page.map(({ recordId, seriesId, flags, ...record }) => {
    const values = (photoDnaOf.get(recordId) ?? []).map((one) => photoDnaHex(one.value));
    return {
      recordId,
      seriesId,
      record: {
        ...record,
        bits: (bitsOf.get(recordId) ?? []).map(knownBits),
        ...(values.length === 0 ? {} : { photoDna: values }),
        ...flagsOf(flags),
      },
    };
  });
}

/** All records of a set, page by page. */
export async function* setRecords(db: Db, setId: number): AsyncGenerator<KnownRecord> {
  for (let after = 0; ; ) {
    const page = await recordPage(db, setId, after, PAGE_RECORDS);
    for (const { record } of page) yield record;
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.recordId;
  }
}

/** From pgvector's text form, `[1,2,...]`. */
const photoDnaHex = (value: string): string => Buffer.from(value.slice(1, -1).split(',').map(Number)).toString('hex');

function knownBits(stored: {
  readonly algorithm: string;
  readonly hex: string;
  readonly quality: number | null;
}): KnownBits {
  const { algorithm, hex, quality } = stored;
  if (algorithm === 'blockhash-256-r512') return { algorithm, flavour: null, hex, quality };
  return {
    algorithm: 'pdq',
    flavour: algorithm === 'pdq-512' || algorithm === 'pdq-full' ? algorithm : null,
    hex,
    quality,
  };
}

type FlagName = (typeof FLAG_NAMES)[number];

function flagsOf(flags: number): Record<FlagName, boolean | null> {
  const value = (name: FlagName): boolean | null => {
    const at = FLAG_NAMES.indexOf(name) * 2;
    return (flags & (1 << at)) === 0 ? null : (flags & (2 << at)) !== 0;
  };
  return {
    victimIdentified: value('victimIdentified'),
    offenderIdentified: value('offenderIdentified'),
    distributed: value('distributed'),
    precategorised: value('precategorised'),
    suspected: value('suspected'),
  };
}
