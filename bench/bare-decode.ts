import sharp from 'sharp';
import { reductionFactorFor } from '../workers/decode/reduction.ts';
import type { ChannelCount } from '../workers/hash/picture-hasher.ts';

/** 8-bit pixels, channels interleaved, rows without padding. */
export interface RawPicture {
  readonly pixels: Buffer;
  readonly widthPixels: number;
  readonly heightPixels: number;
  readonly channels: ChannelCount;
}

/** One decoder thread per thread of ours, nothing kept: how the engine's own decoder runs. */
export function prepareBareDecoder(): void {
  sharp.concurrency(1);
  sharp.cache(false);
}

/** The least that has to be done to see a JPEG at the size the engine sees it: full, or reduced while decoding. @returns pixel bytes */
export async function decodeBare(bytes: Buffer, fast: boolean): Promise<number> {
  if (!fast) return (await sharp(bytes, { ignoreIcc: true }).raw().toBuffer()).length;
  const { width, height } = await sharp(bytes).metadata();
  return (await decodeReduced(bytes, width, height, reductionFactorFor(width, height, 'image/jpeg'))).pixels.length;
}

/** Decodes a JPEG with both sides divided by 1, 2, 4 or 8 by its own transform, with nothing resampled after it. */
export async function decodeReduced(bytes: Buffer, width: number, height: number, factor: number): Promise<RawPicture> {
  const image = sharp(bytes, { ignoreIcc: true });
  if (factor > 1) {
    image.resize(Math.ceil(width / factor), Math.ceil(height / factor), { fit: 'fill', kernel: 'linear' });
  }
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  const { channels } = info;
  if (channels !== 1 && channels !== 3) throw new Error(`expected a JPEG of 1 or 3 channels, received ${channels}`);
  return { pixels: data, widthPixels: info.width, heightPixels: info.height, channels };
}
