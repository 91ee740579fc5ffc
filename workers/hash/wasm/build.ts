/**
 * Compiles the assembly/ of every kernel under workers to its .wasm, which `npm run check:wasm` holds to its source byte for byte.
 * The compiler's version is pinned in package.json: another one may give other bytes for the same meaning.
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { main } from 'assemblyscript/asc';

const WORKERS = path.resolve(import.meta.dirname, '..', '..');
const SOURCE = 'assembly/index.ts';
/** stub: no garbage collector, we lay the memory out ourselves. 32 pages hold all that has a fixed place. */
const OPTIONS = ['--runtime', 'stub', '--enable', 'simd', '-O3', '--noAssert', '--converge', '--initialMemory', '32'];

/** Each kernel's binary, relative to workers/; its source is assembly/ beside it. */
export const KERNELS = ['hash/wasm/pdq.wasm', 'geometry/wasm/geometry.wasm'] as const;
type Kernel = (typeof KERNELS)[number];

export const binaryOf = (kernel: Kernel): string => path.join(WORKERS, kernel);

/** The kernel as the pinned compiler makes it from the sources that lie here. */
export async function compileKernel(kernel: Kernel): Promise<Uint8Array> {
  let binary: Uint8Array | undefined;
  const folder = path.dirname(binaryOf(kernel));
  const { error, stderr } = await main([SOURCE, '--baseDir', folder, '--outFile', path.basename(kernel), ...OPTIONS], {
    writeFile: (_name, contents) => {
      if (typeof contents !== 'string') binary = contents;
    },
  });
  if (error !== null || binary === undefined) {
    throw new Error(
      `expected ${SOURCE} of ${kernel} to compile, received: ${error?.message ?? 'no binary'}\n${stderr.toString()}`,
    );
  }
  return binary;
}

if (import.meta.main) {
  for (const kernel of KERNELS) await writeFile(binaryOf(kernel), await compileKernel(kernel));
}
