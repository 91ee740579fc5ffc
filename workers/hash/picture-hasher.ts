/**
 * All perceptual hashes of one decoded picture: PDQ in both flavours with eight orientations each, and the blockhash.
 *
 * Alpha is dropped, never blended, by every hash here: a decoder that hands alpha on and one that removed it agree.
 * (blockhash-core by itself would count a pixel of alpha 0 as white.)
 */
import { bmvbhash } from 'blockhash-core';
import { ORIENTATIONS } from '../../schemas/constants.ts';
import type { Blockhash, PdqFlavour, PdqHash } from '../../schemas/fingerprint.ts';
import {
  assertPicture,
  type ChannelCount,
  compilePdqKernel,
  type KernelHash,
  MEANS_SIDE_PIXELS,
  PdqKernel,
} from './pdq-kernel.ts';

export type { ChannelCount } from './pdq-kernel.ts';

/** From here on PDQ is defined; for a smaller side the published hashers answer with the zero hash and quality 0. */
const LEAST_PDQ_SIDE_PIXELS = 5;
/** A larger side makes the two flavours differ. */
const SAMPLED_SIDE_PIXELS = 512;
/** 16 x 16 blocks: a side of fewer pixels has blocks without a pixel of their own. */
const BLOCKHASH_BLOCKS_PER_SIDE = 16;

const ZERO: KernelHash = { quality: 0, dihedral: ORIENTATIONS.map(() => '0'.repeat(64)) };

export interface PerceptualHashes {
  /** Flavour pdq-512, then flavour pdq-full. */
  readonly pdq: PdqHash[];
  /** Null where a side is below 16 pixels. */
  readonly blockhash: Blockhash | null;
}

export interface PictureHasherOptions {
  /** From `PictureHasher.compile()`, also of another thread; compiled anew where it is absent. */
  readonly module?: WebAssembly.Module;
  /** How many bytes of a picture are handed over at a time. Changes speed only, never a result. */
  readonly stripBytes?: number;
}

/** Keeps one WebAssembly instance; make one a thread and use it for every picture. */
export class PictureHasher {
  readonly #kernel: PdqKernel;

  private constructor(kernel: PdqKernel) {
    this.#kernel = kernel;
  }

  /** The compiled kernel, which may be posted to worker threads and given to `load` there. */
  static compile(): Promise<WebAssembly.Module> {
    return compilePdqKernel();
  }

  static async load(options: PictureHasherOptions = {}): Promise<PictureHasher> {
    return new PictureHasher(new PdqKernel(options.module ?? (await compilePdqKernel()), options.stripBytes));
  }

  /** WebAssembly memory held: as much as the largest picture so far needed, which is never a copy of it. */
  get memoryBytes(): number {
    return this.#kernel.memoryBytes;
  }

  /**
   * @param pixels 8-bit grey (1 channel), RGB (3) or RGBA (4), row after row without gaps, not rotated by EXIF and not
   *   converted by an ICC profile: `sharp(bytes, { ignoreIcc: true }).toColourspace('srgb').removeAlpha().raw()`.
   *   Grey gives the same bits as RGB with three equal channels.
   *   A side below 5 pixels gives the zero hash of quality 0 (in pdq-512 only where the other one is not above 512).
   * @throws HomewardError HW_INTERNAL where `pixels` has not width x height x channels bytes.
   */
  hash(pixels: Uint8Array, widthPixels: number, heightPixels: number, channels: ChannelCount): PerceptualHashes {
    assertPicture(pixels, widthPixels, heightPixels, channels);
    const [least, most] = widthPixels < heightPixels ? [widthPixels, heightPixels] : [heightPixels, widthPixels];
    const isThin = least < LEAST_PDQ_SIDE_PIXELS;
    const isSampled = most > SAMPLED_SIDE_PIXELS;
    if (isThin && !isSampled) return { pdq: [pdqHash('pdq-512', ZERO), pdqHash('pdq-full', ZERO)], blockhash: null };
    const computed = this.#kernel.hashFull(pixels, widthPixels, heightPixels, channels, true);
    const full = isThin ? ZERO : computed;
    const blockhash = least < BLOCKHASH_BLOCKS_PER_SIDE ? null : blockhashOf(this.#kernel.means());
    // The published hasher samples first and measures the sides afterwards: a thin picture has a hash of this flavour.
    const sampled = isSampled ? this.#kernel.hashSampled() : full;
    return { pdq: [pdqHash('pdq-512', sampled), pdqHash('pdq-full', full)], blockhash };
  }
}

function pdqHash(flavour: PdqFlavour, { dihedral, quality }: KernelHash): PdqHash {
  const [hex = ''] = dihedral;
  return { flavour, hex, quality, dihedral: [...dihedral] };
}

/**
 * blockhash-256-r512: blockhash-core's bmvbhash, 16 bits a side, over the picture sampled to 512 x 512 by nearest
 * neighbour. It is given the unrounded means of 8 x 8 samples, whose block sums are those of the samples divided by 64,
 * for 0.03 ms instead of 0.5. The bits are those of the 512 x 512 samples except where blocks tie with the median, which
 * blockhash-core decides by a tolerance on the sum. Distance to the full-size blockhash over 217 public pictures: median
 * 2, 99th percentile 6, at most 8 bits; README.md has the other reductions that were measured.
 */
function blockhashOf(means: Float32Array): Blockhash {
  const reduced = { width: MEANS_SIDE_PIXELS, height: MEANS_SIDE_PIXELS, data: means };
  return { variant: 'blockhash-256-r512', hex: bmvbhash(reduced, BLOCKHASH_BLOCKS_PER_SIDE) };
}
