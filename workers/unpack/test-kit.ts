import type { KeyObject } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { type Header, pack } from 'tar-stream';
import { ZipFile } from 'yazl';
import { type ArchiveBudget, type ArchiveEntry, DEFAULT_ARCHIVE_BUDGET } from '../../schemas/host-protocol.ts';
import { type Unpacked, unpackArchive } from './unpack-archive.ts';

export interface UnpackedAll extends Unpacked {
  readonly list: readonly ArchiveEntry[];
  /** Name and content of what was written, by what the archive calls it. */
  readonly contents: ReadonlyMap<string, Buffer>;
}

/** A folder with an archive and a scratch folder in it; everything else in it must stay as it was. */
export class UnpackKit implements Disposable {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'hw-unpack-'));
  readonly scratch = path.join(this.folder, 'scratch');

  constructor() {
    mkdirSync(this.scratch, { mode: 0o700 });
  }

  save(bytes: Uint8Array, name = 'archive'): Buffer {
    writeFileSync(path.join(this.folder, name), bytes);
    return Buffer.from(path.join(this.folder, name));
  }

  async unpack(
    archive: Buffer | string,
    budget: Partial<ArchiveBudget> = {},
    firstEntry = 0,
    unsealingKey: KeyObject | null = null,
  ): Promise<UnpackedAll> {
    const list: ArchiveEntry[] = [];
    const contents = new Map<string, Buffer>();
    const unpacked = await unpackArchive(Buffer.from(archive), {
      folder: this.scratch,
      budget: { ...DEFAULT_ARCHIVE_BUDGET, ...budget },
      firstEntry,
      unsealingKey,
      announce: async (entry) => {
        list.push(entry);
        if (entry.scratchFile !== null)
          contents.set(nameOf(entry), readFileSync(path.join(this.scratch, entry.scratchFile)));
      },
    });
    return { ...unpacked, list, contents };
  }

  /** Every path below the folder, without those of the scratch folder. */
  outside(): string[] {
    return readdirSync(this.folder, { recursive: true, encoding: 'utf8' }).filter(
      (name) => !name.startsWith('scratch'),
    );
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export const nameOf = (entry: ArchiveEntry): string => Buffer.from(entry.name, 'base64').toString('latin1');

/** `outcome` or `outcome reason`, as the tables of the tests write it. */
export const said = (result: Pick<Unpacked, 'outcome' | 'reason'>): string =>
  result.reason === null ? `${result.outcome}` : `${result.outcome} ${result.reason.code}`;

export async function makeZip(entries: readonly (readonly [name: string, content: Uint8Array])[]): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, content] of entries)
    zip.addBuffer(Buffer.from(content), name, { mtime: new Date(2026, 0, 2, 3, 4, 6) });
  zip.end();
  return await buffer(zip.outputStream);
}

export async function makeTar(
  entries: readonly (readonly [header: Partial<Header> & { name: string }, content: Uint8Array])[],
): Promise<Buffer> {
  const tar = pack();
  for (const [header, content] of entries) tar.entry({ ...header, size: content.byteLength }, Buffer.from(content));
  tar.finalize();
  return await buffer(tar);
}
