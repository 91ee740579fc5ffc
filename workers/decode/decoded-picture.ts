import type { DecodeMode } from '../../schemas/fingerprint.ts';
import type { FileBudget } from '../../schemas/host-protocol.ts';
import type { Reason, ReasonCode } from '../../schemas/outcome.ts';

export type ReductionFactor = 1 | 2 | 4;

/** Pixels of one picture inside a host, and what is recorded about how they came about. Never leaves the host. */
export interface DecodedPicture {
  readonly kind: 'decoded';
  /** Rows from the top, channels interleaved, 8 bits each, no padding. sRGB without ICC conversion; alpha dropped, not blended. */
  readonly pixels: Uint8Array;
  /** Size of `pixels`; smaller than the picture in fast mode. */
  readonly decodedWidthPixels: number;
  readonly decodedHeightPixels: number;
  readonly channels: 1 | 3 | 4;
  /** Size of the picture as its header says. */
  readonly widthPixels: number;
  readonly heightPixels: number;
  readonly reductionFactor: ReductionFactor;
  readonly frames: number;
  /** Name and version of the decoder. */
  readonly decoder: string;
  /** Null when the data is whole; otherwise what strict decoding objected to. */
  readonly damage: Reason | null;
}

export interface RefusedPicture {
  readonly kind: 'refused';
  readonly reason: Reason;
}

export type DecodeResult = DecodedPicture | RefusedPicture;

/** The part of the budget that a decoder keeps by itself, before it allocates anything. Time and memory are the parent's to limit. */
export type PixelBudget = Pick<FileBudget, 'pixels' | 'sidePixels'>;

export interface DecodeOptions {
  readonly mode: DecodeMode;
  readonly budget: PixelBudget;
  /** By how much each side may be divided on decoding, where that is not for the mode to say. */
  readonly reductionFor?: (widthPixels: number, heightPixels: number, mediaType: string) => ReductionFactor;
}

const MAX_DETAIL = 300;

/** A reason whose detail is bounded and printable, whatever a decoder said. */
export function reason(code: ReasonCode, detail: string): Reason {
  return {
    code,
    detail: detail
      .replace(/\p{Cc}+/gu, ' ')
      .trim()
      .slice(0, MAX_DETAIL)
      .toWellFormed(),
  };
}

export const refuse = (code: ReasonCode, detail: string): RefusedPicture => ({
  kind: 'refused',
  reason: reason(code, detail),
});

/** Why a picture of this size is beyond the budget, or undefined. Headers lie, so this is asked before anything is allocated. */
export function sizeRefusal(
  widthPixels: number,
  heightPixels: number,
  budget: PixelBudget,
): RefusedPicture | undefined {
  if (widthPixels < 1 || heightPixels < 1)
    return refuse('corruptHeader', `header claims ${widthPixels} x ${heightPixels} pixels`);
  if (widthPixels > budget.sidePixels || heightPixels > budget.sidePixels)
    return refuse(
      'dimensionLimit',
      `header claims ${widthPixels} x ${heightPixels} pixels, a side may have ${budget.sidePixels}`,
    );
  if (widthPixels * heightPixels > budget.pixels)
    return refuse(
      'pixelLimit',
      `header claims ${widthPixels} x ${heightPixels} pixels, a picture may have ${budget.pixels}`,
    );
  return undefined;
}
