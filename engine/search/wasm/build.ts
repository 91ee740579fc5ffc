/**
 * Compiles similarity.assemblyscript to similarity.wasm, which `npm run check:wasm` holds to its source byte for byte. The compiler's version is
 * pinned in package.json: another one may give other bytes for the same meaning.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { main } from 'assemblyscript/asc';

export const BINARY = new URL('similarity.wasm', import.meta.url);
/** The compiler takes no other ending for a source. */
const ENTRY = 'similarity.ts';
/** stub: no garbage collector, vector-kernel.ts lays the memory out. */
const OPTIONS = '--outFile similarity.wasm --runtime stub --enable simd -O3 --noAssert --converge';

export async function compileSimilarity(): Promise<Uint8Array> {
  const source = await readFile(new URL('similarity.assemblyscript', import.meta.url), 'utf8');
  const built: Uint8Array[] = [];
  const { stderr } = await main([ENTRY, ...OPTIONS.split(' ')], {
    readFile: (name) => (name === ENTRY ? source : null),
    writeFile: (_name, contents) => {
      if (typeof contents !== 'string') built.push(contents);
    },
  });
  const [binary] = built;
  if (binary === undefined) throw new Error(`expected ${ENTRY} to compile, received ${stderr.toString()}`);
  return binary;
}

if (import.meta.main) await writeFile(BINARY, await compileSimilarity());
