import { notExamined, picture, type SniffedType } from './type-tables.ts';

const HEVC_BRANDS = ['heic', 'heix', 'hevc', 'hevx', 'heim', 'heis', 'hevm', 'hevs'];
const AV1_BRANDS = ['avif', 'avis'];
const STILL_BRANDS = ['mif1', 'mif2', 'msf1', 'miaf', 'jpeg', 'jpgs', 'avci', 'avcs', 'vvic', 'j2ki'];
const AUDIO_BRANDS = ['M4A ', 'M4B ', 'M4P ', 'F4A ', 'F4B '];
/** A QuickTime file older than `ftyp` begins with one of these boxes. */
const OLD_QUICKTIME_BOXES = ['moov', 'mdat', 'wide', 'pnot'];

/** The ISO base media family: HEIF, AVIF, Canon's CR3, MP4, QuickTime, 3GP, M4A. */
export function sniffIsoMedia(head: Buffer): SniffedType | undefined {
  if (head.length < 12) return undefined;
  const box = head.toString('latin1', 4, 8);
  if (OLD_QUICKTIME_BOXES.includes(box)) return notExamined('video/quicktime', 'video');
  if (box !== 'ftyp') return undefined;
  const end = Math.min(Math.max(head.readUInt32BE(0), 12), 4096, head.length);
  const brands = [head.toString('latin1', 8, 12)];
  for (let at = 16; at + 4 <= end; at += 4) brands.push(head.toString('latin1', at, at + 4));
  const major = brands[0] ?? '';
  // The major brand decides; compatible ones only where it is a general one.
  if (AV1_BRANDS.includes(major)) return picture('image/avif', 'sharp');
  if (HEVC_BRANDS.includes(major)) return picture('image/heic', 'heif');
  if (major === 'crx ') return notExamined('image/x-canon-cr3', 'rawPhoto');
  if (STILL_BRANDS.includes(major)) return stillOf(head, brands);
  if (AUDIO_BRANDS.includes(major)) return notExamined('audio/mp4', 'audio');
  if (major === 'qt  ') return notExamined('video/quicktime', 'video');
  if (/^3g[2gprs]/.test(major)) return notExamined('video/3gpp', 'video');
  if (major === 'jp2 ' || major === 'jpx ' || major === 'jpm ') return notExamined('image/jp2', 'otherPicture');
  return notExamined('video/mp4', 'video');
}

/** `mif1` says only that there are still pictures; the other brands, or else the item types, say how they are coded. */
function stillOf(head: Buffer, brands: readonly string[]): SniffedType {
  if (brands.some((brand) => AV1_BRANDS.includes(brand))) return picture('image/avif', 'sharp');
  if (brands.some((brand) => HEVC_BRANDS.includes(brand))) return picture('image/heic', 'heif');
  if (head.includes('av01', 12, 'latin1')) return picture('image/avif', 'sharp');
  return picture('image/heif', 'heif');
}
