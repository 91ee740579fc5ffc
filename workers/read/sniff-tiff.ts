import { notExamined, picture, type SniffedType } from './type-tables.ts';

const TAG = {
  newSubfileType: 254,
  compression: 259,
  photometric: 262,
  make: 271,
  subIfds: 330,
  dngVersion: 50706,
} as const;
/** Colour filter array (TIFF/EP) and linear raw (DNG): sensor data, not a picture to look at. */
const SENSOR_PHOTOMETRIC = new Set([32803, 34892]);
/** Compressions that only cameras write: Nikon 34713, Sony 32767, Pentax 65535, Samsung 32770, Kodak 65000, Epson 32769. */
const SENSOR_COMPRESSION = new Set([34713, 32767, 65535, 32769, 32770, 65000]);
const REDUCED_RESOLUTION = 1;
/** Directories of a picture file have a dozen entries; more than this is not read. */
const MAX_ENTRIES = 512;
const MAX_SUB_IFDS = 8;

interface Ifd {
  readonly first: ReadonlyMap<number, number>;
  readonly make: string;
  readonly subIfdOffsets: readonly number[];
}

/**
 * Classic TIFF, BigTIFF, and the RAW photographs that are TIFF inside (DNG, NEF, CR2, ARW, PEF ...): libtiff would decode their
 * preview and call it the picture, so they are told apart by their directories.
 */
export function sniffTiff(head: Buffer): SniffedType | undefined {
  if (head.length < 4) return undefined;
  const order = head.toString('latin1', 0, 2);
  if (order !== 'II' && order !== 'MM') return undefined;
  const little = order === 'II';
  const version = little ? head.readUInt16LE(2) : head.readUInt16BE(2);
  const tiff = picture('image/tiff', 'sharp');
  if (version === 43) return tiff;
  if (version !== 42) return undefined;
  if (head.length < 10) return tiff;
  if (little && head.toString('latin1', 8, 10) === 'CR') return notExamined('image/x-canon-cr2', 'rawPhoto');
  if (head.toString('latin1', 8, 12) === 'IIII' || head.toString('latin1', 8, 12) === 'MMMM')
    return notExamined('image/x-phaseone-iiq', 'rawPhoto');
  const offset = little ? head.readUInt32LE(4) : head.readUInt32BE(4);
  const first = readIfd(head, offset, little);
  if (first === undefined) return tiff;
  if (first.first.has(TAG.dngVersion)) return notExamined('image/x-adobe-dng', 'rawPhoto');
  const others = first.subIfdOffsets.map((at) => readIfd(head, at, little));
  const sensor = [first, ...others].some(
    (ifd) =>
      ifd !== undefined &&
      (SENSOR_PHOTOMETRIC.has(ifd.first.get(TAG.photometric) ?? -1) ||
        SENSOR_COMPRESSION.has(ifd.first.get(TAG.compression) ?? -1)),
  );
  // Where the directory of the sensor data lies beyond the head: a preview first, with a camera's name, and more behind it.
  const previewFirst =
    first.first.get(TAG.newSubfileType) === REDUCED_RESOLUTION && first.make !== '' && first.subIfdOffsets.length > 0;
  return sensor || previewFirst ? notExamined(rawTypeOf(first.make), 'rawPhoto') : tiff;
}

function rawTypeOf(make: string): string {
  const name = make.toUpperCase();
  if (name.startsWith('NIKON')) return 'image/x-nikon-nef';
  if (name.startsWith('SONY')) return 'image/x-sony-arw';
  if (name.startsWith('PENTAX') || name.startsWith('RICOH')) return 'image/x-pentax-pef';
  if (name.startsWith('SAMSUNG')) return 'image/x-samsung-srw';
  if (name.startsWith('KODAK')) return 'image/x-kodak-dcr';
  return 'image/x-raw';
}

/** The first value of each entry of one directory, or undefined when it does not lie within the head. */
function readIfd(head: Buffer, offset: number, little: boolean): Ifd | undefined {
  const u16 = (at: number) => (little ? head.readUInt16LE(at) : head.readUInt16BE(at));
  const u32 = (at: number) => (little ? head.readUInt32LE(at) : head.readUInt32BE(at));
  if (offset < 8 || offset + 2 > head.length) return undefined;
  const entries = u16(offset);
  if (entries === 0 || entries > MAX_ENTRIES) return undefined;
  const first = new Map<number, number>();
  const subIfdOffsets: number[] = [];
  let make = '';
  for (let i = 0; i < entries; i++) {
    const at = offset + 2 + 12 * i;
    if (at + 12 > head.length) break;
    const tag = u16(at);
    const type = u16(at + 2);
    const count = u32(at + 4);
    first.set(tag, type === 3 ? u16(at + 8) : u32(at + 8));
    if (tag === TAG.make && count > 4) {
      const start = u32(at + 8);
      make = head.toString('latin1', start, Math.min(start + Math.min(count, 32), head.length)).replace(/\0.*$/s, '');
    }
    if (tag === TAG.subIfds && count >= 1) {
      const start = u32(at + 8);
      if (count === 1) subIfdOffsets.push(start);
      else
        for (let k = 0; k < Math.min(count, MAX_SUB_IFDS); k++)
          subIfdOffsets.push(start + 4 * k + 4 <= head.length ? u32(start + 4 * k) : head.length);
    }
  }
  return { first, make, subIfdOffsets };
}
