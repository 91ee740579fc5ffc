import { existsSync } from 'node:fs';
import { checkFiles, type Pack, type PackEntry } from '../../models/registry/packs.ts';
import type { Config } from '../../schemas/config.ts';
import { HomewardError } from '../../schemas/error.ts';
import { modelFolders } from './models.ts';
import { VerifiedPacks, withVerifier } from './verify-packs.ts';

export interface PackCheck {
  readonly entry: PackEntry;
  /**
   * ready: its files are right, and its net passed the self-test on this machine with the configured provider. untried: its files are right.
   * notBuilt: a shipped pack whose net is not there yet. refused: `fault` says why.
   */
  readonly state: 'ready' | 'untried' | 'notBuilt' | 'refused';
  readonly fault: HomewardError | null;
}

/**
 * Looks at packs one by one; what is wrong with one is said of that one.
 * @param trial run: every net is run on its self-test now. recorded: what came of it the last time counts
 */
export async function checkModels(
  config: Config,
  entries: readonly PackEntry[],
  trial: 'run' | 'recorded',
): Promise<PackCheck[]> {
  const verified = await VerifiedPacks.open(modelFolders(config).modelsFolder);
  const { provider } = config.models;
  const lookAll = async (tryNet: (pack: Pack) => Promise<boolean>): Promise<PackCheck[]> => {
    const checks: PackCheck[] = [];
    for (const entry of entries) checks.push(await look(entry, tryNet));
    return checks;
  };
  if (trial === 'recorded') return await lookAll(async (pack) => verified.has(pack, provider));
  return await withVerifier(config, async (verifier) => {
    const passed: Pack[] = [];
    const checks = await lookAll(async (pack) => {
      await verifier.verify(pack.manifest, pack.netPath, provider);
      passed.push(pack);
      return true;
    });
    if (passed.length > 0) await verified.add(passed, provider);
    return checks;
  });
}

async function look(entry: PackEntry, tryNet: (pack: Pack) => Promise<boolean>): Promise<PackCheck> {
  const { pack, fault } = entry;
  if (pack === null) return { entry, state: 'refused', fault };
  if (pack.origin === 'shipped' && !existsSync(pack.netPath)) return { entry, state: 'notBuilt', fault: null };
  try {
    await checkFiles(pack);
    return { entry, state: (await tryNet(pack)) ? 'ready' : 'untried', fault: null };
  } catch (error) {
    if (!(error instanceof HomewardError)) throw error;
    return { entry, state: 'refused', fault: error };
  }
}
