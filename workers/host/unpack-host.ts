import { createPrivateKey } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { AckTask, ArchiveEntry, UnpackTask } from '../../schemas/host-protocol.ts';
import { unpackArchive } from '../unpack/unpack-archive.ts';
import { openChannel } from './host-channel.ts';

/** How far a host writes ahead of what its supervisor has taken on. One entry may always be written, whatever its size. */
const MOST_WAITING_ENTRIES = 64;
const MOST_WAITING_BYTES = 256 * 1024 * 1024;
/** A file is made in far less than one of these. */
const LOOK_EVERY_MS = 20;
const QUIET_LOOKS = 3;

/** Unpacks one archive at a time, no further ahead than the supervisor follows. */
export function startUnpackHost(): void {
  let folder: string | null = null;
  let waiting = new Map<number, number>();
  let follow = (): void => undefined;

  const mayGoOn = (): boolean => {
    let bytes = 0;
    for (const size of waiting.values()) bytes += size;
    return waiting.size < MOST_WAITING_ENTRIES && bytes < MOST_WAITING_BYTES;
  };
  const announcing = (taskId: number) => async (entry: ArchiveEntry) => {
    channel.send({ kind: 'entry', taskId, entry });
    waiting.set(entry.index, entry.scratchFile === null ? 0 : (entry.sizeBytes ?? 0));
    while (!mayGoOn()) await new Promise<void>((resolve) => (follow = resolve));
  };
  const unpack = async (task: UnpackTask): Promise<void> => {
    waiting = new Map();
    folder = Buffer.from(task.scratchFolder, 'base64').toString();
    channel.send({ kind: 'started', taskId: task.taskId });
    const unpacked = await unpackArchive(Buffer.from(task.path, 'base64'), {
      folder,
      budget: task.budget,
      firstEntry: task.firstEntry,
      unsealingKey: task.unsealingKey === null ? null : unsealingKey(task.unsealingKey),
      scratchKey: task.scratchKey === null ? null : Buffer.from(task.scratchKey, 'base64'),
      isScratch: task.isScratch,
      announce: announcing(task.taskId),
    });
    channel.send({ kind: 'unpacked', taskId: task.taskId, ...unpacked });
  };
  const acknowledge = (task: AckTask): void => {
    waiting.delete(task.index);
    follow();
  };
  const channel = openChannel(
    (task) => {
      if (task.kind === 'unpack') void unpack(task);
      else if (task.kind === 'ack') acknowledge(task);
    },
    () => {
      if (folder !== null) clear(folder);
    },
  );
  channel.send({ kind: 'ready', role: 'unpack', decoders: [] });
}

const unsealingKey = (base64: string) =>
  createPrivateKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'pkcs8' });

/**
 * The supervisor is gone and will not read these files any more: what was seized does not stay behind. A file that was being made in
 * another thread appears after the first look; nothing else begins while this thread looks.
 */
function clear(folder: string): void {
  for (let quietLooks = 0; quietLooks < QUIET_LOOKS; ) {
    const names = readdirSync(folder).filter((name) => /^[0-9]+$/.test(name));
    for (const name of names) rmSync(path.join(folder, name), { force: true });
    quietLooks = names.length > 0 ? 0 : quietLooks + 1;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_EVERY_MS);
  }
}
