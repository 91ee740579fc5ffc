import type { KnownBits, KnownRecord } from '../../../../schemas/known-record.ts';
import { inBuffers } from '../output-buffer.ts';
import { withGuard } from './formula-guard.ts';

/** Without a byte-order mark spreadsheets take UTF-8 for the machine's code page. */
const BYTE_ORDER_MARK = '\ufeff';

/**
 * Writes records as CSV (RFC 4180) with a header row. Hashes of one kind share a cell, blanks between them, each `HEX` or `HEX/QUALITY`;
 * text that a spreadsheet could run as a formula is guarded (`formula-guard.ts`), and our reader takes the guard off again.
 * Empty text and no text are one thing in CSV, and so is the order of hashes of different kinds.
 */
export function writeCsv(
  records: AsyncIterable<KnownRecord>,
  categoryScheme: string,
): AsyncGenerator<Buffer, void, undefined> {
  return inBuffers(rows(records, categoryScheme));
}

async function* rows(
  records: AsyncIterable<KnownRecord>,
  categoryScheme: string,
): AsyncGenerator<string, void, undefined> {
  const category = categoryScheme === 'unspecified' ? 'Category' : `Category (${categoryScheme})`;
  yield `${BYTE_ORDER_MARK}Source key,MD5,SHA1,SHA256,PDQ,PDQ-512,PDQ-full,Blockhash-256-r512,PhotoDNA,Size bytes,${category},Series,Tags,Victim identified,Offender identified,Distributed,Precategorised,Suspected\r\n`;
  for await (const record of records) yield `${cellsOf(record).join(',')}\r\n`;
}

function cellsOf(record: KnownRecord): string[] {
  return [
    textCell(record.sourceKey),
    record.md5 ?? '',
    record.sha1 ?? '',
    record.sha256 ?? '',
    bitsCell(record.bits.filter((bits) => bits.algorithm === 'pdq' && bits.flavour === null)),
    bitsCell(record.bits.filter((bits) => bits.algorithm === 'pdq' && bits.flavour === 'pdq-512')),
    bitsCell(record.bits.filter((bits) => bits.algorithm === 'pdq' && bits.flavour === 'pdq-full')),
    bitsCell(record.bits.filter((bits) => bits.algorithm === 'blockhash-256-r512')),
    (record.photoDna ?? []).join(' '),
    record.sizeBytes === null ? '' : String(record.sizeBytes),
    textCell(record.categoryCode),
    textCell(record.series),
    textCell(record.tags),
    flagCell(record.victimIdentified),
    flagCell(record.offenderIdentified),
    flagCell(record.distributed),
    flagCell(record.precategorised),
    flagCell(record.suspected),
  ];
}

/** Quoted whenever anything in it could be taken for structure or be trimmed. */
function textCell(text: string | null): string {
  if (text === null) return '';
  const guarded = withGuard(text);
  return /^[\w.:/()-]*$/.test(guarded) ? guarded : `"${guarded.replaceAll('"', '""')}"`;
}

const bitsCell = (bits: readonly KnownBits[]): string =>
  bits.map(({ hex, quality }) => (quality === null ? hex : `${hex}/${quality}`)).join(' ');

const flagCell = (flag: boolean | null): string => (flag === null ? '' : String(flag));
