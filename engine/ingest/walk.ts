import type { Stats } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import path from 'node:path';
import type { Reason } from '../../schemas/outcome.ts';

/** Something found on the way through a seizure: a file to examine, or an entry that can only be recorded. */
export interface WalkEntry {
  /** Raw bytes: file names need not be UTF-8. */
  readonly path: Buffer;
  /** Null for a file to examine; otherwise why it is recorded without being opened. */
  readonly refusal: { readonly outcome: 'rejected'; readonly reason: Reason } | null;
  readonly sizeBytes: number | null;
  /** ISO 8601. */
  readonly modifiedAt: string | null;
}

/** Entries that are looked up in the database together. */
const GROUP_ENTRIES = 256;
const SEPARATOR = Buffer.from(path.sep);

/**
 * Every entry under the roots, folders walked but not reported. Links are never followed, since they may lead out of the
 * evidence or in a circle; FIFOs, sockets and devices are never opened, since opening can block for ever or act on the machine.
 * Folders are read as a stream and kept on an explicit stack: neither a folder of a million files nor 300 nested ones grow the call stack.
 */
export async function* walk(roots: readonly Buffer[]): AsyncGenerator<WalkEntry> {
  for (const root of roots) {
    const found = await describe(root);
    if (found.folder) yield* walkFolder(root);
    else yield found.entry;
  }
}

/** The same, some hundred at a time. */
export async function* walkInGroups(roots: readonly Buffer[]): AsyncGenerator<WalkEntry[]> {
  let group: WalkEntry[] = [];
  for await (const entry of walk(roots)) {
    group.push(entry);
    if (group.length < GROUP_ENTRIES) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

async function* walkFolder(top: Buffer): AsyncGenerator<WalkEntry> {
  const pending = [top];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    try {
      // The types know only string names; with encoding 'buffer' a Dirent's name is a Buffer.
      const entries = await opendir(folder, { encoding: 'buffer' as BufferEncoding, bufferSize: 256 });
      for await (const dirent of entries) {
        const name: unknown = dirent.name;
        const child = join(folder, Buffer.isBuffer(name) ? name : Buffer.from(String(name)));
        const found = await describe(child);
        if (found.folder) pending.push(child);
        else yield found.entry;
      }
    } catch (error) {
      yield { path: folder, refusal: refusalFor(error, 'folder'), sizeBytes: null, modifiedAt: null };
    }
  }
}

type Described = { folder: true } | { folder: false; entry: WalkEntry };

async function describe(entryPath: Buffer): Promise<Described> {
  let stats: Stats;
  try {
    stats = await lstat(entryPath);
  } catch (error) {
    return {
      folder: false,
      entry: { path: entryPath, refusal: refusalFor(error, 'entry'), sizeBytes: null, modifiedAt: null },
    };
  }
  if (stats.isDirectory()) return { folder: true };
  return {
    folder: false,
    entry: {
      path: entryPath,
      refusal: refusalByKind(stats),
      sizeBytes: stats.isFile() ? stats.size : null,
      modifiedAt: isoTime(stats.mtime),
    },
  };
}

function refusalByKind(stats: Stats): WalkEntry['refusal'] {
  if (stats.isFile()) return null;
  if (stats.isSymbolicLink())
    return { outcome: 'rejected', reason: { code: 'symbolicLink', detail: 'a link; not followed' } };
  const kind = stats.isFIFO() ? 'a FIFO' : stats.isSocket() ? 'a socket' : 'a device';
  return { outcome: 'rejected', reason: { code: 'specialFile', detail: `${kind}; not opened` } };
}

function refusalFor(error: unknown, what: string): WalkEntry['refusal'] {
  const code = errorCode(error);
  const denied = code === 'EACCES' || code === 'EPERM';
  return {
    outcome: 'rejected',
    reason: { code: denied ? 'permission' : 'unreadable', detail: `${what} could not be read (${code})` },
  };
}

/** The system's error code, such as ENOENT, or `unknown`. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
}

function isoTime(time: Date): string | null {
  return Number.isNaN(time.getTime()) ? null : time.toISOString();
}

function join(folder: Buffer, name: Buffer): Buffer {
  const endsInSeparator = folder.subarray(-SEPARATOR.length).equals(SEPARATOR);
  return Buffer.concat(endsInSeparator ? [folder, name] : [folder, SEPARATOR, name]);
}
