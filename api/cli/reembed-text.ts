import type { ReembedOutcome } from '../compose/reembed-models.ts';
import { counted } from '../report/figures.ts';
import { neutralise } from '../report/neutralise.ts';

/** What re-embedding came to, and what is to be done where it is not through. */
export function reembedText(outcome: ReembedOutcome): string[] {
  const { spaces, activated, interrupted, missingRoots, dropped } = outcome;
  const lines = spaces.map(
    ({ space, media, mediaDone, galleryMissing }) =>
      `${neutralise(space)}: ${mediaDone} of ${counted(media, 'picture')} looked at` +
      (galleryMissing > 0 ? `, ${galleryMissing} of what is known without a vector` : ''),
  );
  if (spaces.length === 0 && !interrupted)
    lines.push('Nothing to do: every pack of the configuration is searched in the version that is there.');
  else if (activated) lines.push('Searched from now on; the vectors of the version before are kept until --drop-old.');
  else if (interrupted)
    lines.push('Stopped. Nothing that is searched has changed; the same command goes on where it stopped.');
  else {
    lines.push('Not searched yet, since not all could be looked at. Nothing that is searched has changed.');
    if (missingRoots.length > 0)
      lines.push(
        `Not there: ${missingRoots.map((root) => neutralise(root)).join(', ')}. Mount it where it was and give the command again, or go without it by --accept-missing.`,
      );
    else lines.push('Give the command again, or go without what is left by --accept-missing.');
  }
  for (const space of dropped) lines.push(`Deleted: ${neutralise(space)}.`);
  return lines;
}
