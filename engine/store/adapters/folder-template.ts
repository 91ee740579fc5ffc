import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { isTemplateIndex } from '../../../schemas/checks/is-template-index.ts';

/** Of the PGlite that made the template; packing and unpacking agree on it, and on the version pinned in package.json. */
export const TEMPLATE_FILE = path.join(import.meta.dirname, 'template', 'pglite-0.5.14.br');

/**
 * Puts a new, empty PostgreSQL cluster into a folder: what initdb of the pinned PGlite makes, packed by template/make.ts.
 * Running initdb instead takes some 5 s on two cores (three instances of PostgreSQL in WebAssembly), this 0.2 s.
 * Returns false where there is no template; PGlite then runs initdb by itself.
 */
export function unpackTemplate(folder: string): boolean {
  if (!existsSync(TEMPLATE_FILE)) return false;
  const packed = brotliDecompressSync(readFileSync(TEMPLATE_FILE));
  const indexEnd = 4 + packed.readUInt32BE(0);
  const index: unknown = JSON.parse(packed.toString('utf8', 4, indexEnd));
  if (!isTemplateIndex(index)) throw new Error('the template of the database holds something else than expected');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const inner of index.folders) mkdirSync(path.join(folder, inner), { recursive: true, mode: 0o700 });
  for (const file of index.files) {
    const start = indexEnd + file.start;
    const descriptor = openSync(path.join(folder, file.path), 'wx', 0o600);
    try {
      for (let written = 0; written < file.sizeBytes; ) {
        written += writeSync(descriptor, packed, start + written, file.sizeBytes - written);
      }
    } finally {
      closeSync(descriptor);
    }
  }
  return true;
}
