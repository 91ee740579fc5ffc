import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Static } from '../../schemas/closed.ts';
import type { Tensor } from './kernel.ts';
import { unreadable } from './source-files.ts';

const StoredType = Type.Enum(['float32', 'int32', 'float16', 'uint8', 'uint16']);
const WeightEntry = Type.Object({
  name: Type.String(),
  shape: Type.Array(Type.Integer({ minimum: 0 })),
  dtype: Type.Enum(['float32', 'int32']),
  quantization: Type.Optional(
    Type.Object({
      dtype: Type.Enum(['float16', 'uint8', 'uint16']),
      min: Type.Optional(Type.Number()),
      scale: Type.Optional(Type.Number()),
    }),
  ),
});
type WeightEntry = Static<typeof WeightEntry>;
/** `weightsManifest` of a TensorFlow.js model: groups of weights that lie one after the other in the files of the group. */
export const WeightsManifest = Type.Array(
  Type.Object({ paths: Type.Array(Type.String()), weights: Type.Array(WeightEntry) }),
  { minItems: 1, maxItems: 1 },
);
export type WeightsManifest = Static<typeof WeightsManifest>;
const checkManifest = Compile(WeightsManifest);

const BYTES_PER_VALUE: Readonly<Record<Static<typeof StoredType>, number>> = {
  float32: 4,
  int32: 4,
  float16: 2,
  uint8: 1,
  uint16: 2,
};

export class Weights {
  readonly #tensors: ReadonlyMap<string, Tensor>;

  constructor(tensors: ReadonlyMap<string, Tensor>) {
    this.#tensors = tensors;
  }

  get(name: string): Tensor {
    const tensor = this.#tensors.get(name);
    if (tensor === undefined) throw unreadable(`a weight ${name}`, 'none of that name');
    return tensor;
  }

  values(name: string): Float32Array {
    return this.get(name).values;
  }
}

/** The weights that a manifest file describes, as face-api ships it: the manifest alone. */
export function readWeights(manifest: Uint8Array, data: Uint8Array): Weights {
  const parsed: unknown = JSON.parse(Buffer.from(manifest).toString('utf8'));
  if (!checkManifest.Check(parsed)) throw unreadable('a weights manifest of one group', 'something else');
  return decodeWeights(parsed, data);
}

/**
 * The weights of a manifest whose files are joined in `data`. Quantised ones are `stored x scale + min` in double
 * precision, rounded to float32, which is how TensorFlow.js reads them; the zero of `min` need not fall on a stored value.
 */
export function decodeWeights(manifest: WeightsManifest, data: Uint8Array): Weights {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const tensors = new Map<string, Tensor>();
  let offset = 0;
  for (const entry of manifest.flatMap((group) => group.weights)) {
    const stored = entry.quantization?.dtype ?? entry.dtype;
    const count = entry.shape.reduce((product, length) => product * length, 1);
    const sizeBytes = count * BYTES_PER_VALUE[stored];
    if (offset + sizeBytes > data.length) {
      throw unreadable(`${sizeBytes} bytes for the weight ${entry.name}`, `${data.length - offset}`);
    }
    const values = new Float32Array(count);
    const restore = restorer(entry);
    for (let index = 0; index < count; index += 1) {
      values[index] = restore(valueAt(view, stored, offset + index * BYTES_PER_VALUE[stored]));
    }
    tensors.set(entry.name, { shape: entry.shape, values });
    offset += sizeBytes;
  }
  if (offset !== data.length) throw unreadable(`${offset} bytes of weights`, `${data.length}`);
  return new Weights(tensors);
}

function valueAt(view: DataView, stored: Static<typeof StoredType>, offset: number): number {
  switch (stored) {
    case 'float32':
      return view.getFloat32(offset, true);
    case 'int32':
      return view.getInt32(offset, true);
    case 'float16':
      return view.getFloat16(offset, true);
    case 'uint8':
      return view.getUint8(offset);
    case 'uint16':
      return view.getUint16(offset, true);
  }
}

function restorer({ name, dtype, quantization }: WeightEntry): (stored: number) => number {
  if (quantization === undefined || quantization.dtype === 'float16') return (stored) => stored;
  const { min, scale } = quantization;
  if (min === undefined || scale === undefined) throw unreadable(`min and scale of the weight ${name}`, 'none');
  // Adding 0 turns -0, which no integer has, into 0.
  if (dtype === 'int32') return (stored) => Math.round(stored * scale + min) + 0;
  return (stored) => stored * scale + min;
}
