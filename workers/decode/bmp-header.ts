/**
 * The header of a Windows or OS/2 bitmap.
 * Sources: Microsoft's documentation of BITMAPFILEHEADER, BITMAPCOREHEADER, BITMAPINFOHEADER, BITMAPV4HEADER and BITMAPV5HEADER;
 * OS/2 2.x BITMAPINFOHEADER2 as in "Encyclopedia of Graphics File Formats". Header sizes 52 and 56 are Adobe's.
 */
export interface BmpHeader {
  readonly widthPixels: number;
  readonly heightPixels: number;
  readonly topDown: boolean;
  readonly bitsPerPixel: BmpDepth;
  readonly coding: 'plain' | 'rle4' | 'rle8' | 'rle24';
  /** Red, green, blue: which bits of a 16 or 32 bit pixel. */
  readonly masks: readonly [number, number, number];
  /** RGB triples. */
  readonly palette: Uint8Array;
  /** False when the header claims more colours than there is room for before the pixels. */
  readonly paletteWhole: boolean;
  readonly pixelOffset: number;
  /** Bytes of a row in the file; meaningless for run-length coding. */
  readonly rowBytes: number;
  /** End of what follows the pixels and still belongs to the picture (a version 5 colour profile), or 0. */
  readonly profileEnd: number;
}
export type BmpDepth = 1 | 2 | 4 | 8 | 16 | 24 | 32;
export type BmpHeaderFault = {
  readonly fault: 'truncated' | 'corruptHeader' | 'unsupportedVariant';
  readonly detail: string;
};

const FILE_HEADER_BYTES = 14;
const OS2_1_BYTES = 12;
const OS2_2_BYTES = 64;
const DEPTHS: readonly number[] = [1, 2, 4, 8, 16, 24, 32];
const RGB = 0;
const RLE8 = 1;
const RLE4 = 2;
const BITFIELDS = 3;
const JPEG_OR_RLE24 = 4;
const ALPHA_BITFIELDS = 6;

const fault = (kind: BmpHeaderFault['fault'], detail: string): BmpHeaderFault => ({ fault: kind, detail });

/** Reads and checks the header; allocates nothing but the palette of at most 256 colours. Never throws. */
export function readBmpHeader(bytes: Buffer): BmpHeader | BmpHeaderFault {
  if (bytes.length < FILE_HEADER_BYTES + 4) return fault('truncated', 'file ends within its header');
  const headerBytes = bytes.readUInt32LE(14);
  if (bytes.length < FILE_HEADER_BYTES + headerBytes) return fault('truncated', 'file ends within its header');
  const core = headerBytes === OS2_1_BYTES;
  const rawHeight = core ? bytes.readUInt16LE(20) : headerBytes >= 16 ? bytes.readInt32LE(22) : 0;
  const widthPixels = core ? bytes.readUInt16LE(18) : headerBytes >= 16 ? bytes.readInt32LE(18) : 0;
  const depth = core ? bytes.readUInt16LE(24) : headerBytes >= 16 ? bytes.readUInt16LE(28) : 0;
  // The 16-byte form of the OS/2 2 header ends before these, and they are zero then.
  const field = (offset: number) =>
    !core && headerBytes >= offset + 4 - FILE_HEADER_BYTES ? bytes.readUInt32LE(offset) : 0;
  const compression = field(30);
  const coloursUsed = field(46);
  if (widthPixels < 1 || rawHeight === 0 || rawHeight === -0x80000000)
    return fault('corruptHeader', `header claims ${widthPixels} x ${rawHeight} pixels`);
  if (!isDepth(depth)) return fault('unsupportedVariant', `${depth} bits a pixel`);
  const coding = codingOf(compression, depth, headerBytes);
  if (coding === undefined) return fault('unsupportedVariant', `compression ${compression} at ${depth} bits a pixel`);

  // Masks follow the plain header, or are part of the longer ones, at the same place.
  const hasMasks = compression === BITFIELDS || compression === ALPHA_BITFIELDS;
  const masksBehind = hasMasks && headerBytes === 40 ? (compression === ALPHA_BITFIELDS ? 16 : 12) : 0;
  const paletteAt = FILE_HEADER_BYTES + headerBytes + masksBehind;
  if (bytes.length < paletteAt) return fault('truncated', 'file ends within its header');
  const masks: [number, number, number] = hasMasks
    ? [bytes.readUInt32LE(54), bytes.readUInt32LE(58), bytes.readUInt32LE(62)]
    : depth === 16
      ? [0x7c00, 0x03e0, 0x001f]
      : [0xff0000, 0x00ff00, 0x0000ff];

  const entryBytes = core ? 3 : 4;
  const most = depth <= 8 ? 2 ** depth : 0;
  const declared = depth <= 8 ? (coloursUsed === 0 ? most : coloursUsed) : 0;
  const givenOffset = bytes.readUInt32LE(10);
  const pixelOffset = givenOffset >= paletteAt ? givenOffset : paletteAt + declared * entryBytes;
  // Some writers leave out unused colours at the end without saying so: the room before the pixels is what counts.
  const room = Math.floor((Math.min(pixelOffset, bytes.length) - paletteAt) / entryBytes);
  const colours = Math.max(0, Math.min(declared, most, room));
  const palette = new Uint8Array(3 * colours);
  for (let i = 0; i < colours; i++) {
    const at = paletteAt + i * entryBytes;
    palette[3 * i] = bytes[at + 2] ?? 0;
    palette[3 * i + 1] = bytes[at + 1] ?? 0;
    palette[3 * i + 2] = bytes[at] ?? 0;
  }
  const profileEnd =
    headerBytes === 124 && bytes.readUInt32LE(130) > 0
      ? FILE_HEADER_BYTES + bytes.readUInt32LE(126) + bytes.readUInt32LE(130)
      : 0;
  return {
    widthPixels,
    heightPixels: Math.abs(rawHeight),
    topDown: rawHeight < 0,
    bitsPerPixel: depth,
    coding,
    masks,
    palette,
    paletteWhole: coloursUsed === 0 || depth > 8 || room >= Math.min(declared, most) ? declared <= 65_536 : false,
    pixelOffset,
    rowBytes: 4 * Math.ceil((widthPixels * depth) / 32),
    profileEnd,
  };
}

/** Offset just behind a bitmap that is not run-length coded, or null. */
export function bmpEnd(bytes: Buffer): number | null {
  const header = readBmpHeader(bytes);
  if ('fault' in header || header.coding !== 'plain') return null;
  const end = Math.max(header.pixelOffset + header.rowBytes * header.heightPixels, header.profileEnd);
  return end <= bytes.length ? end : null;
}

const isDepth = (depth: number): depth is BmpDepth => DEPTHS.includes(depth);

function codingOf(compression: number, depth: BmpDepth, headerBytes: number): BmpHeader['coding'] | undefined {
  switch (compression) {
    case RGB:
      return 'plain';
    case RLE8:
      return depth === 8 ? 'rle8' : undefined;
    case RLE4:
      return depth === 4 ? 'rle4' : undefined;
    case BITFIELDS:
      // In an OS/2 2 header the same number means Huffman coding, which fax machines used and nobody else.
      return (depth === 16 || depth === 32) && headerBytes !== OS2_2_BYTES ? 'plain' : undefined;
    case JPEG_OR_RLE24:
      return depth === 24 && headerBytes === OS2_2_BYTES ? 'rle24' : undefined;
    case ALPHA_BITFIELDS:
      return depth === 16 || depth === 32 ? 'plain' : undefined;
    default:
      return undefined;
  }
}
