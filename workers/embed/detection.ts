import type { ModelPackManifest, PackDetection, PackInput, PackOutput } from '../../schemas/model-pack.ts';
import type { ItemOutputs } from './net-session.ts';
import type { Point } from './similarity.ts';

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** One face as a detector saw it; pixels of what was looked at (the input tensor, then the upright picture), origin at the outer corner. */
export interface Detection {
  readonly box: Box;
  /** 0 to 1. */
  readonly score: number;
  /** The detector's own points, in its own order; the first two are the eyes, the left one of the picture first. Empty where it gives none. */
  readonly points: readonly Point[];
}

/** Turns a detector's outputs into candidates at or above the threshold, in pixels of the input tensor; overlapping ones are still among them. */
export type DetectionDecoder = (
  outputs: ItemOutputs,
  input: PackInput,
  detection: PackDetection,
  names: OutputNames,
) => Detection[];

/** Outputs by role: one for all anchors, or the nth for the nth entry of the pack's anchors. */
export interface OutputNames {
  readonly boxes: readonly string[];
  readonly scores: readonly string[];
  readonly objectness: readonly string[];
  readonly landmarks: readonly string[];
}

export function outputNames({ outputs }: ModelPackManifest): OutputNames {
  const withRole = (role: PackOutput['role']) =>
    outputs.filter((output) => output.role === role).map(({ name }) => name);
  return {
    boxes: withRole('boxes'),
    scores: withRole('scores'),
    objectness: withRole('objectness'),
    landmarks: withRole('landmarks'),
  };
}

const NOTHING = new Float32Array(0);

/**
 * Values of the output at `index` of a role; empty where there is none, so that a decoder finds no candidate in it. Where one output holds all anchors, it
 * is what lies behind the `before` values of the strides before.
 */
export function valuesAt(
  outputs: ItemOutputs,
  names: readonly string[],
  index: number,
  before: number = 0,
): Float32Array {
  if (names.length === 1) return outputs.get(names[0] ?? '')?.subarray(before) ?? NOTHING;
  return outputs.get(names[index] ?? '') ?? NOTHING;
}

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** How many cells of `stridePixels` a side has: a last partial one counts. */
export const cellsOf = (sidePixels: number, stridePixels: number): number => Math.ceil(sidePixels / stridePixels);

/** Whether a candidate is a box at all: what a net says of odd input may be empty, turned inside out or beyond any picture. */
export function isPlausible({ x, y, width, height }: Box, input: PackInput): boolean {
  const most = 4 * Math.max(input.widthPixels, input.heightPixels);
  return width > 0 && height > 0 && width <= most && height <= most && Math.abs(x) <= most && Math.abs(y) <= most;
}
