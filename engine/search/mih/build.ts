/** Compiles kernel.assemblyscript to kernel.wasm, which `npm run check:wasm` holds to its source byte for byte. */
import { writeFile } from 'node:fs/promises';
import { compileAssemblyScript } from '../wasm/compile.ts';

export const BINARY = new URL('kernel.wasm', import.meta.url);
/** The memory comes from outside and is shared between threads. */
const OPTIONS = ['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'];

export async function compileMihKernel(): Promise<Uint8Array> {
  const source = new URL('kernel.assemblyscript', import.meta.url);
  return await compileAssemblyScript(source, [...OPTIONS, '--enable', 'simd,threads,bulk-memory']);
}

if (import.meta.main) await writeFile(BINARY, await compileMihKernel());
