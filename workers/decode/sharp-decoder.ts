import sharp from 'sharp';
import type { Reason, ReasonCode } from '../../schemas/outcome.ts';
import { pngFrames } from '../read/png-chunks.ts';
import { type DecodeOptions, type DecodeResult, type ReductionFactor, reason, sizeRefusal } from './decoded-picture.ts';
import { classifyLibvipsError, damageOf } from './libvips-errors.ts';
import { reductionFactorFor } from './reduction.ts';

// Content is sniffed by libvips, too: with any other loader allowed, a file could choose one that reads further files or the network.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: [
    'VipsForeignLoadJpegBuffer',
    'VipsForeignLoadPngBuffer',
    'VipsForeignLoadWebpBuffer',
    'VipsForeignLoadNsgifBuffer',
    'VipsForeignLoadTiffBuffer',
    'VipsForeignLoadHeifBuffer',
  ],
});
// The pool of this host is where work is done in parallel; threads inside libvips would only compete with it.
sharp.concurrency(1);
// No picture is opened twice, so a cache would only hold pixels longer than needed.
sharp.cache(false);

export const SHARP_DECODER = `sharp ${sharp.versions.sharp ?? 'unknown'} (libvips ${sharp.versions.vips})`;

const LIMITS: ReadonlySet<ReasonCode> = new Set<ReasonCode>(['pixelLimit', 'dimensionLimit', 'memoryLimit']);

/** A picture that is neither reached by strict nor by lenient decoding, or one of the two that did it. */
type Attempt = { readonly ok: true; readonly result: DecodeResult } | { readonly ok: false; readonly reason: Reason };

/**
 * Decodes JPEG, PNG, WebP, GIF, TIFF and AVIF, the first page or frame: strict first, then leniently, which yields a picture with its
 * damage named. No EXIF rotation, no ICC conversion, alpha dropped: that is what PDQ's reference does.
 */
export async function decodeWithSharp(bytes: Buffer, mediaType: string, options: DecodeOptions): Promise<DecodeResult> {
  const strict = await attempt(bytes, mediaType, options, 'warning', null);
  if (strict.ok) return strict.result;
  // A lenient attempt at something that is too large would only cost time, and says nothing about damage.
  if (LIMITS.has(strict.reason.code)) return { kind: 'refused', reason: strict.reason };
  const lenient = await attempt(bytes, mediaType, options, 'none', damageOf(strict.reason));
  return lenient.ok ? lenient.result : { kind: 'refused', reason: lenient.reason };
}

async function attempt(
  bytes: Buffer,
  mediaType: string,
  { mode, budget, reductionFor }: DecodeOptions,
  failOn: 'warning' | 'none',
  damage: Reason | null,
): Promise<Attempt> {
  try {
    const image = sharp(bytes, { failOn, limitInputPixels: budget.pixels, ignoreIcc: true });
    const header = await image.metadata();
    const refusal = sizeRefusal(header.width, header.height, budget);
    if (refusal !== undefined) return { ok: true, result: refusal };
    const chosen = reductionFor ?? (mode === 'fast' ? reductionFactorFor : undefined);
    const reductionFactor: ReductionFactor = chosen?.(header.width, header.height, mediaType) ?? 1;
    if (reductionFactor > 1)
      image.resize({
        width: Math.ceil(header.width / reductionFactor),
        height: Math.ceil(header.height / reductionFactor),
        fit: 'fill',
        kernel: 'linear',
      });
    const { data, info } = await image
      .toColourspace('srgb')
      .removeAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const channels = info.channels === 1 || info.channels === 3 || info.channels === 4 ? info.channels : undefined;
    if (channels === undefined) return { ok: false, reason: reason('unsupportedVariant', `${info.channels} channels`) };
    const frames = mediaType === 'image/apng' ? pngFrames(bytes) : (header.pages ?? 1);
    return {
      ok: true,
      result: {
        kind: 'decoded',
        pixels: data,
        decodedWidthPixels: info.width,
        decodedHeightPixels: info.height,
        channels,
        widthPixels: header.width,
        heightPixels: header.height,
        reductionFactor,
        frames: Math.min(Math.max(frames, 1), 1_000_000),
        decoder: SHARP_DECODER,
        damage,
      },
    };
  } catch (error) {
    return { ok: false, reason: classifyLibvipsError(error instanceof Error ? error.message : String(error)) };
  }
}
