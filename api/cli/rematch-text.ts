import type { SuspendedRecord } from '../../engine/hashset/suspend.ts';
import type { RematchRequest, RematchResult } from '../../engine/rematch/rematch.ts';
import { counted, groupDigits } from '../report/figures.ts';
import { neutralise } from '../report/neutralise.ts';
import type { CliContext } from './context.ts';

/** Sets named in an entry of the audit trail, which holds 1,000 objects. */
const MOST_SETS_NAMED = 200;
const TICK_MS = 1_000;

/** What was found in stored material, one line a set. */
export function rematchText({ state, sets, suspended }: RematchResult): string[] {
  return [
    ...sets.map(
      (set) =>
        `  ${counted(set.media, 'stored content')} matched, ${counted(set.leads, 'lead')} opened, of ${neutralise(set.source)} ${neutralise(set.name)} version ${groupDigits(set.version)}`,
    ),
    ...suspended.map(suspendedText),
    ...(sets.length === 0 && state === 'complete' ? ['  Nothing new in stored material.'] : []),
    ...(state === 'interrupted'
      ? ['  Stopped before all stored material was compared; homeward rematch goes on there.']
      : []),
  ];
}

/** What is to be told to the source of a record that hit too many unrelated cases. */
export function suspendedText({ recordId, setName, source, reason }: SuspendedRecord): string {
  return `Suspended: record ${recordId} of ${neutralise(setName)} from ${neutralise(source)}, since ${reason}; tell its source (homeward hashset suspended).`;
}

/** For the audit trail: which sets met which number of stored contents. */
export const rematchObjects = ({ sets }: RematchResult): string[] =>
  sets
    .slice(0, MOST_SETS_NAMED)
    .map(
      (set) => `hash set ${set.setId} version ${set.version}: ${set.media} media matched, ${set.leads} leads opened`,
    );

/** Says on stderr how far it came, once a second. */
export function rematchProgress(context: CliContext): NonNullable<RematchRequest['onProgress']> {
  let shownAtMs = context.sinceStartMs();
  return ({ passedMediaId, lastMediaId }) => {
    if (context.sinceStartMs() - shownAtMs < TICK_MS) return;
    shownAtMs = context.sinceStartMs();
    context.stderr.write(`${JSON.stringify({ kind: 'rematching', passedMediaId, lastMediaId })}\n`);
  };
}
