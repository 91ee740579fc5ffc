import { readJpegSegments } from '../read/jpeg-segments.ts';
import { pngChunks } from '../read/png-chunks.ts';
import { riffChunks } from '../read/riff-chunks.ts';
import { boundedText } from './bounded-text.ts';

const APP11 = 0xeb;
/** The UUID of a C2PA box in ISO media files (C2PA Technical Specification 2.1, appendix A.5). */
const C2PA_UUID = Buffer.from('d8fec3d61b0e483c92975828877ec481', 'hex');
const MAX_SEARCH_BYTES = 1024 * 1024;

export interface ContentCredentials {
  /** Where the manifest store lies. */
  readonly place: string;
  readonly generator: string | null;
  /** The bytes of the store as Latin-1, bounded, for searching. */
  readonly text: string;
}

/** A C2PA manifest store (JUMBF), found by its place in each container; its signatures are not verified. */
export function contentCredentials(bytes: Buffer, mediaType: string): ContentCredentials | undefined {
  const found = locate(bytes, mediaType);
  if (found === undefined) return undefined;
  const text = found.data.toString('latin1', 0, Math.min(found.data.length, MAX_SEARCH_BYTES));
  return { place: found.place, generator: claimGenerator(found.data), text };
}

function locate(bytes: Buffer, mediaType: string): { place: string; data: Buffer } | undefined {
  switch (mediaType) {
    case 'image/jpeg': {
      const parts = readJpegSegments(bytes)
        .filter(({ marker, payload }) => marker === APP11 && payload.toString('latin1', 0, 2) === 'JP')
        .map(({ payload }) => payload);
      const data = Buffer.concat(parts);
      return data.includes('c2pa', 0, 'latin1') ? { place: 'JPEG APP11', data } : undefined;
    }
    case 'image/png':
    case 'image/apng':
      for (const { type, data } of pngChunks(bytes)) if (type === 'caBX') return { place: 'PNG caBX', data };
      return undefined;
    case 'image/webp':
      for (const { type, data } of riffChunks(bytes)) if (type === 'C2PA') return { place: 'WebP C2PA', data };
      return undefined;
    case 'image/avif':
    case 'image/heic':
    case 'image/heif': {
      const at = bytes.indexOf(C2PA_UUID);
      return at < 0 ? undefined : { place: 'uuid box', data: bytes.subarray(at + 16) };
    }
    default:
      return undefined;
  }
}

/** The CBOR text that follows the key `claim_generator` in a claim, or the `name` in `claim_generator_info` of newer ones. */
function claimGenerator(data: Buffer): string | null {
  const key = 'claim_generator';
  for (let at = data.indexOf(key, 0, 'latin1'); at >= 0; at = data.indexOf(key, at + 1, 'latin1')) {
    const info = data.toString('latin1', at + key.length, at + key.length + 5) === '_info';
    const name = info ? data.indexOf('dname', at + key.length, 'latin1') : -1;
    if (info && (name < 0 || name > at + 200)) continue;
    const text = cborText(data, info ? name + 5 : at + key.length);
    if (text !== null) return text;
  }
  return null;
}

/** A CBOR text string (RFC 8949, major type 3) of up to 65,535 bytes, or null when there is another item. */
function cborText(data: Buffer, at: number): string | null {
  const head = data[at];
  if (head === undefined || head >> 5 !== 3) return null;
  const short = head & 31;
  if (short > 25 || at + 3 > data.length) return null;
  const length = short < 24 ? short : short === 24 ? (data[at + 1] ?? 0) : data.readUInt16BE(at + 1);
  const from = at + (short < 24 ? 1 : short === 24 ? 2 : 3);
  return boundedText(data.toString('utf8', from, Math.min(from + length, data.length)), 100);
}
