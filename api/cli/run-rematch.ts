import { type RematchResult, rematch } from '../../engine/rematch/rematch.ts';
import type { Db } from '../../engine/store/db.ts';
import type { Config } from '../../schemas/config.ts';
import type { CliContext } from './context.ts';
import { rematchProgress } from './rematch-text.ts';

/** Compares stored material with what came into the search since, as far as the operator lets it; whatever an earlier run left is done too. */
export async function runRematch(context: CliContext, config: Config, db: Db): Promise<RematchResult> {
  return await rematch(db, {
    signal: context.stopSignal,
    suspendAfterCases: config.suspendAfterCases,
    onProgress: rematchProgress(context),
  });
}
