/** Compiles similarity.assemblyscript to similarity.wasm, which `npm run check:wasm` holds to its source byte for byte. */
import { writeFile } from 'node:fs/promises';
import { compileAssemblyScript } from './compile.ts';

export const BINARY = new URL('similarity.wasm', import.meta.url);

export async function compileSimilarity(): Promise<Uint8Array> {
  return await compileAssemblyScript(new URL('similarity.assemblyscript', import.meta.url), ['--enable', 'simd']);
}

if (import.meta.main) await writeFile(BINARY, await compileSimilarity());
