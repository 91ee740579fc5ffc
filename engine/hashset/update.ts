import path from 'node:path';
import type { SetPurpose } from '../../schemas/constants.ts';
import { HomewardError } from '../../schemas/error.ts';
import { followSets, type LeadsFollowed, NO_LEADS_FOLLOWED } from '../leads/follow-sets.ts';
import type { Db, Transaction } from '../store/db.ts';
import { jsonParam } from '../store/db.ts';
import { markKnownGood } from '../store/queries/known-good.ts';
import { lockSeriesChanges } from '../store/queries/series-turn.ts';
import { integer, row } from '../store/row-shape.ts';
import { retrying } from '../store/sqlstate.ts';
import { dropRecords, insertRecords, moveEvidence, noteChanges } from './apply-changes.ts';
import { digestOf, sameBytes } from './file-digest.ts';
import { findChanged } from './find-changed.ts';
import { floodOf } from './flood.ts';
import { openNsrlChanges } from './formats/nsrl/changes.ts';
import { type ChangeReader, type OpenSetOptions, openChanges } from './formats/reader.ts';
import { addCounts, noNotes, noRejections } from './formats/record-batch.ts';
import { dropDuplicates } from './promote.ts';
import { requireNoKnownMaterial, requirePurpose } from './set-purpose.ts';
import { type HashSet, listSets } from './sets.ts';
import { StageEncoder } from './stage-encoder.ts';
import { createTemporaryStage, TEMPORARY_STAGE } from './stage-tables.ts';

export interface UpdateRequest {
  readonly source: string;
  /** Name of the set; may be left out where the source has one in force. */
  readonly name?: string;
  /** Of the delta as received, in hexadecimal: the same one again changes nothing. */
  readonly sha256: string;
  /** Opens the delta anew, each time it is called: a transaction that loses against another one is done again. */
  readonly open: () => Promise<ChangeReader>;
  readonly appliedBy: string;
  /** A person lets it in though it changes ten times as much as usual. */
  readonly acceptFlood?: boolean;
  readonly signal: AbortSignal;
}

export interface UpdateResult {
  readonly setId: number;
  readonly version: number;
  readonly revision: number;
  /** unchanged: this delta was applied before, as `revision`. */
  readonly state: 'updated' | 'unchanged' | 'interrupted';
  readonly added: number;
  readonly recategorised: number;
  readonly replaced: number;
  readonly withdrawn: number;
  /** Withdrawals that named no record in force. */
  readonly notFound: number;
  readonly rejected: Readonly<Record<string, number>>;
  readonly notes: Readonly<Record<string, number>>;
  /** What became of leads that rested on changed records. */
  readonly leads: LeadsFollowed;
}

const NOTHING = {
  added: 0,
  recategorised: 0,
  replaced: 0,
  withdrawn: 0,
  notFound: 0,
  rejected: noRejections(),
  notes: noNotes(),
  leads: NO_LEADS_FOLLOWED,
} as const;

/** Brings the changes of a file into the set in force; see updateSet. */
export async function updateSetFile(
  db: Db,
  request: Omit<UpdateRequest, 'open' | 'sha256'> & {
    readonly file: string;
    readonly format?: OpenSetOptions['format'];
  },
): Promise<UpdateResult> {
  const { file, format = 'auto' } = request;
  const { sha256 } = await digestOf(file);
  const open = async (): Promise<ChangeReader> =>
    isSql(file, format)
      ? openNsrlChanges(sameBytes(file, sha256))
      : await openChanges(sameBytes(file, sha256), { format, name: path.basename(file) });
  return await updateSet(db, { ...request, sha256: sha256.toString('hex'), open });
}

/**
 * Brings a delta into the set in force, whole or not at all: records are added, corrected where they stand, or withdrawn. The version
 * stays and its revision rises by one, so that no row is copied and evidence still says from which state of the set it came:
 * the file of the version and the deltas up to that revision, all by their digests.
 * @throws HomewardError HW_SET_NOT_FOUND, HW_SET_FORMAT (its category codes are of another scheme), HW_SET_DAMAGED, HW_SET_FLOOD
 */
export async function updateSet(db: Db, request: UpdateRequest): Promise<UpdateResult> {
  const set = await updatedSet(db, request);
  return await retrying(async () => {
    const reader = await request.open();
    try {
      return await db.transaction(async (tx) => await applyDelta(tx, reader, request, set));
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
      const { setId, version, revision } = set;
      return { setId, version, revision, state: 'interrupted' as const, ...NOTHING };
    } finally {
      await reader.close();
    }
  });
}

/** A delta of NSRL comes as statements, which are read as data. */
const isSql = (file: string, format: OpenSetOptions['format']): boolean =>
  format === 'nsrl' || (format === 'auto' && /\.sql$/i.test(file));

class Stopped extends Error {}

async function updatedSet(db: Db, { source, name }: UpdateRequest): Promise<HashSet> {
  const found = (await listSets(db)).filter(
    (set) => set.state === 'active' && set.source === source && (name === undefined || set.name === name),
  );
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  const names = found.map((set) => JSON.stringify(set.name)).join(', ');
  throw new HomewardError(
    'HW_SET_NOT_FOUND',
    found.length > 1
      ? `expected one set of ${JSON.stringify(source)} to update, found ${names}; say which with --name`
      : `expected a set in force of ${JSON.stringify(source)}${name === undefined ? '' : ` named ${JSON.stringify(name)}`} to update, found none; import it whole first`,
  );
}

async function applyDelta(
  tx: Transaction,
  reader: ChangeReader,
  request: UpdateRequest,
  { setId, version, source, categoryScheme, purpose }: HashSet,
): Promise<UpdateResult> {
  const before = await appliedRevision(tx, setId, request.sha256);
  if (before !== null) return { setId, version, revision: before, state: 'unchanged', ...NOTHING };
  requirePurpose(reader.description, purpose);
  const { rejected, notes } = await stageChanges(tx, reader, purpose, request.signal);
  if (purpose === 'good') await dropWithdrawnAgain(tx);
  await checkScheme(tx, reader, categoryScheme);
  const repeated = await dropDuplicates(tx, TEMPORARY_STAGE.add);
  const revision = await holdSet(tx, setId);
  // Asked again under the lock: another process may have applied the same delta meanwhile.
  const meanwhile = await appliedRevision(tx, setId, request.sha256);
  if (meanwhile !== null) {
    await tx.execute('update hash_set set revision = revision - 1 where set_id = $1', [setId]);
    return { setId, version, revision: meanwhile, state: 'unchanged', ...NOTHING };
  }
  const { duplicates, notFound, withdrawn } = await findChanged(tx, setId);
  rejected.duplicate += repeated + duplicates;
  if (request.acceptFlood !== true) await refuseFlood(tx, setId);
  const applied = await insertRecords(tx, { setId, source });
  await lockSeriesChanges(tx);
  await moveEvidence(tx, applied.addedBlock);
  const gone = await dropRecords(tx, applied.addedBlock);
  if (purpose === 'good') await markKnownGood(tx, applied.addedBlock);
  const { added, recategorised, replaced } = applied;
  await tx.execute(`update hash_set set record_count = record_count + $2, updated_at = now() where set_id = $1`, [
    setId,
    added - withdrawn,
  ]);
  await tx.execute(
    `insert into hash_set_revision (set_id, revision, content_sha256, format, format_version, added, recategorised, replaced, withdrawn,
                                    counts, applied_by)
     values ($1, $2, decode($3, 'hex'), $4, $5, $6, $7, $8, $9, $10::jsonb, $11)`,
    [
      setId,
      revision,
      request.sha256,
      reader.description.format,
      reader.description.formatVersion,
      added,
      recategorised,
      replaced,
      withdrawn,
      jsonParam({ rejected, notes, notFound }),
      request.appliedBy,
    ],
  );
  const leads = await followSets(tx, [setId]);
  await noteChanges(tx, gone, applied);
  const counts = { added, recategorised, replaced, withdrawn, notFound, rejected, notes, leads };
  return { setId, version, revision, state: 'updated', ...counts };
}

async function appliedRevision(tx: Transaction, setId: number, sha256: string): Promise<number | null> {
  const [found] = await tx.read(
    row({ revision: integer }),
    `select revision from hash_set_revision where set_id = $1 and content_sha256 = decode($2, 'hex')`,
    [setId, sha256],
  );
  return found?.revision ?? null;
}

/**
 * Holds the set until the end: imports wait, and so do scans that would record evidence of it.
 * @throws HomewardError HW_SET_NOT_FOUND when it went out of force meanwhile
 */
async function holdSet(tx: Transaction, setId: number): Promise<number> {
  await tx.execute('lock table hash_set in share row exclusive mode');
  const [held] = await tx.read(
    row({ revision: integer }),
    `update hash_set set revision = revision + 1 where set_id = $1 and state = 'active' returning revision`,
    [setId],
  );
  if (held !== undefined) return held.revision;
  throw new HomewardError(
    'HW_SET_NOT_FOUND',
    'expected the set to stay in force while it is updated, but meanwhile another version came or it was removed; look at homeward hashset list and update again',
  );
}

/** @throws HomewardError HW_SET_FLOOD for a delta that adds, corrects or withdraws ten times as many records as those before it did */
async function refuseFlood(tx: Transaction, setId: number): Promise<void> {
  const [counted] = await tx.read(
    row({ changes: integer, usual: integer }),
    `select (select count(*) from ${TEMPORARY_STAGE.add.records.table}) + (select count(distinct record_id) from change_withdrawn) as changes,
            (select coalesce(round(avg(added + recategorised + replaced + withdrawn)), 0)::bigint
               from hash_set_revision where set_id = $1) as usual`,
    [setId],
  );
  const flood = floodOf('recordsOfDelta', counted?.changes ?? 0, counted?.usual ?? 0);
  if (flood === null) return;
  throw new HomewardError(
    'HW_SET_FLOOD',
    `expected a delta of the usual size, received ${flood}; look at it, ask its source, and give --justification to let it in`,
  );
}

/** Loads the delta into temporary tables. */
/**
 * What a delta to a known-good set both adds and withdraws is withdrawn: files of one content in several packages come and go, and what is
 * wrongly held to be good is not looked at.
 */
async function dropWithdrawnAgain(tx: Transaction): Promise<void> {
  const { add, withdraw } = TEMPORARY_STAGE;
  for (const digest of ['sha256', 'sha1', 'md5'])
    await tx.execute(
      `delete from ${add.records.table} a using ${withdraw.records.table} w where a.${digest} = w.${digest}`,
    );
}

async function stageChanges(tx: Transaction, reader: ChangeReader, purpose: SetPurpose, signal: AbortSignal) {
  const rejected = noRejections();
  const notes = noNotes();
  const encoder = new StageEncoder();
  const rows = { add: 0, withdraw: 0 };
  for (const tables of [TEMPORARY_STAGE.add, TEMPORARY_STAGE.withdraw]) await createTemporaryStage(tx, tables);
  for await (const { kind, records } of reader.batches()) {
    if (signal.aborted) throw new Stopped();
    const tables = TEMPORARY_STAGE[kind];
    addCounts(rejected, records.rejected);
    addCounts(notes, records.notes);
    if (records.rowCount > 0) await tx.copyIn(tables.records, encoder.records(records, rows[kind], 0));
    if (purpose === 'good') {
      // Nothing is known to be good by what it looks like.
      requireNoKnownMaterial(records);
      notes.bitsIgnored += records.bitsCount;
    } else {
      const bits = encoder.bits(records, rows[kind], 0);
      if (bits !== null) await tx.copyIn(tables.bits, [bits]);
      const photoDna = encoder.photoDna(records, rows[kind], 0);
      if (photoDna !== null) await tx.copyIn(tables.photoDna, [photoDna]);
    }
    rows[kind] += records.rowCount;
  }
  return { rejected, notes };
}

/** The same code means another thing in another scheme: 0 is `Uncategorized` in one and `Non-Pertinent` in another. */
async function checkScheme(tx: Transaction, reader: ChangeReader, scheme: string): Promise<void> {
  const given = reader.description.categoryScheme;
  if (given === scheme) return;
  const coded = await tx.query(
    `select 1 from ${TEMPORARY_STAGE.add.records.table} where category_code is not null limit 1`,
  );
  if (coded.length === 0) return;
  throw new HomewardError(
    'HW_SET_FORMAT',
    `expected category codes by ${JSON.stringify(scheme)}, as the set has them, for its update, received codes by ${JSON.stringify(given)}; have the scheme named in the file, or import the set whole`,
  );
}
