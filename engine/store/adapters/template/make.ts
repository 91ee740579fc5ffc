/**
 * Makes the template of a new database anew: `node bin/launch.cjs engine/store/adapters/template/make.ts`, when PGlite is
 * upgraded. A test compares its catalogues with those of a cluster that initdb has just made.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { PGlite } from '@electric-sql/pglite';
import type { TemplateIndex } from '../../../../schemas/data-folder.ts';
import { TEMPLATE_FILE } from '../folder-template.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'homeward-template-'));
try {
  const pg = await PGlite.create({ dataDir: path.join(folder, 'postgres') });
  await pg.close();
  const packed = pack(path.join(folder, 'postgres'));
  const compressed = brotliCompressSync(packed, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 },
  });
  writeFileSync(TEMPLATE_FILE, compressed);
  const digest = createHash('sha256').update(compressed).digest('hex');
  process.stdout.write(`${path.basename(TEMPLATE_FILE)}: ${compressed.length} bytes, SHA-256 ${digest}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function pack(root: string): Buffer {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true });
  const relative = (entry: { parentPath: string; name: string }): string =>
    path.relative(root, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, '/');
  const index: TemplateIndex = {
    folders: entries
      .filter((entry) => entry.isDirectory())
      .map(relative)
      .sort(),
    files: [],
  };
  const parts: Buffer[] = [];
  const placeOf = new Map<string, number>();
  let end = 0;
  // postmaster.* describe the process that ran.
  const names = entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('postmaster.'))
    .map(relative)
    .sort();
  for (const name of names) {
    const content = readFileSync(path.join(root, name));
    const digest = createHash('sha256').update(content).digest('hex');
    let start = placeOf.get(digest);
    if (start === undefined) {
      start = end;
      placeOf.set(digest, start);
      parts.push(content);
      end += content.length;
    }
    index.files.push({ path: name, start, sizeBytes: content.length });
  }
  const head = Buffer.from(JSON.stringify(index));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(head.length);
  return Buffer.concat([length, head, ...parts]);
}
