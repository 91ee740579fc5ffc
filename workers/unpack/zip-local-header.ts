import { readAt } from './byte-source.ts';
import type { ReadableFile } from './readable-file.ts';

/** The header in front of an entry's data (APPNOTE 4.3.7). */
export interface LocalHeader {
  readonly flags: number;
  readonly method: number;
  readonly dosTime: number;
  readonly dosDate: number;
  readonly crc32: number;
  readonly compressedSize: number;
  readonly uncompressedSize: number;
  readonly name: Buffer;
  readonly dataStart: number;
}

const FIXED_BYTES = 30;
export const LOCAL_SIGNATURE = Buffer.from([0x50, 0x4b, 0x03, 0x04]);
const MAX_32 = 0xffffffff;
const ZIP64_EXTRA = 0x0001;

/** Bit 0: encrypted; bit 6: strongly. */
export const isEncrypted = (flags: number): boolean => (flags & 0x41) !== 0;
/** Bit 3: sizes and CRC follow the data, the ones in the header say nothing. */
export const sizesFollow = (flags: number): boolean => (flags & 0x08) !== 0;

/** Null where no local header stands at `offset`, or the file ends within it. */
export async function readLocalHeader(file: ReadableFile, offset: number): Promise<LocalHeader | null> {
  const fixed = await readAt(file, offset, FIXED_BYTES);
  if (fixed.length < FIXED_BYTES || fixed.indexOf(LOCAL_SIGNATURE) !== 0) return null;
  const nameBytes = fixed.readUInt16LE(26);
  const extraBytes = fixed.readUInt16LE(28);
  const variable = await readAt(file, offset + FIXED_BYTES, nameBytes + extraBytes);
  if (variable.length < nameBytes + extraBytes) return null;
  let uncompressedSize = fixed.readUInt32LE(22);
  let compressedSize = fixed.readUInt32LE(18);
  const long = zip64Sizes(variable.subarray(nameBytes));
  if (uncompressedSize === MAX_32 && long !== null) uncompressedSize = long.uncompressedSize;
  if (compressedSize === MAX_32 && long !== null) compressedSize = long.compressedSize;
  return {
    flags: fixed.readUInt16LE(6),
    method: fixed.readUInt16LE(8),
    dosTime: fixed.readUInt16LE(10),
    dosDate: fixed.readUInt16LE(12),
    crc32: fixed.readUInt32LE(14),
    compressedSize,
    uncompressedSize,
    name: variable.subarray(0, nameBytes),
    dataStart: offset + FIXED_BYTES + nameBytes + extraBytes,
  };
}

/** In a local header both sizes are there together, the uncompressed one first (APPNOTE 4.5.3). */
function zip64Sizes(extra: Buffer): { uncompressedSize: number; compressedSize: number } | null {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== ZIP64_EXTRA) continue;
    if (at + 20 > extra.length) return null;
    return {
      uncompressedSize: Number(extra.readBigUInt64LE(at + 4)),
      compressedSize: Number(extra.readBigUInt64LE(at + 12)),
    };
  }
  return null;
}

/** The local time that MS-DOS fields say, without a zone because they have none; null when they are not a time. */
export function dosTimeText(date: number, time: number): string | null {
  const [year, month, day] = [1980 + (date >> 9), (date >> 5) & 15, date & 31];
  const [hour, minute, second] = [time >> 11, (time >> 5) & 63, (time & 31) * 2];
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return null;
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}`;
}
