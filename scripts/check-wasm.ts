/**
 * `npm run check:wasm`: compiles every WebAssembly file of the tree anew from its AssemblyScript and compares byte for byte. One that no
 * build script makes is told as well: nobody could say where its bytes come from. Ends with 1 where anything is told.
 */
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileMihKernel, BINARY as MIH } from '../engine/search/mih/build.ts';
import { BINARY, compileSimilarity } from '../engine/search/wasm/build.ts';
import { binaryOf, compileKernel, KERNELS } from '../workers/hash/wasm/build.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const NOT_OURS = ['node_modules', '.git', 'dist', 'homeward-data'];

interface Source {
  readonly build: string;
  readonly compile: () => Promise<Uint8Array>;
}

const sources = new Map<string, Source>([
  [fileURLToPath(BINARY), { build: 'engine/search/wasm/build.ts', compile: compileSimilarity }],
  [fileURLToPath(MIH), { build: 'engine/search/mih/build.ts', compile: compileMihKernel }],
  ...KERNELS.map((kernel): [string, Source] => [
    binaryOf(kernel),
    { build: 'workers/hash/wasm/build.ts', compile: async () => await compileKernel(kernel) },
  ]),
]);
const present = globSync('**/*.wasm', {
  cwd: ROOT,
  exclude: (entry) => NOT_OURS.includes(path.basename(entry)),
}).map((file) => path.join(ROOT, file));

const told: string[] = [];
for (const file of new Set([...present, ...sources.keys()])) {
  const name = path.relative(ROOT, file);
  const source = sources.get(file);
  if (source === undefined)
    told.push(`${name} has no source: expected a build script that scripts/check-wasm.ts knows`);
  else if (!present.includes(file)) told.push(`${name} is missing: run ${source.build} and commit it`);
  else if (!readFileSync(file).equals(await source.compile()))
    told.push(`${name} is not what its source compiles to: run ${source.build} and commit it`);
}
for (const line of told) process.stderr.write(`${line}\n`);
process.exitCode = told.length === 0 ? 0 : 1;
