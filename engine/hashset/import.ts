import path from 'node:path';
import { Type } from 'typebox';
import { Closed } from '../../schemas/closed.ts';
import type { SetPurpose } from '../../schemas/constants.ts';
import { HomewardError } from '../../schemas/error.ts';
import { type LeadsFollowed, NO_LEADS_FOLLOWED } from '../leads/follow-sets.ts';
import type { Db, Transaction } from '../store/db.ts';
import { jsonParam } from '../store/db.ts';
import { integer, json, nullable, oneOf, row, text } from '../store/row-shape.ts';
import { retrying } from '../store/sqlstate.ts';
import { digestOf } from './file-digest.ts';
import { type OpenSetOptions, openSet, type SetReader } from './formats/reader.ts';
import { addCounts, noNotes, noRejections, type RecordBatch } from './formats/record-batch.ts';
import { bringIntoForce, floodOfSet, holdBack } from './into-force.ts';
import { openSetFile } from './set-file.ts';
import { requireNoKnownMaterial, requirePurpose, requireSamePurpose } from './set-purpose.ts';
import { SET_STATES } from './set-states.ts';
import { StageEncoder } from './stage-encoder.ts';
import { createStageTables, dropStageTables, type StageTables, stageTables } from './stage-tables.ts';

/** Rows between two checkpoints: some seconds of work, and few enough transactions that their cost does not show. */
const ROWS_PER_CHECKPOINT = 250_000;
/** Perceptual hashes wait in memory for the records of their checkpoint; a set full of them ends its checkpoint early. */
const MOST_WAITING_BITS_BYTES = 16 * 1024 * 1024;

/** A hash set that lies in no file of its own. */
export interface SetContent {
  readonly sha256: Buffer;
  readonly sizeBytes: number;
  /** Its bytes, each chunk valid until the next one is asked for. */
  readonly chunks: () => AsyncIterable<Uint8Array>;
}

export interface ImportRequest {
  readonly file: string;
  /** Where its bytes are, if not in `file`, which is a name then. */
  readonly content?: SetContent;
  readonly source: string;
  /** Name of the set within its source; the file's own name without ending, unless given. */
  readonly name?: string;
  readonly format?: OpenSetOptions['format'];
  readonly importedBy: string;
  /** What the set is for; known material unless it says otherwise. */
  readonly purpose?: SetPurpose;
  /** Largest distance of its perceptual hashes, 0 to 48, where its source asks for another one than the policy. */
  readonly radiusBits?: number;
  /** Identity of the set where `file` is a copy of it, so that what a report rested on can be rebuilt beside the original. */
  readonly asReceived?: {
    readonly version: number;
    readonly sha256: string;
    readonly format: string;
    readonly formatVersion: string | null;
  };
  readonly signal: AbortSignal;
  /** Rows between two checkpoints, if not ROWS_PER_CHECKPOINT; a checkpoint takes in whole batches of some thousand. */
  readonly rowsPerCheckpoint?: number;
  readonly onProgress?: (progress: {
    readonly rows: number;
    readonly bytes: number;
    readonly totalBytes: number;
  }) => void;
}

export interface ImportResult {
  readonly setId: number;
  readonly version: number;
  /** unchanged: the very same file is in force already. held: it waits for a person (`heldReason`). interrupted: what was staged stays; importing the file again goes on there. */
  readonly state: 'imported' | 'unchanged' | 'interrupted' | 'held';
  readonly heldReason: string | null;
  readonly records: number;
  readonly rejected: Readonly<Record<string, number>>;
  readonly notes: Readonly<Record<string, number>>;
  readonly format: string;
  readonly categoryScheme: string;
  /** Rows taken over from an earlier, interrupted import of the same file. */
  readonly resumedFromRow: number;
  /** What became of leads that rested on the version before. */
  readonly leads: LeadsFollowed;
}

const Checkpoint = Closed({ stagedRows: Type.Integer({ minimum: 0 }) });
const SET_ROW = row({
  setId: integer,
  version: integer,
  state: oneOf(SET_STATES),
  recordCount: integer,
  purpose: text,
  heldReason: nullable(text),
});

/**
 * Imports a hash set in constant memory: staged by binary COPY with checkpoints, then brought into force whole in one transaction.
 * @throws HomewardError HW_SET_DAMAGED, HW_SET_FORMAT or HW_SET_PURPOSE; nothing of the file is kept then, and the version before it stays in force.
 */
export async function importSetFile(db: Db, request: ImportRequest): Promise<ImportResult> {
  const name = request.name ?? path.basename(request.file).replace(/\.[^.]+$/, '');
  const { content, file, format = 'auto' } = request;
  const { sha256, sizeBytes } = content ?? (await digestOf(file));
  const reader =
    content === undefined
      ? await openSetFile(request, sha256, sizeBytes)
      : await openSet(content.chunks(), { format, name: path.basename(file) });
  try {
    requirePurpose(reader.description, purposeOf(request));
    const set = await beginSet(db, { ...request, name, sha256, reader });
    if (set.unchanged || set.heldReason !== null) {
      const { setId, version, records, heldReason } = set;
      return {
        setId,
        version,
        records,
        heldReason,
        ...describe(reader),
        state: set.unchanged ? 'unchanged' : 'held',
        rejected: noRejections(),
        notes: noNotes(),
        resumedFromRow: 0,
        leads: NO_LEADS_FOLLOWED,
      };
    }
    return await stageAndPromote(db, reader, { ...request, name, sizeBytes }, set);
  } finally {
    await reader.close();
  }
}

const purposeOf = ({ purpose = 'known' }: Pick<ImportRequest, 'purpose'>): SetPurpose => purpose;

interface BegunSet {
  readonly setId: number;
  readonly version: number;
  readonly records: number;
  readonly unchanged: boolean;
  readonly heldReason: string | null;
  readonly stagedRows: number;
}

async function beginSet(
  db: Db,
  request: ImportRequest & { readonly name: string; readonly sha256: Buffer; readonly reader: SetReader },
): Promise<BegunSet> {
  const { source, name, sha256, reader } = request;
  const purpose = purposeOf(request);
  return await db.transaction(async (tx) => {
    await lockImports(tx);
    const [inForce] = await tx.read(
      row({ purpose: text }),
      `select purpose from hash_set where source = $1 and name = $2 and state = 'active'`,
      [source, name],
    );
    if (inForce !== undefined) requireSamePurpose(name, inForce.purpose, purpose);
    const known = await tx.read(
      SET_ROW,
      'select set_id, version, state, record_count, held_reason, purpose from hash_set where source = $1 and name = $2 and content_sha256 = $3 order by version',
      [source, name, sha256],
    );
    const active = known.find((set) => set.state === 'active');
    if (active !== undefined)
      return {
        setId: active.setId,
        version: active.version,
        records: active.recordCount,
        unchanged: true,
        heldReason: null,
        stagedRows: 0,
      };
    const held = known.find((set) => set.state === 'held');
    if (held !== undefined) {
      const { setId, version, recordCount, heldReason } = held;
      return { setId, version, records: recordCount, unchanged: false, heldReason, stagedRows: 0 };
    }
    const begun = known.find((set) => set.state === 'importing' && set.purpose === purpose);
    if (begun !== undefined) {
      // An earlier version of the engine may have begun it, with fewer tables.
      await createStageTables(tx, stageTables(begun.setId));
      const [checkpoint] = await tx.read(
        row({ counts: json(Checkpoint) }),
        'select counts from hash_set where set_id = $1',
        [begun.setId],
      );
      return {
        setId: begun.setId,
        version: begun.version,
        records: 0,
        unchanged: false,
        heldReason: null,
        stagedRows: checkpoint?.counts.stagedRows ?? 0,
      };
    }
    await dropAbandoned(tx, source, name);
    const { format, formatVersion, categoryScheme } = reader.description;
    const [made] = await tx.read(
      row({ setId: integer, version: integer }),
      `insert into hash_set (source, name, version, content_sha256, format, format_version, category_scheme, state, counts, imported_by, purpose,
                             source_version, radius_bits)
       select $1, $2, coalesce(max(version), 0) + 1, $3, $4, $5, $6, 'importing', $7::jsonb, $8, $9, $10, $11::smallint
         from hash_set where source = $1 and name = $2
       returning set_id, version`,
      [
        source,
        name,
        sha256,
        format,
        formatVersion,
        categoryScheme,
        jsonParam({ stagedRows: 0 }),
        request.importedBy,
        purpose,
        reader.sourceVersion,
        request.radiusBits ?? null,
      ],
    );
    if (made === undefined)
      throw new HomewardError('HW_INTERNAL', 'expected a new hash set row, received none; report this');
    await createStageTables(tx, stageTables(made.setId));
    return { ...made, records: 0, unchanged: false, heldReason: null, stagedRows: 0 };
  });
}

async function stageAndPromote(
  db: Db,
  reader: SetReader,
  request: ImportRequest & { readonly name: string; readonly sizeBytes: number },
  set: BegunSet,
): Promise<ImportResult> {
  const tables = stageTables(set.setId);
  let staged: Staged;
  try {
    staged = await stage(db, reader, request, set, tables);
  } catch (error) {
    // A damaged file leaves nothing behind; after anything else (the database went away) the checkpoint is still good.
    if (error instanceof HomewardError && (error.code === 'HW_SET_DAMAGED' || error.code === 'HW_SET_PURPOSE'))
      await discard(db, set.setId);
    throw error;
  }
  const common = {
    setId: set.setId,
    version: set.version,
    ...describe(reader),
    notes: staged.notes,
    resumedFromRow: set.stagedRows,
    leads: NO_LEADS_FOLLOWED,
    heldReason: null,
  };
  if (staged.end === 'interrupted')
    return { ...common, state: 'interrupted', records: staged.rows, rejected: staged.rejected };
  const intoForce = async (tx: Transaction) => {
    await lockImports(tx);
    const claim = await claimSet(tx, set.setId, request.name);
    // Another import of the same file, side by side with this one, was quicker.
    if (claim.state === 'active') return null;
    const staging = { setId: set.setId, source: request.source, name: request.name, purpose: purposeOf(request) };
    const flood = request.asReceived === undefined ? await floodOfSet(tx, staging, tables) : null;
    if (flood !== null) {
      await holdBack(tx, staging, flood, { rejected: staged.rejected, notes: staged.notes });
      return { state: 'held' as const, heldReason: flood, records: staged.rows, rejected: staged.rejected };
    }
    const done = await bringIntoForce(tx, staging);
    const rejected = { ...staged.rejected, duplicate: staged.rejected.duplicate + done.duplicates };
    await tx.execute('update hash_set set counts = $2::jsonb, imported_at = now() where set_id = $1', [
      set.setId,
      jsonParam({ rejected, notes: staged.notes }),
    ]);
    if (request.asReceived !== undefined) {
      const { version, sha256, format, formatVersion } = request.asReceived;
      await tx.execute(
        'update hash_set set version = $2, content_sha256 = $3, format = $4, format_version = $5 where set_id = $1',
        [set.setId, version, Buffer.from(sha256, 'hex'), format, formatVersion],
      );
    }
    return { state: 'imported' as const, records: done.records, rejected, leads: done.leads };
  };
  // Again from the start where it loses against somebody who makes a series of the same name: nothing of it was kept.
  const promoted = await retrying(async () => await db.transaction(intoForce));
  if (promoted === null)
    return { ...common, state: 'unchanged', records: await recordCount(db, set.setId), rejected: staged.rejected };
  return { ...common, ...promoted };
}

interface Staged {
  readonly end: 'whole' | 'interrupted';
  readonly rows: number;
  readonly rejected: ReturnType<typeof noRejections>;
  readonly notes: ReturnType<typeof noNotes>;
}

async function stage(
  db: Db,
  reader: SetReader,
  request: ImportRequest & { readonly name: string; readonly sizeBytes: number },
  set: BegunSet,
  tables: StageTables,
): Promise<Staged> {
  const rejected = noRejections();
  const notes = noNotes();
  const encoder = new StageEncoder();
  const batches = reader.batches();
  let rows = 0;
  let ended = false;
  while (!ended && !request.signal.aborted) {
    const until = rows + (request.rowsPerCheckpoint ?? ROWS_PER_CHECKPOINT);
    await db.transaction(async (tx) => {
      // Asked anew each time and locked until the commit: another import of the same file may stage side by side with this one, and
      // then each row is staged by whoever comes to it first.
      const { state, stagedRows } = await claimSet(tx, set.setId, request.name);
      if (state === 'active') {
        ended = true;
        return;
      }
      const waitingBits: Uint8Array[] = [];
      const waitingPhotoDna: Uint8Array[] = [];
      let waitingBytes = 0;
      const records = async function* (): AsyncGenerator<Uint8Array> {
        while (rows < until && waitingBytes < MOST_WAITING_BITS_BYTES && !request.signal.aborted) {
          const next = await batches.next();
          if (next.done === true) {
            ended = true;
            return;
          }
          const batch: RecordBatch = next.value;
          if (purposeOf(request) === 'good') requireNoKnownMaterial(batch);
          addCounts(rejected, batch.rejected);
          addCounts(notes, batch.notes);
          const fromRow = Math.min(batch.rowCount, Math.max(0, stagedRows - rows));
          yield* encoder.records(batch, rows, fromRow);
          // Nothing is known to be good by what it looks like.
          const bits = purposeOf(request) === 'good' ? null : encoder.bits(batch, rows, fromRow);
          if (purposeOf(request) === 'good') notes.bitsIgnored += batch.bitsCount;
          if (bits !== null) {
            waitingBits.push(bits);
            waitingBytes += bits.length;
          }
          const photoDna = purposeOf(request) === 'good' ? null : encoder.photoDna(batch, rows, fromRow);
          if (photoDna !== null) {
            waitingPhotoDna.push(photoDna);
            waitingBytes += photoDna.length;
          }
          rows += batch.rowCount;
          request.onProgress?.({ rows, bytes: batch.bytesRead, totalBytes: request.sizeBytes });
        }
      };
      await tx.copyIn(tables.records, records());
      if (waitingBits.length > 0) await tx.copyIn(tables.bits, waitingBits);
      if (waitingPhotoDna.length > 0) await tx.copyIn(tables.photoDna, waitingPhotoDna);
      await tx.execute('update hash_set set counts = $2::jsonb where set_id = $1', [
        set.setId,
        jsonParam({ stagedRows: Math.max(rows, stagedRows) }),
      ]);
    });
  }
  return { end: ended ? 'whole' : 'interrupted', rows, rejected, notes };
}

function describe(reader: SetReader): { readonly format: string; readonly categoryScheme: string } {
  const { format, formatVersion, categoryScheme } = reader.description;
  return { format: formatVersion === null ? format : `${format} ${formatVersion}`, categoryScheme };
}

const CLAIM = row({ state: oneOf(SET_STATES), stagedRows: integer });

/**
 * Locks a begun set until the end of the transaction. It is written, not only read, so that the lock on the table that the
 * checkpoint needs is taken before those on the staging tables: in another order two imports of one name would wait for each other.
 * @throws HomewardError HW_SET_NOT_FOUND when it was given up for another file of the same name
 */
async function claimSet(
  tx: Transaction,
  setId: number,
  name: string,
): Promise<{ readonly state: 'importing' | 'active'; readonly stagedRows: number }> {
  const [claim] = await tx.read(
    CLAIM,
    `update hash_set set state = state where set_id = $1 returning state, coalesce((counts ->> 'stagedRows')::bigint, 0) as staged_rows`,
    [setId],
  );
  if (claim?.state === 'importing' || claim?.state === 'active')
    return { state: claim.state, stagedRows: claim.stagedRows };
  throw new HomewardError(
    'HW_SET_NOT_FOUND',
    `expected the import of ${JSON.stringify(name)} to go on, but meanwhile another file was imported under this name, or the set was removed; import one file of a name at a time`,
  );
}

async function recordCount(db: Db, setId: number): Promise<number> {
  const [found] = await db.read(row({ recordCount: integer }), 'select record_count from hash_set where set_id = $1', [
    setId,
  ]);
  return found?.recordCount ?? 0;
}

/** One import at a time begins or comes into force; staging itself goes on side by side. */
async function lockImports(tx: Transaction): Promise<void> {
  await tx.execute('lock table hash_set in share row exclusive mode');
}

/** A begun import of another file under the same name will not be gone on with, and one that waits has been overtaken. */
async function dropAbandoned(tx: Transaction, source: string, name: string): Promise<void> {
  const abandoned = await tx.read(
    row({ setId: integer }),
    `select set_id from hash_set where source = $1 and name = $2 and state in ('importing', 'held')`,
    [source, name],
  );
  for (const { setId } of abandoned) {
    await dropStageTables(tx, stageTables(setId));
    await tx.execute('delete from hash_set where set_id = $1', [setId]);
  }
}

async function discard(db: Db, setId: number): Promise<void> {
  await db.transaction(async (tx) => {
    await lockImports(tx);
    await dropStageTables(tx, stageTables(setId));
    await tx.execute(`delete from hash_set where set_id = $1 and state = 'importing'`, [setId]);
  });
}
