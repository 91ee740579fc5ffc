export const TAR_BLOCK_BYTES = 512;

/** One header block (POSIX.1-2017, pax interchange format; GNU tar's extensions where they differ). */
export interface TarHeader {
  readonly name: Buffer;
  readonly size: number;
  readonly modifiedSeconds: number;
  readonly type: string;
  readonly isGnu: boolean;
  /** Old GNU sparse files: more maps of holes follow the header. */
  readonly extended: boolean;
}

const field = (block: Buffer, start: number, length: number): Buffer => {
  const bytes = block.subarray(start, start + length);
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
};

/** Octal digits, or, with the top bit set, a big-endian number (GNU, for files past 8 GiB). */
function numeric(block: Buffer, start: number, length: number): number {
  const first = block[start] ?? 0;
  if ((first & 0x80) === 0) return Number.parseInt(field(block, start, length).toString('latin1').trim() || '0', 8);
  let value = first & 0x3f;
  for (const byte of block.subarray(start + 1, start + length)) value = value * 256 + byte;
  return value;
}

const CHECKSUM_START = 148;
const CHECKSUM_END = 156;
const SPACE = 0x20;

/** Sum of all bytes with the checksum's own field as spaces; some old writers summed signed bytes. */
function checksumHolds(block: Buffer): boolean {
  let unsigned = 0;
  let signed = 0;
  for (const [index, value] of block.entries()) {
    const byte = index >= CHECKSUM_START && index < CHECKSUM_END ? SPACE : value;
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  const stored = numeric(block, CHECKSUM_START, CHECKSUM_END - CHECKSUM_START);
  return stored === unsigned || stored === signed;
}

export const isZeroBlock = (block: Buffer): boolean => block.every((byte) => byte === 0);

/** Null when the block is no header: its checksum does not hold, or its numbers are none. */
export function readTarHeader(block: Buffer): TarHeader | null {
  if (block.length < TAR_BLOCK_BYTES || isZeroBlock(block) || !checksumHolds(block)) return null;
  const size = numeric(block, 124, 12);
  const modifiedSeconds = numeric(block, 136, 12);
  if (!Number.isSafeInteger(size) || size < 0) return null;
  const magic = block.toString('latin1', 257, 263);
  const prefix = magic === 'ustar\0' ? field(block, 345, 155) : Buffer.alloc(0);
  const own = field(block, 0, 100);
  return {
    name: prefix.length === 0 ? own : Buffer.concat([prefix, Buffer.from('/'), own]),
    size,
    modifiedSeconds: Number.isFinite(modifiedSeconds) ? modifiedSeconds : 0,
    type: block[156] === 0 ? '0' : String.fromCharCode(block[156] ?? 0),
    isGnu: magic === 'ustar ',
    extended: block[482] === 1,
  };
}

export interface PaxRecords {
  readonly path?: Buffer;
  readonly size?: number;
  readonly modifiedSeconds?: number;
}

/** Records of the form `length key=value\n`; what is not well-formed is passed over. */
export function readPaxRecords(body: Buffer): PaxRecords {
  const records: { path?: Buffer; size?: number; modifiedSeconds?: number } = {};
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(SPACE, at);
    const length = space < 0 ? Number.NaN : Number(body.toString('latin1', at, space));
    if (!Number.isInteger(length) || length < 5 || at + length > body.length) break;
    const record = body.subarray(space + 1, at + length - 1);
    const equals = record.indexOf('=');
    const key = record.toString('latin1', 0, Math.max(0, equals));
    const value = record.subarray(equals + 1);
    const number = Number(value.toString('latin1'));
    if (key === 'path') records.path = value;
    if (key === 'size' && Number.isSafeInteger(number) && number >= 0) records.size = number;
    if (key === 'mtime' && Number.isFinite(number)) records.modifiedSeconds = number;
    at += length;
  }
  return records;
}
