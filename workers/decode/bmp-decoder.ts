import { readBmpHeader } from './bmp-header.ts';
import { unpackRows } from './bmp-pixels.ts';
import { unpackRuns } from './bmp-rle.ts';
import { type DecodeOptions, type DecodeResult, reason, refuse, sizeRefusal } from './decoded-picture.ts';

export const BMP_DECODER = 'homeward bmp/1';

/**
 * Decodes a Windows or OS/2 bitmap. A decoder of our own, because bmp-ts 1.0.9 ignores the offset of the pixels, gives up after one row of
 * a 4-bit picture of odd width, misreads OS/2 headers, allocates what the header claims, and does not know 2 bits a pixel or RLE24:
 * it gives wrong pixels where it should refuse. In strict terms a bitmap has no checksum, so damage is what cannot be: missing rows, runs out
 * of the picture, indices without a colour.
 */
export function decodeBmp(bytes: Buffer, { budget }: Pick<DecodeOptions, 'budget'>): DecodeResult {
  const header = readBmpHeader(bytes);
  if ('fault' in header) return refuse(header.fault, header.detail);
  const { widthPixels, heightPixels } = header;
  const refusal = sizeRefusal(widthPixels, heightPixels, budget);
  if (refusal !== undefined) return refusal;
  // Before anything is allocated: a header without a single row of data behind it is no picture.
  const leastBytes = header.coding === 'plain' ? Math.ceil((widthPixels * header.bitsPerPixel) / 8) : 2;
  if (header.pixelOffset + leastBytes > bytes.length)
    return refuse('truncated', 'file ends before the first whole row of pixels');
  const unpacked = header.coding === 'plain' ? unpackRows(bytes, header) : unpackRuns(bytes, header);
  const damage =
    unpacked.fault === 'truncated'
      ? reason('truncated', `${unpacked.rowsPresent} of ${heightPixels} rows are there`)
      : unpacked.fault === 'corruptData'
        ? reason('corruptData', 'pixels outside the picture, or colours outside the palette')
        : header.paletteWhole
          ? null
          : reason('corruptData', 'the palette is shorter than the header claims');
  return {
    kind: 'decoded',
    pixels: unpacked.pixels,
    decodedWidthPixels: widthPixels,
    decodedHeightPixels: heightPixels,
    channels: 3,
    widthPixels,
    heightPixels,
    reductionFactor: 1,
    frames: 1,
    decoder: BMP_DECODER,
    damage,
  };
}
