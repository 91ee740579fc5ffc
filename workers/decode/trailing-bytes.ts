import { gifEnd } from '../read/gif-blocks.ts';
import { jpegEnd } from '../read/jpeg-segments.ts';
import { pngEnd } from '../read/png-chunks.ts';
import { riffEnd } from '../read/riff-chunks.ts';
import { bmpEnd } from './bmp-header.ts';

const ENDS: Readonly<Record<string, (bytes: Buffer) => number | null>> = {
  'image/jpeg': jpegEnd,
  'image/png': pngEnd,
  'image/apng': pngEnd,
  'image/gif': gifEnd,
  'image/webp': riffEnd,
  'image/bmp': bmpEnd,
};

/**
 * Bytes behind the end of the (first) picture: the second half of a motion photo or stereo pair, an appended archive, text.
 * 0 when there are none, null when the type has no end to find (TIFF, HEIF) or the end was not reached.
 */
export function trailingBytes(bytes: Buffer, mediaType: string): number | null {
  const end = ENDS[mediaType]?.(bytes) ?? null;
  return end === null ? null : Math.max(0, bytes.length - end);
}
