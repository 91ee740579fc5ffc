import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fleet } from './fleet.ts';
import type { FleetOptions } from './fleet-options.ts';
import type { HostKind, HostStats } from './fleet-stats.ts';

/** A fleet over a folder of its own, with something to keep secret and room to unpack; all of it gone when disposed. */
export class TestFleet implements AsyncDisposable {
  readonly fleet: Fleet;
  readonly folder: string;

  private constructor(fleet: Fleet, folder: string) {
    this.fleet = fleet;
    this.folder = folder;
  }

  static async start(options: Partial<FleetOptions> = {}): Promise<TestFleet> {
    const folder = mkdtempSync(path.join(tmpdir(), 'hw-fleet-'));
    for (const name of ['evidence', 'data', 'scratch']) mkdirSync(path.join(folder, name));
    writeFileSync(path.join(folder, 'data', 'key'), 'secret');
    try {
      const fleet = await Fleet.start({
        scratchRoot: path.join(folder, 'scratch'),
        hiddenFolders: [path.join(folder, 'data')],
        ...options,
        readableRoots: [path.join(folder, 'evidence'), ...(options.readableRoots ?? [])],
      });
      return new TestFleet(fleet, folder);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Writes small pictures, each with other content, into the evidence folder. */
  pictures(count: number): Buffer[] {
    return Array.from({ length: count }, (_, index) => this.picture(`scene-${index}`, 96, 72, index));
  }

  picture(name: string, widthPixels: number, heightPixels: number, seed = 0): Buffer {
    const file = path.join(this.folder, 'evidence', `${name}.bmp`);
    writeFileSync(file, gradientBitmap(widthPixels, heightPixels, seed));
    return Buffer.from(file);
  }

  /** A new folder inside the scratch root. */
  scratch(name: string): string {
    const folder = path.join(this.folder, 'scratch', name);
    mkdirSync(folder, { mode: 0o700 });
    return folder;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fleet.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A 24-bit BMP of two crossing ramps, with `seed` in every pixel's blue. */
export function gradientBitmap(widthPixels: number, heightPixels: number, seed: number): Buffer {
  const rowBytes = Math.ceil((widthPixels * 3) / 4) * 4;
  const file = Buffer.alloc(54 + rowBytes * heightPixels);
  file.write('BM', 'latin1');
  file.writeUInt32LE(file.length, 2);
  file.writeUInt32LE(54, 10);
  file.writeUInt32LE(40, 14);
  file.writeInt32LE(widthPixels, 18);
  file.writeInt32LE(heightPixels, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(24, 28);
  for (let y = 0; y < heightPixels; y += 1) {
    for (let x = 0; x < widthPixels; x += 1) {
      const at = 54 + y * rowBytes + x * 3;
      file[at] = (seed * 37) % 256;
      file[at + 1] = Math.floor((x * 255) / widthPixels);
      file[at + 2] = Math.floor((y * 255) / heightPixels);
    }
  }
  return file;
}

export const hostsOf = (fleet: Fleet, ...kinds: HostKind[]): HostStats[] =>
  fleet.stats().hosts.filter((host) => kinds.includes(host.kind));

/** Waits for a condition. @returns how long it took; throws when it does not come true in time */
export async function until(what: string, holds: () => boolean, timeoutMs: number): Promise<number> {
  const began = performance.now();
  while (!holds()) {
    if (performance.now() - began > timeoutMs) throw new Error(`expected within ${timeoutMs} ms: ${what}`);
    await sleep(5);
  }
  return performance.now() - began;
}

/** Whether a process is there and not only waiting to be reaped. */
export function isAlive(processId: number): boolean {
  try {
    const stat = readFileSync(`/proc/${processId}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
  } catch {
    return false;
  }
}

/**
 * How long the thread of a process that waited most has waited for a core that others held (proc(5), schedstat, in nanoseconds there):
 * a promise in seconds is about a machine that has a core to give. 0 where the kernel does not say.
 */
export function waitedForCoreMs(processId: number): number {
  try {
    const threads = readdirSync(`/proc/${processId}/task`);
    const waits = threads.map((thread) =>
      Number(readFileSync(`/proc/${processId}/task/${thread}/schedstat`, 'latin1').split(' ')[1] ?? 0),
    );
    return Math.max(...waits) / 1e6;
  } catch {
    return 0;
  }
}
