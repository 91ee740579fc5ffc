import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { main } from 'assemblyscript/asc';

/** The compiler takes no other ending for a source. */
const ENTRY = 'kernel.ts';
/** stub: no garbage collector, we lay the memory out ourselves. */
const OPTIONS = ['--outFile', 'kernel.wasm', '--runtime', 'stub', '-O3', '--noAssert', '--converge'];

/**
 * Compiles one AssemblyScript file, which ends otherwise since it is no TypeScript that Node or tsc could read. The compiler's version is
 * pinned in package.json: another one may give other bytes for the same meaning.
 */
export async function compileAssemblyScript(file: URL, options: readonly string[]): Promise<Uint8Array> {
  const source = await readFile(file, 'utf8');
  const built: Uint8Array[] = [];
  const { stderr } = await main([ENTRY, ...OPTIONS, ...options], {
    readFile: (name) => (name === ENTRY ? source : null),
    writeFile: (_name, contents) => {
      if (typeof contents !== 'string') built.push(contents);
    },
  });
  const [binary] = built;
  if (binary === undefined)
    throw new Error(`expected ${path.basename(file.pathname)} to compile, received ${stderr.toString()}`);
  return binary;
}
