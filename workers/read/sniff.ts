import { sniffIsoMedia } from './sniff-iso-media.ts';
import { sniffText } from './sniff-text.ts';
import { sniffTiff } from './sniff-tiff.ts';
import { sniffZip } from './sniff-zip.ts';
import { archive, MAGICS, notExamined, picture, type SniffedType, UNKNOWN_TYPE } from './type-tables.ts';

/** How much of a file's beginning is looked at; the farthest signature (ISO 9660) lies at 32,769. */
export const SNIFF_HEAD_BYTES = 65_536;

/** How much of its end is kept of a file whose beginning said nothing. */
export const TAIL_BYTES = 512;

const PNG_SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');

/**
 * The real type of a file by its content; a name is never looked at. Never throws, whatever the bytes are.
 * @param head the first SNIFF_HEAD_BYTES of the file, or all of it if it is shorter
 */
export function sniffType(head: Buffer): SniffedType {
  return (
    sniffPng(head) ??
    sniffRiff(head) ??
    sniffTiff(head) ??
    sniffIsoMedia(head) ??
    sniffZip(head) ??
    sniffBmp(head) ??
    sniffIcon(head) ??
    sniffAnymap(head) ??
    sniffByMagic(head) ??
    sniffTransportStream(head) ??
    sniffOldTar(head) ??
    sniffFileSystem(head) ??
    sniffText(head) ??
    UNKNOWN_TYPE
  );
}

/**
 * The few types that sign at their end: a fixed-size VHD and an Apple disk image in their last 512 bytes, a Targa picture in its last 18.
 * Asked only when the beginning said nothing.
 */
export function sniffTail(tail: Buffer): SniffedType | undefined {
  const footer = tail.length >= 512 ? tail.toString('latin1', tail.length - 512, tail.length - 504) : '';
  if (footer === 'conectix') return notExamined('application/x-vhd', 'diskImage');
  if (footer.startsWith('koly')) return notExamined('application/x-apple-diskimage', 'diskImage');
  const signature = tail.length >= 18 ? tail.toString('latin1', tail.length - 18, tail.length - 2) : '';
  return signature === 'TRUEVISION-XFILE' ? notExamined('image/x-tga', 'otherPicture') : undefined;
}

function sniffByMagic(head: Buffer): SniffedType | undefined {
  for (const { offset, bytes, type } of MAGICS) {
    if (
      head.length >= offset + bytes.length &&
      head.compare(bytes, 0, bytes.length, offset, offset + bytes.length) === 0
    )
      return type;
  }
  return undefined;
}

/** An animated PNG says so in an `acTL` chunk before the first picture data. */
function sniffPng(head: Buffer): SniffedType | undefined {
  if (head.length < 8 || head.compare(PNG_SIGNATURE, 0, 8, 0, 8) !== 0) return undefined;
  const firstData = head.indexOf('IDAT', 8, 'latin1');
  const control = head.subarray(0, firstData < 0 ? head.length : firstData).indexOf('acTL', 8, 'latin1');
  return picture(control < 0 ? 'image/png' : 'image/apng', 'sharp');
}

function sniffRiff(head: Buffer): SniffedType | undefined {
  if (head.length < 12) return undefined;
  const container = head.toString('latin1', 0, 4);
  if (container === 'FORM') {
    const form = head.toString('latin1', 8, 12);
    if (form === 'AIFF' || form === 'AIFC') return notExamined('audio/aiff', 'audio');
    return form === 'ILBM' || form === 'PBM ' ? notExamined('image/x-ilbm', 'otherPicture') : undefined;
  }
  if (container !== 'RIFF' && container !== 'RIFX') return undefined;
  switch (head.toString('latin1', 8, 12)) {
    case 'WEBP':
      return picture('image/webp', 'sharp');
    case 'AVI ':
      return notExamined('video/vnd.avi', 'video');
    case 'WAVE':
      return notExamined('audio/vnd.wave', 'audio');
    case 'ACON':
      return notExamined('application/x-navi-animation', 'otherPicture');
    case 'CDR9':
      return notExamined('application/vnd.corel-draw', 'vectorGraphic');
    default:
      return undefined;
  }
}

/** DIB header sizes: OS/2 1 (12), OS/2 2 (16 to 64), Windows 3, its undocumented versions 2 and 3, 4 and 5. */
const BMP_HEADER_BYTES = new Set([12, 16, 40, 52, 56, 64, 108, 124]);

/** `BM` alone begins ordinary words, so the header size has to be one that exists. */
function sniffBmp(head: Buffer): SniffedType | undefined {
  if (head.length < 18 || head[0] !== 0x42 || head[1] !== 0x4d) return undefined;
  return BMP_HEADER_BYTES.has(head.readUInt32LE(14)) ? picture('image/bmp', 'bmp') : undefined;
}

/** Icons and cursors: reserved 0, kind 1 or 2, a count, and a first entry whose reserved byte is 0 and whose data lies behind it. */
function sniffIcon(head: Buffer): SniffedType | undefined {
  if (head.length < 22 || head.readUInt16LE(0) !== 0) return undefined;
  const kind = head.readUInt16LE(2);
  const images = head.readUInt16LE(4);
  if ((kind !== 1 && kind !== 2) || images === 0 || images > 256 || head[9] !== 0) return undefined;
  if (head.readUInt32LE(18) < 6 + 16 * images) return undefined;
  return notExamined(kind === 1 ? 'image/vnd.microsoft.icon' : 'image/x-win-bitmap', 'otherPicture');
}

/** PBM, PGM, PPM and PAM: a `P` and a digit, then white space, then numbers, a comment or a keyword. */
function sniffAnymap(head: Buffer): SniffedType | undefined {
  return /^P(?:[1-6]\s+[\d#]|7\nWIDTH)/.test(head.toString('latin1', 0, 16))
    ? notExamined('image/x-portable-anymap', 'otherPicture')
    : undefined;
}

/** MPEG transport streams have no signature but a sync byte every 188 (or, with a time code, 192) bytes. */
function sniffTransportStream(head: Buffer): SniffedType | undefined {
  for (const [start, stride] of [
    [0, 188],
    [4, 192],
  ] as const) {
    if (head.length > start + 4 * stride && [0, 1, 2, 3, 4].every((i) => head[start + i * stride] === 0x47))
      return notExamined('video/mp2t', 'video');
  }
  return undefined;
}

/** A tar from before POSIX has no signature; the sum of its first header, with its own field as spaces, is the check. */
function sniffOldTar(head: Buffer): SniffedType | undefined {
  if (head.length < 512 || head[0] === 0) return undefined;
  const field = head
    .toString('latin1', 148, 156)
    .replace(/[\0 ]+$/, '')
    .trimStart();
  if (!/^[0-7]{1,7}$/.test(field)) return undefined;
  let sum = 8 * 0x20;
  for (let i = 0; i < 512; i++) if (i < 148 || i >= 156) sum += head[i] ?? 0;
  return sum === Number.parseInt(field, 8) ? archive('application/x-tar', 'tar') : undefined;
}

/** Volumes and whole disks copied raw. */
function sniffFileSystem(head: Buffer): SniffedType | undefined {
  const disk = notExamined('application/x-raw-disk-image', 'diskImage');
  if (head.length < 512) return undefined;
  if (head.length >= 1082 && head.readUInt16LE(1080) === 0xef53) return disk;
  if (head.length >= 1026 && /^(?:H\+|HX)$/.test(head.toString('latin1', 1024, 1026))) return disk;
  if (head.readUInt16LE(510) !== 0xaa55) return undefined;
  const boot = head.toString('latin1', 0, 90);
  if (/^...(?:NTFS {4}|EXFAT {3})/s.test(boot) || boot.slice(54, 59) === 'FAT16' || boot.slice(82, 87) === 'FAT32')
    return disk;
  // A partition table: four entries whose state byte is 0x00 or 0x80, at least one of them in use.
  const entries = [446, 462, 478, 494];
  const states = entries.every((at) => head[at] === 0 || head[at] === 0x80);
  return states && entries.some((at) => head[at + 4] !== 0) ? disk : undefined;
}
