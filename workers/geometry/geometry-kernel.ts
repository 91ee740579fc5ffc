/**
 * The host side of wasm/geometry.wasm: scale space, extrema, descriptors and descriptor distances. Float32 and integer arithmetic of
 * WebAssembly without relaxed instructions, so a picture has the same keypoints on every machine.
 */
import { readFileSync } from 'node:fs';
import { HomewardError } from '../../schemas/error.ts';

const BINARY = new URL('./wasm/geometry.wasm', import.meta.url);
const CANDIDATE_BYTES = 32;
const RECORD_BYTES = 144;
const DESCRIPTOR_BYTES = 128;

const ENTRIES = [
  'begin',
  'lumaAt',
  'chosenAt',
  'recordsAt',
  'candidatesAt',
  'detect',
  'describe',
  'beginMatch',
  'firstAt',
  'secondAt',
  'match',
  'rowsAt',
  'columnsAt',
] as const;
type Entry = (typeof ENTRIES)[number];

/** An extremum of the scale space; all in pixels of the input. */
export interface Candidate {
  /** Position among all candidates. */
  readonly index: number;
  readonly x: number;
  readonly y: number;
  readonly sigmaPixels: number;
  /** Absolute difference of Gaussians of luma 0..1 at the fitted extremum. */
  readonly response: number;
}

/** A keypoint as the kernel describes it. */
export interface DescribedPoint {
  readonly x: number;
  readonly y: number;
  readonly sigmaPixels: number;
  /** Of the dominant gradient, in turns from 0 to below 1, clockwise from the x axis. */
  readonly turns: number;
  readonly descriptor: Uint8Array;
}

/** Nearest and second nearest of one descriptor in the other set, by squared distance. */
export interface NearestTwo {
  readonly index: number;
  readonly distance: number;
  readonly secondDistance: number;
}

export interface NearestOfSets {
  readonly ofFirst: NearestTwo[];
  readonly ofSecond: NearestTwo[];
}

/** One instance, for one thread. Its memory grows to what the largest picture so far needed and stays there. */
export class GeometryKernel {
  readonly #memory: WebAssembly.Memory;
  readonly #entries: ReadonlyMap<Entry, WebAssembly.ExportedFunction>;

  constructor() {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(BINARY)), {});
    const { memory } = exports;
    if (memory === undefined || typeof memory === 'function') throw mismatch('its memory');
    this.#memory = memory;
    this.#entries = new Map(
      ENTRIES.map((name) => {
        const found = exports[name];
        if (typeof found !== 'function') throw mismatch(`a function ${name}`);
        return [name, found];
      }),
    );
  }

  #call(entry: Entry, ...values: number[]): number {
    const found = this.#entries.get(entry);
    if (found === undefined) throw mismatch(`a function ${entry}`);
    return found(...values);
  }

  /**
   * Keypoints of a picture of 8-bit luma, at most `most` of them. `choose` is given all candidates and returns those to be described, the
   * most wanted first; a candidate with several dominant gradients gives several keypoints.
   */
  describePicture(
    luma: Uint8Array,
    picture: { readonly widthPixels: number; readonly heightPixels: number },
    settings: { readonly doubled: boolean; readonly leastContrast: number; readonly most: number },
    choose: (candidates: readonly Candidate[]) => readonly Candidate[],
  ): DescribedPoint[] {
    this.#call('begin', picture.widthPixels, picture.heightPixels, settings.most);
    new Uint8Array(this.#memory.buffer, this.#call('lumaAt'), luma.length).set(luma);
    const found = this.#call('detect', Number(settings.doubled), settings.leastContrast);
    // Views are taken anew after each call that may grow the memory, because growing detaches older ones.
    const chosen = choose(this.#candidates(found)).slice(0, settings.most);
    new Int32Array(this.#memory.buffer, this.#call('chosenAt'), chosen.length).set(chosen.map(({ index }) => index));
    return this.#records(this.#call('describe', chosen.length));
  }

  #candidates(count: number): Candidate[] {
    const view = new DataView(this.#memory.buffer, this.#call('candidatesAt'), count * CANDIDATE_BYTES);
    return Array.from({ length: count }, (_, index) => {
      const at = index * CANDIDATE_BYTES;
      return {
        index,
        x: view.getFloat32(at, true),
        y: view.getFloat32(at + 4, true),
        sigmaPixels: view.getFloat32(at + 8, true),
        response: view.getFloat32(at + 12, true),
      };
    });
  }

  #records(count: number): DescribedPoint[] {
    const from = this.#call('recordsAt');
    const view = new DataView(this.#memory.buffer, from, count * RECORD_BYTES);
    return Array.from({ length: count }, (_, index) => {
      const at = index * RECORD_BYTES;
      return {
        x: view.getFloat32(at, true),
        y: view.getFloat32(at + 4, true),
        sigmaPixels: view.getFloat32(at + 8, true),
        turns: view.getFloat32(at + 12, true),
        descriptor: new Uint8Array(this.#memory.buffer.slice(from + at + 16, from + at + 16 + DESCRIPTOR_BYTES)),
      };
    });
  }

  /** Compares two sets of packed records, each of which has its 128-byte descriptor at `descriptorAt`. */
  nearestTwo(first: Uint8Array, second: Uint8Array, recordBytes: number, descriptorAt: number): NearestOfSets {
    const firstCount = first.length / recordBytes;
    const secondCount = second.length / recordBytes;
    this.#call('beginMatch', firstCount, secondCount, recordBytes);
    new Uint8Array(this.#memory.buffer, this.#call('firstAt'), first.length).set(first);
    new Uint8Array(this.#memory.buffer, this.#call('secondAt'), second.length).set(second);
    this.#call('match', firstCount, secondCount, recordBytes, descriptorAt);
    const rows = new Int32Array(this.#memory.buffer, this.#call('rowsAt'), firstCount * 4);
    const columns = new Int32Array(this.#memory.buffer, this.#call('columnsAt'), Math.ceil(secondCount / 4) * 12);
    const nearest = (values: Int32Array, at: number, step: number): NearestTwo => ({
      index: values[at] ?? 0,
      distance: values[at + step] ?? 0,
      secondDistance: values[at + 2 * step] ?? 0,
    });
    return {
      ofFirst: Array.from({ length: firstCount }, (_, i) => nearest(rows, i * 4, 1)),
      ofSecond: Array.from({ length: secondCount }, (_, j) => nearest(columns, (j >> 2) * 12 + (j & 3), 4)),
    };
  }
}

let ofThisThread: GeometryKernel | undefined;

/** The kernel of this thread, compiled on first use. */
export function geometryKernel(): GeometryKernel {
  ofThisThread ??= new GeometryKernel();
  return ofThisThread;
}

function mismatch(what: string): HomewardError {
  return new HomewardError(
    'HW_INTERNAL',
    `expected the geometry kernel to export ${what}, received a geometry.wasm without it; check the checkout out anew`,
  );
}
