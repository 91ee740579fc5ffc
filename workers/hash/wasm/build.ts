/**
 * Compiles assembly/ to pdq.wasm; with --check compares instead, byte for byte, and exits 1 where they differ.
 * The compiler's version is pinned in package.json: another one may give other bytes for the same meaning.
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { main } from 'assemblyscript/asc';

const HERE = import.meta.dirname;
const SOURCE = 'assembly/index.ts';
const BINARY = path.join(HERE, 'pdq.wasm');
/** stub: no garbage collector, we lay the memory out ourselves. 32 pages hold all that has a fixed place. */
const OPTIONS = ['--runtime', 'stub', '--enable', 'simd', '-O3', '--noAssert', '--converge', '--initialMemory', '32'];

/** The kernel as the pinned compiler makes it from the sources that lie here. */
export async function compileKernel(): Promise<Uint8Array> {
  let binary: Uint8Array | undefined;
  const { error, stderr } = await main([SOURCE, '--baseDir', HERE, '--outFile', 'pdq.wasm', ...OPTIONS], {
    writeFile: (_name, contents) => {
      if (typeof contents !== 'string') binary = contents;
    },
  });
  if (error !== null || binary === undefined) {
    throw new Error(`expected ${SOURCE} to compile, received: ${error?.message ?? 'no binary'}\n${stderr.toString()}`);
  }
  return binary;
}

if (import.meta.main) {
  const built = await compileKernel();
  if (process.argv.includes('--check')) {
    const kept = await readFile(BINARY);
    if (!kept.equals(built)) {
      process.stderr.write(
        'pdq.wasm is not what assembly/ compiles to. Run workers/hash/wasm/build.ts and commit it.\n',
      );
      process.exit(1);
    }
  } else {
    await writeFile(BINARY, built);
  }
}
