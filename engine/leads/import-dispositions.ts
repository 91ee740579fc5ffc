import { Compile } from 'typebox/compile';
import { HomewardError } from '../../schemas/error.ts';
import { DispositionFile, ReturnedDisposition } from '../../schemas/lead-file.ts';
import { ByteWindow } from '../hashset/formats/byte-window.ts';
import { CsvRow, cellText } from '../hashset/formats/csv/cells.ts';
import { withoutGuard } from '../hashset/formats/csv/formula-guard.ts';
import type { Db } from '../store/db.ts';
import { retrying } from '../store/sqlstate.ts';
import { contentOfLead, type Decided, decideLead } from './decide.ts';

const checkFile = Compile(DispositionFile);
const checkDisposition = Compile(ReturnedDisposition);
/** Some 100,000 rows with a note of full length. */
export const MOST_DISPOSITION_BYTES = 128 * 2 ** 20;
const COMMA = 0x2c;
const SEMICOLON = 0x3b;

/** Why a row was not taken. */
export type RefusedFor = 'form' | 'leadNotFound' | 'contentDiffers' | 'basisMissing';

export interface ImportedRow {
  /** 1 for the first disposition of the file. */
  readonly row: number;
  readonly leadId: number | null;
  readonly outcome: 'recorded' | 'alreadyRecorded' | 'refused';
  readonly reason: RefusedFor | null;
  /** What is wrong, or what the lead still needs. */
  readonly says: string | null;
  readonly decided: Decided | null;
}

/**
 * Takes the verdicts of a viewer, each by itself: one that is refused is named with its reason and holds up no other, and one that was
 * taken is safe whatever becomes of the rest. The same file again records nothing twice.
 * @throws HomewardError HW_LEAD_FILE where the file as a whole is not of the agreed form; nothing was taken then
 */
export async function importDispositions(db: Db, file: Uint8Array): Promise<ImportedRow[]> {
  const rows: ImportedRow[] = [];
  for (const [at, candidate] of readDispositions(file).entries()) {
    rows.push({ row: at + 1, ...(await take(db, candidate)) });
  }
  return rows;
}

async function take(db: Db, candidate: unknown): Promise<Omit<ImportedRow, 'row'>> {
  if (!checkDisposition.Check(candidate)) {
    const problem = checkDisposition.Errors(candidate)[0];
    return refused(
      null,
      'form',
      `${problem?.instancePath || 'the row'}: ${problem?.message ?? 'not of the agreed form'}`,
    );
  }
  const { leadId, sha256 } = candidate;
  if (candidate.verdict === 'confirmed' && candidate.basis === null) {
    return refused(leadId, 'basisMissing', 'confirmed needs a basis: viewed, partner or metadata');
  }
  // Again only where another transaction came in between: nothing of the attempt was kept then.
  return await retrying(
    async () =>
      await db.transaction(async (tx) => {
        const content = await contentOfLead(tx, leadId);
        if (content === null) return refused(leadId, 'leadNotFound', 'no lead of that number is in this database');
        if (content.toString('hex') !== sha256) {
          return refused(
            leadId,
            'contentDiffers',
            'the lead is about another content: the file belongs to another database',
          );
        }
        const decided = await decideLead(tx, candidate);
        const outcome = decided.recorded ? ('recorded' as const) : ('alreadyRecorded' as const);
        return { leadId, outcome, reason: null, says: decided.stillNeeded, decided };
      }),
  );
}

function refused(leadId: number | null, reason: RefusedFor, says: string): Omit<ImportedRow, 'row'> {
  return { leadId, outcome: 'refused', reason, says, decided: null };
}

function readDispositions(file: Uint8Array): readonly unknown[] {
  const text = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const start = text.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf])) ? 3 : 0;
  const body = text.subarray(start);
  return /^\s*[{[]/.test(body.toString('latin1', 0, 64)) ? readJson(body) : readCsv(body);
}

function readJson(body: Buffer): readonly unknown[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw badFile('JSON that is none', error);
  }
  if (!checkFile.Check(parsed)) {
    const problem = checkFile.Errors(parsed)[0];
    throw badFile(`a problem at ${problem?.instancePath || 'its top'} (${problem?.message ?? 'unknown'})`);
  }
  return parsed.dispositions;
}

const FIELDS = Object.keys(ReturnedDisposition.properties);

/** A header row with the names of the fields in any order, commas or semicolons; an empty cell is null. */
function readCsv(body: Buffer): readonly unknown[] {
  const window = new ByteWindow(0);
  window.append(body);
  window.final = true;
  const row = new CsvRow();
  const headEnd = body.indexOf(0x0a);
  const separator = body.subarray(0, headEnd < 0 ? body.length : headEnd).includes(SEMICOLON) ? SEMICOLON : COMMA;
  const next = (): string[] | null => {
    while (row.read(window, separator)) {
      window.start = row.next;
      if (row.openQuote) throw badFile('a quoted cell without an end');
      if (!row.blank) return Array.from({ length: row.cellCount }, (_, at) => cellText(window.bytes, row, at));
    }
    return null;
  };
  const head = next();
  const missing = FIELDS.filter((field) => head?.includes(field) !== true);
  if (head === null || missing.length > 0) throw badFile(`a header row without ${missing.join(', ')}`);
  const rows: unknown[] = [];
  for (let cells = next(); cells !== null; cells = next()) {
    const values = new Map(head.map((name, at) => [name, withoutGuard(cells?.[at] ?? '')]));
    const of = (field: string): string | null => values.get(field) || null;
    rows.push({
      leadId: Number(of('leadId') ?? Number.NaN),
      sha256: of('sha256')?.toLowerCase() ?? '',
      verdict: of('verdict'),
      basis: of('basis'),
      note: of('note'),
      decidedBy: of('decidedBy') ?? '',
    });
  }
  return rows;
}

function badFile(received: string, cause?: unknown): HomewardError {
  return new HomewardError(
    'HW_LEAD_FILE',
    `expected dispositions as JSON (kind homeward-dispositions) or CSV with the columns ${FIELDS.join(', ')}, received ${received}; nothing was taken`,
    { cause },
  );
}
