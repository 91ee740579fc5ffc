import { fsyncSync } from 'node:fs';
import path from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import { NodeFS } from '@electric-sql/pglite/nodefs';
import { syncFolder } from './sync-folder.ts';

/** The part of Emscripten's NODEFS that is reached into here. */
interface OpenFile {
  /** The file descriptor of Node; folders have none. */
  readonly nfd?: number;
  readonly node: object;
}
interface StreamOperations {
  fsync?: (stream: OpenFile) => number;
  write: (stream: OpenFile, buffer: Uint8Array, offset: number, length: number, position: number) => number;
}

/** Emscripten's errno of EIO. */
const EIO = 29;
const MOUNT = '/pglite/data';

/**
 * A folder on disk whose fsync is real. PGlite as it comes turns fsync off and its file system answers fsync by doing
 * nothing, so a power loss could leave pages on disk in any order: three of four folders did not open afterwards. With this and
 * `fsync=on`, PostgreSQL's own order holds: the log is on disk before a commit is answered, pages before a checkpoint.
 * `wal_sync_method` has to be `fsync`, since fdatasync never reaches a file system of Emscripten.
 */
export class SyncedFolder extends NodeFS {
  readonly #onLogWrite: (byteCount: number) => void;

  constructor(folder: string, onLogWrite: (byteCount: number) => void) {
    super(folder);
    this.#onLogWrite = onLogWrite;
  }

  override async init(pg: PGlite, options: Parameters<NodeFS['init']>[1]): ReturnType<NodeFS['init']> {
    const made = await super.init(pg, options);
    const folder = this.rootDir;
    const onLogWrite = this.#onLogWrite;
    made.emscriptenOpts.preRun = [
      ...(made.emscriptenOpts.preRun ?? []),
      (module) => {
        const operations: StreamOperations = module.FS.filesystems.NODEFS.stream_ops;
        const pathOf = (stream: OpenFile): string => module.FS.getPath(stream.node);
        operations.fsync = (stream) => {
          try {
            if (stream.nfd !== undefined) fsyncSync(stream.nfd);
            else syncFolder(path.join(folder, path.relative(MOUNT, pathOf(stream))));
            return 0;
          } catch {
            // PostgreSQL stops at a failed fsync, which is right: nobody knows what is on the disk then.
            return EIO;
          }
        };
        const write = operations.write;
        operations.write = (stream, buffer, offset, length, position) => {
          if (pathOf(stream).startsWith(`${MOUNT}/pg_wal/`)) onLogWrite(length);
          return write(stream, buffer, offset, length, position);
        };
      },
    ];
    return made;
  }
}
