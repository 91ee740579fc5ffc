/**
 * One contestant in a process of its own: hashes the files named on stdin (one JSON array) one after the other and
 * prints the CPU seconds that took. Names: imghash, sharp-phash, exact, fast, and floor: what fast cannot do without.
 */
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { DEFAULT_FILE_BUDGET } from '../schemas/host-protocol.ts';

/** 16 bits a side: 256 bits, the blockhash that the engine computes too. */
const IMGHASH_BITS = 16;

type Hasher = (file: string) => Promise<unknown>;

async function hasherNamed(name: string): Promise<Hasher> {
  if (name === 'imghash') {
    const { default: imghash } = await import('imghash');
    return (file) => imghash.hash(file, IMGHASH_BITS);
  }
  if (name === 'sharp-phash') {
    const { default: sharp } = await import('sharp');
    // Its types describe an ES module, its code is CommonJS: what is imported as default is the function itself.
    const phash: unknown = (await import('sharp-phash')).default;
    if (typeof phash !== 'function') throw new Error('expected sharp-phash to export a function');
    sharp.concurrency(1); // one thread each, so that CPU time buys pictures and not waiting
    return (file) => phash(readFileSync(file));
  }
  if (name === 'exact' || name === 'fast') {
    const { examineFile } = await import('../workers/examine.ts');
    const { PictureHasher } = await import('../workers/hash/picture-hasher.ts');
    const hasher = await PictureHasher.load();
    return async (file) => {
      const examination = await examineFile(
        { path: Buffer.from(file), mode: name, budget: DEFAULT_FILE_BUDGET },
        hasher,
      );
      if (examination.picture?.pdq.length !== 2) throw new Error(`expected a fingerprint of ${file}`);
    };
  }
  if (name === 'floor') {
    const { decodeBare, prepareBareDecoder } = await import('./bare-decode.ts');
    const { digestsOf } = await import('../workers/hash/digests.ts');
    prepareBareDecoder();
    return async (file) => {
      const bytes = readFileSync(file);
      digestsOf(bytes);
      await decodeBare(bytes, true);
    };
  }
  throw new Error(`expected imghash, sharp-phash, exact, fast or floor as contestant, received ${name}`);
}

const files: unknown = JSON.parse(await text(process.stdin));
if (!Array.isArray(files)) throw new Error('expected a JSON array of paths on stdin');
const hash = await hasherNamed(process.argv[2] ?? '');
for (const file of files.slice(0, 2)) await hash(String(file)); // loading and compiling is not what is compared
const before = process.cpuUsage();
const started = performance.now();
for (const file of files) await hash(String(file));
const used = process.cpuUsage(before);
const cpuSeconds = (used.user + used.system) / 1e6;
process.stdout.write(JSON.stringify({ cpuSeconds, wallSeconds: (performance.now() - started) / 1000 }));
