/**
 * The host side of wasm/pdq.wasm: PDQ as published (facebook/ThreatExchange, pdq/cpp, float32 without fused
 * multiply-add), streamed in strips of rows, so that a picture of any size needs no copy of itself in memory.
 * The WebAssembly memory grows to what the largest picture so far needed, about 100 bytes a column and a thirtieth of
 * a byte a pixel on top of 4 MB, and stays there.
 */
import { readFile } from 'node:fs/promises';
import { HomewardError } from '../../schemas/error.ts';

const BINARY = new URL('./wasm/pdq.wasm', import.meta.url);
const HASH_BYTES = 32;
const ORIENTATION_COUNT = 8;
const DCT_ROWS = 16;
const DCT_COLUMNS = 64;
/** A strip, the rows of the filter's ring and the sums of a group of rows stay in a second-level cache together. */
const STRIP_BYTES = 128 * 1024;
/** The kernel counts in 32 bits; with sides up to this no size or offset of it can run over. */
const LARGEST_SIDE_PIXELS = 1_000_000;

/** Side of the reduced picture that the blockhash is taken from, four float32 a pixel. */
export const MEANS_SIDE_PIXELS = 64;

/** Grey, RGB, or RGBA of 8 bits each, row after row without gaps. */
export type ChannelCount = 1 | 3 | 4;

/** One flavour's outcome: eight hashes in the order of ORIENTATIONS, and the quality, 0 to 100. */
export interface KernelHash {
  readonly dihedral: string[];
  readonly quality: number;
}

/**
 * D[i][j] = sqrt(2/64) cos(pi/128 (i+1) (2j+1)), the scale and the product each rounded to float32 as in the published
 * C++. A test holds the digest of these 4,096 bytes, because one bit of them would change hashes.
 */
export function dctMatrix(): Float32Array {
  const scale = Math.fround(Math.sqrt(2 / DCT_COLUMNS));
  return Float32Array.from(
    { length: DCT_ROWS * DCT_COLUMNS },
    (_, at) =>
      scale * Math.cos((Math.PI / 2 / DCT_COLUMNS) * (Math.floor(at / DCT_COLUMNS) + 1) * (2 * (at % DCT_COLUMNS) + 1)),
  );
}

/** Compiles the kernel. The module may be sent to other threads, which then need not compile it again. */
export async function compilePdqKernel(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await readFile(BINARY));
}

/** One instance, for one thread and one picture at a time. */
export class PdqKernel {
  readonly #memory: WebAssembly.Memory;
  readonly #begin: WebAssembly.ExportedFunction;
  readonly #feed: WebAssembly.ExportedFunction;
  readonly #stripAt: WebAssembly.ExportedFunction;
  readonly #finishFull: WebAssembly.ExportedFunction;
  readonly #finishSampled: WebAssembly.ExportedFunction;
  readonly #finishMeans: WebAssembly.ExportedFunction;
  readonly #hashesAt: number;
  readonly #meansAt: number;
  readonly #stripBytes: number;

  /** `stripBytes` has no influence on any result, only on speed. */
  constructor(module: WebAssembly.Module, stripBytes: number = STRIP_BYTES) {
    const { exports } = new WebAssembly.Instance(module, {});
    const entry = (name: string): WebAssembly.ExportedFunction => {
      const found = exports[name];
      if (typeof found !== 'function') throw mismatch(`a function ${name}`);
      return found;
    };
    const { memory } = exports;
    if (memory === undefined || typeof memory === 'function') throw mismatch('its memory');
    this.#memory = memory;
    this.#begin = entry('begin');
    this.#feed = entry('feed');
    this.#stripAt = entry('stripAt');
    this.#finishFull = entry('finishFull');
    this.#finishSampled = entry('finishSampled');
    this.#finishMeans = entry('finishMeans');
    this.#hashesAt = entry('hashesAt')();
    this.#meansAt = entry('meansAt')();
    this.#stripBytes = stripBytes;
    new Float32Array(memory.buffer, entry('dctAt')(), DCT_ROWS * DCT_COLUMNS).set(dctMatrix());
    entry('prepare')();
  }

  /** What the WebAssembly memory takes now; it never shrinks. */
  get memoryBytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /**
   * Flavour pdq-full of a picture; below 5 pixels a side it is not defined and the answer means nothing. With `sampling`, `hashSampled` and `means` may follow.
   * The caller has made sure by `assertPicture` that the buffer is that picture.
   */
  hashFull(pixels: Uint8Array, widthPixels: number, heightPixels: number, channels: ChannelCount, sampling: boolean) {
    const rowBytes = widthPixels * channels;
    const rowsWanted = Math.max(4, Math.floor(this.#stripBytes / rowBytes / 4) * 4);
    const stripRows = Math.min(rowsWanted, Math.ceil(heightPixels / 4) * 4);
    this.#begin(widthPixels, heightPixels, channels, stripRows, Number(sampling));
    // Taken after begin(): growing the memory detaches older views.
    const strip = new Uint8Array(this.#memory.buffer, this.#stripAt(), stripRows * rowBytes);
    for (let y = 0; y < heightPixels; y += stripRows) {
      const rows = Math.min(stripRows, heightPixels - y);
      strip.set(pixels.subarray(y * rowBytes, (y + rows) * rowBytes));
      this.#feed(rows);
    }
    const quality = this.#finishFull();
    return { quality, dihedral: this.#dihedral(1) } satisfies KernelHash;
  }

  /** Flavour pdq-512 of the picture just hashed, from its 512 x 512 samples; right only where a side is above 512. */
  hashSampled(): KernelHash {
    const quality = this.#finishSampled();
    return { quality, dihedral: this.#dihedral(0) };
  }

  /** The samples reduced to 64 x 64 unrounded means, alpha 255: a view that the next call overwrites. */
  means(): Float32Array {
    this.#finishMeans();
    return new Float32Array(this.#memory.buffer, this.#meansAt, MEANS_SIDE_PIXELS * MEANS_SIDE_PIXELS * 4);
  }

  #dihedral(flavour: 0 | 1): string[] {
    const sizeBytes = ORIENTATION_COUNT * HASH_BYTES;
    const hex = Buffer.from(this.#memory.buffer, this.#hashesAt + flavour * sizeBytes, sizeBytes).toString('hex');
    return Array.from({ length: ORIENTATION_COUNT }, (_, at) =>
      hex.slice(at * HASH_BYTES * 2, (at + 1) * HASH_BYTES * 2),
    );
  }
}

/** Refuses a buffer that is not the picture it is said to be. */
export function assertPicture(pixels: Uint8Array, widthPixels: number, heightPixels: number, channels: number): void {
  const isSide = (side: number) => Number.isInteger(side) && side >= 1 && side <= LARGEST_SIDE_PIXELS;
  const isPicture = isSide(widthPixels) && isSide(heightPixels) && (channels === 1 || channels === 3 || channels === 4);
  if (isPicture && pixels.length === widthPixels * heightPixels * channels) return;
  throw new HomewardError(
    'HW_INTERNAL',
    `expected width x height x channels bytes with sides of 1 to ${LARGEST_SIDE_PIXELS} and 1, 3 or 4 channels for a ` +
      `picture to hash, received ${pixels.length} bytes as ${widthPixels} x ${heightPixels} x ${channels}`,
  );
}

function mismatch(what: string): HomewardError {
  return new HomewardError(
    'HW_INTERNAL',
    `expected the hashing kernel to export ${what}, received a pdq.wasm without it; check the checkout out anew`,
  );
}
