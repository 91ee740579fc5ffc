import { InferenceSession, Tensor } from 'onnxruntime-node';
import { convertNet } from './convert.ts';
import { PACKAGES_ROOT } from './test-packages.ts';

const made = new Map<string, Promise<Uint8Array>>();

/** The converted net, made once in a process. */
export function converted(net: string): Promise<Uint8Array> {
  const bytes = made.get(net) ?? convertNet(net, PACKAGES_ROOT).then((result) => result.bytes);
  made.set(net, bytes);
  return bytes;
}

/** The outputs of a net by name for `batch` inputs, one behind the other in `input`; opened for this run alone, with one thread. */
export async function run(
  bytes: Uint8Array,
  input: Float32Array,
  sidePixels: number,
  batch = 1,
): Promise<ReadonlyMap<string, { readonly shape: readonly number[]; readonly values: Float32Array }>> {
  const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  try {
    const outputs = await session.run({ input: new Tensor('float32', input, [batch, 3, sidePixels, sidePixels]) });
    return new Map(
      Object.entries(outputs).map(([name, tensor]) => {
        if (!(tensor.data instanceof Float32Array)) throw new TypeError(`expected float32 for ${name}`);
        return [name, { shape: [...tensor.dims], values: tensor.data }];
      }),
    );
  } finally {
    await session.release();
  }
}
