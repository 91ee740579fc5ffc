import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Scratch } from '../../engine/ingest/scratch.ts';
import type { Pack } from '../../models/registry/packs.ts';
import type { Config } from '../../schemas/config.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { ModelProvider } from '../../schemas/model-pack.ts';
import { PackVerifier } from '../../workers/fleet/verify-pack.ts';

const RUNTIME_PACKAGE = path.resolve(import.meta.dirname, '../../node_modules/onnxruntime-node/package.json');
const RECORD_FILE = 'verified.json';
/** One for each pack, version, provider and runtime; older ones are dropped. */
const MOST_RECORDS = 200;

/** Does something with a verifier of nets in the sandbox of this machine. */
export async function withVerifier<T>(config: Config, work: (verifier: PackVerifier) => Promise<T>): Promise<T> {
  await using scratch = await Scratch.open(config.scratchFolder);
  const hiddenFolders = existsSync(config.dataFolder) ? [config.dataFolder] : [];
  const verifier = await PackVerifier.start({ scratchRoot: scratch.folder, hiddenFolders });
  if (config.sandbox === 'required' && verifier.sandbox.network !== 'none') {
    throw new HomewardError(
      'HW_WORKER_START',
      'expected a process without a network to try a model pack in (sandbox: required), this machine offers none; run homeward doctor, or set sandbox to preferred',
    );
  }
  return await work(verifier);
}

/**
 * Which packs gave the output of their self-test on this machine, so that a scan need not run each of them again: the same net, manifest,
 * runtime, processor and provider give the same. Their files are compared with their digests every time all the same.
 */
export class VerifiedPacks {
  readonly #file: string;
  #keys: readonly string[];

  private constructor(file: string, keys: readonly string[]) {
    this.#file = file;
    this.#keys = keys;
  }

  static async open(modelsFolder: string): Promise<VerifiedPacks> {
    const file = path.join(modelsFolder, RECORD_FILE);
    try {
      const parsed: unknown = JSON.parse(await readFile(file, 'utf8'));
      return new VerifiedPacks(file, Array.isArray(parsed) ? parsed.filter((key) => typeof key === 'string') : []);
    } catch {
      // None yet, or damaged: every pack is tried again.
      return new VerifiedPacks(file, []);
    }
  }

  has(pack: Pack, provider: ModelProvider): boolean {
    return this.#keys.includes(keyOf(pack, provider));
  }

  async add(packs: readonly Pack[], provider: ModelProvider): Promise<void> {
    const added = packs.map((pack) => keyOf(pack, provider));
    this.#keys = [...new Set([...this.#keys, ...added])].slice(-MOST_RECORDS);
    const temporary = path.join(path.dirname(this.#file), `.${randomUUID()}.tmp`);
    await writeFile(temporary, `${JSON.stringify(this.#keys)}\n`, { mode: 0o600 });
    await rename(temporary, this.#file);
  }
}

function keyOf({ manifest }: Pack, provider: ModelProvider): string {
  const machine = [process.platform, process.arch, os.cpus()[0]?.model ?? ''];
  return createHash('sha256')
    .update(JSON.stringify([manifest, runtimeVersion(), machine, provider]))
    .digest('hex');
}

/** Version of the installed onnxruntime; its native part is not loaded for it. */
export function runtimeVersion(): string {
  const parsed: { version?: unknown } = JSON.parse(readFileSync(RUNTIME_PACKAGE, 'utf8'));
  return String(parsed.version);
}
