import type { ModelFacts } from '../../engine/leads/explain-model.ts';
import { readFusions } from '../../models/registry/fusions.ts';
import type { Config } from '../../schemas/config.ts';
import { listModels } from './models.ts';

/** What the installed packs and the scores of several of them say of themselves, for who has to compute a score again. */
export async function modelFacts(config: Config): Promise<ModelFacts> {
  const entries = await listModels(config);
  return { packs: entries.flatMap(({ pack }) => (pack === null ? [] : [pack.manifest])), fusions: await readFusions() };
}
