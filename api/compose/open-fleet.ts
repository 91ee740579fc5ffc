import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { Scratch } from '../../engine/ingest/scratch.ts';
import type { Config } from '../../schemas/config.ts';
import { HomewardError } from '../../schemas/error.ts';
import { Fleet } from '../../workers/fleet/fleet.ts';
import { SCRATCH_KEY_BYTES } from '../../workers/read/scratch-cipher.ts';

/** Hosts that may read these paths and their own scratch folder, and nothing of ours. Closes both when disposed. */
export class OpenFleet implements AsyncDisposable {
  readonly fleet: Fleet;
  readonly scratch: Scratch;

  constructor(fleet: Fleet, scratch: Scratch) {
    this.fleet = fleet;
    this.scratch = scratch;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fleet.close();
    await this.scratch[Symbol.asyncDispose]();
  }
}

/**
 * @throws HomewardError HW_WORKER_START when no host can be started, or none without a network where the configuration requires that.
 */
export async function openFleet(
  config: Config,
  readableRoots: readonly string[],
  unsealingKey: string | null = null,
): Promise<OpenFleet> {
  const scratch = await Scratch.open(config.scratchFolder);
  try {
    const fleet = await Fleet.start({
      hosts: config.hosts,
      threadsPerHost: config.threadsPerHost,
      fileBudget: config.fileBudget,
      scratchRoot: scratch.folder,
      readableRoots,
      unsealingKey,
      // It ends with this process: what a crash leaves in the scratch folder is waste.
      scratchKey: randomBytes(SCRATCH_KEY_BYTES).toString('base64'),
      // Before the first scan there is nothing to hide; whoever makes the folder makes it before the hosts.
      hiddenFolders: existsSync(config.dataFolder) ? [config.dataFolder] : [],
    });
    const open = new OpenFleet(fleet, scratch);
    if (config.sandbox === 'required' && fleet.sandbox.network !== 'none') {
      await open[Symbol.asyncDispose]();
      throw new HomewardError(
        'HW_WORKER_START',
        'expected worker processes without a network (sandbox: required), this machine offers none; run homeward doctor, or set sandbox to preferred',
      );
    }
    return open;
  } catch (error) {
    await scratch[Symbol.asyncDispose]();
    throw error;
  }
}
