/** Pictures drawn by calculation for the tests of this folder: the same seed gives the same bytes. */
import { XorShift } from './random.ts';

export interface LumaPicture {
  readonly luma: Uint8Array;
  readonly widthPixels: number;
  readonly heightPixels: number;
}

/** A scene reaches from -0.2 to 1.2 of the picture's longer side, at so many places a unit. */
const PLACES_PER_UNIT = 1500;
const REACH = 0.2;
const SIDE = Math.round(PLACES_PER_UNIT * (1 + 2 * REACH));
const EMPTY = -1;

/** Levels of luma by place, EMPTY where one sees through to the layer behind. */
type Layer = Int16Array;

/** Boards and discs of many sizes and greys, anywhere in the scene. */
export function drawLayer(seed: number, shapes: number): Layer {
  const random = new XorShift(seed);
  const part = () => random.below(10_000) / 10_000;
  const layer = new Int16Array(SIDE * SIDE).fill(EMPTY);
  for (let shape = 0; shape < shapes; shape++) {
    const size = (0.12 * PLACES_PER_UNIT) / (1 + (6 * shape) / shapes);
    const middleX = part() * SIDE;
    const middleY = part() * SIDE;
    const halfWidth = size * (0.3 + 0.7 * part());
    const halfHeight = size * (0.3 + 0.7 * part());
    const isRound = part() < 0.5;
    const level = Math.round(20 + 215 * part());
    for (let y = Math.max(0, Math.ceil(middleY - halfHeight)); y < Math.min(SIDE, middleY + halfHeight); y++) {
      const tall = (y - middleY) / halfHeight;
      const reach = isRound ? halfWidth * Math.sqrt(Math.max(0, 1 - tall * tall)) : halfWidth;
      const from = Math.max(0, Math.ceil(middleX - reach));
      const to = Math.min(SIDE, Math.ceil(middleX + reach));
      if (from < to) layer.fill(level, y * SIDE + from, y * SIDE + to);
    }
  }
  return layer;
}

/** Where a place of the picture lies in the scene; both in parts of the longer side. */
export type View = (x: number, y: number) => readonly [x: number, y: number];

/** Layers from front to back, each seen in its own way; four samples a pixel. */
export function renderLayers(
  layers: readonly { readonly layer: Layer; readonly view: View }[],
  widthPixels = 480,
  heightPixels = 360,
): LumaPicture {
  const luma = new Uint8Array(widthPixels * heightPixels);
  const unit = Math.max(widthPixels, heightPixels);
  const sample = (px: number, py: number): number => {
    for (const { layer, view } of layers) {
      const [x, y] = view(px / unit, py / unit);
      const column = Math.floor((x + REACH) * PLACES_PER_UNIT);
      const row = Math.floor((y + REACH) * PLACES_PER_UNIT);
      if (column < 0 || row < 0 || column >= SIDE || row >= SIDE) continue;
      const level = layer[row * SIDE + column] ?? EMPTY;
      if (level !== EMPTY) return level;
    }
    return 128;
  };
  for (let y = 0; y < heightPixels; y++) {
    for (let x = 0; x < widthPixels; x++) {
      const above = sample(x - 0.25, y - 0.25) + sample(x + 0.25, y - 0.25);
      const below = sample(x - 0.25, y + 0.25) + sample(x + 0.25, y + 0.25);
      luma[y * widthPixels + x] = Math.round((above + below) / 4);
    }
  }
  return { luma, widthPixels, heightPixels };
}

export const asItIs: View = (x, y) => [x, y];

/** Turned about the middle of a 4:3 picture and seen from further off (`scale` below 1) or nearer. */
export function turned(degrees: number, scale: number): View {
  const cos = Math.cos((degrees * Math.PI) / 180) / scale;
  const sin = Math.sin((degrees * Math.PI) / 180) / scale;
  return (x, y) => [0.5 + cos * (x - 0.5) - sin * (y - 0.375), 0.375 + sin * (x - 0.5) + cos * (y - 0.375)];
}

/** Where a place of the scene lies in a picture that is `turned`. */
export function placedIn(degrees: number, scale: number): View {
  return turned(-degrees, 1 / scale);
}
