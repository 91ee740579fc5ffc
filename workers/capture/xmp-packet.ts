import { readJpegSegments } from '../read/jpeg-segments.ts';
import { riffChunks } from '../read/riff-chunks.ts';
import { pngTexts } from './png-text.ts';

const JPEG_HEADER = 'http://ns.adobe.com/xap/1.0/\0';
const MAX_PACKET_BYTES = 256 * 1024;
/** In files whose boxes or directories are not followed here, the packet is looked for by its root element, this far. */
const SEARCH_BYTES = 64 * 1024 * 1024;

/** The XMP packet of a picture as text, bounded; empty when there is none. It is searched, never parsed: XML parsers can be kept busy. */
export function xmpPacket(bytes: Buffer, mediaType: string): string {
  switch (mediaType) {
    case 'image/jpeg':
      return textOf(
        readJpegSegments(bytes).find(({ marker, payload }) => marker === 0xe1 && startsWith(payload, JPEG_HEADER))
          ?.payload,
      );
    case 'image/webp':
      for (const chunk of riffChunks(bytes)) if (chunk.type === 'XMP ') return textOf(chunk.data);
      return '';
    case 'image/png':
    case 'image/apng':
      return pngTexts(bytes).find(({ keyword }) => keyword === 'XML:com.adobe.xmp')?.text ?? '';
    default: {
      const at = bytes.subarray(0, SEARCH_BYTES).indexOf('<x:xmpmeta', 0, 'latin1');
      return at < 0 ? '' : textOf(bytes.subarray(at));
    }
  }
}

const startsWith = (payload: Buffer, text: string) =>
  payload.length > text.length && payload.toString('latin1', 0, text.length) === text;
const textOf = (data: Buffer | undefined) => data?.toString('utf8', 0, Math.min(data.length, MAX_PACKET_BYTES)) ?? '';
