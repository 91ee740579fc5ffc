import type { ModelMethod } from '../../schemas/model-match.ts';
import type { ReportHead, ReportModelMatch, ReportModels } from '../../schemas/report.ts';
import { counted, groupDigits } from './figures.ts';
import type { Mask } from './mask.ts';
import { neutralise } from './neutralise.ts';

/** What the page and the terminal both say of the models, in the same words. */

/** Stands wherever evidence by a model is shown. */
export const JUDGED_BY_PEOPLE =
  'Evidence by models is a lead for a person to judge, never an identification. Face scores were measured on adults only; no public test covers children or ageing.';

const METHOD_WORDS: Readonly<Record<ModelMethod, string>> = {
  face: 'a face like one of a known subject',
  copy: 'an edited copy of a picture of a series',
  place: 'a place of a series',
  camera: 'a camera or lens of a series',
};

export const modelMethodWords = (method: ModelMethod): string => METHOD_WORDS[method];

/** Why there is nothing to show, or null where the models ran. */
export function modelsLeftOut({ models, batch }: ReportHead): string | null {
  if (models !== null) return null;
  const state = batch.stages.find(({ stage }) => stage === 'models')?.state;
  return state === 'leftOut'
    ? 'Left out: this scan compared digests and perceptual hashes only.'
    : 'Not run yet. The same command with --resume runs them.';
}

/** How many contents the models looked at, and what became of them. */
export function modelsSentence(models: ReportModels): string {
  const looked = models.done + models.partial + models.rejected + models.failed;
  const besides = [
    models.partial > 0 ? `${groupDigits(models.partial)} in part` : '',
    models.rejected > 0 ? `${groupDigits(models.rejected)} rejected` : '',
    models.failed > 0 ? `${groupDigits(models.failed)} failed` : '',
    models.left > 0 ? `${groupDigits(models.left)} still to be looked at` : '',
  ].filter((words) => words !== '');
  return `Models looked at ${counted(looked, 'content')}${besides.length === 0 ? '' : ` (${besides.join(', ')})`}`;
}

/** Under what faces were looked for, or that they were not. */
export function faceSearchSentence({ faceSearch, faces, facesBelowGate }: ReportModels): string {
  if (faceSearch === null) return 'Faces were not looked for: no authority was given (--faces)';
  return `Faces were looked for under ${neutralise(faceSearch.authority, 200)}: ${counted(faces ?? 0, 'face')} found${belowGateWords(facesBelowGate)}`;
}

function belowGateWords(below: ReportModels['facesBelowGate']): string {
  if (below === null) return '';
  const { eyeDistance, sharpness, pose } = below;
  const total = eyeDistance + sharpness + pose;
  if (total === 0) return '';
  const reasons = [
    eyeDistance > 0 ? `${groupDigits(eyeDistance)} too small` : '',
    sharpness > 0 ? `${groupDigits(sharpness)} blurred` : '',
    pose > 0 ? `${groupDigits(pose)} turned away` : '',
  ].filter((words) => words !== '');
  return `, ${tooPoorToCompare(total)} (${reasons.join(', ')})`;
}

/** Of faces that were found and still give no evidence. */
export function tooPoorToCompare(faces: number): string {
  return `${counted(faces, 'face')} too small or unclear to compare`;
}

export function packsSentence({ packs, provider }: ReportModels): string {
  return `${packs.map(({ id, version }) => `${id} ${version}`).join(', ')}; run by ${neutralise(provider, 40)}`;
}

/** One piece of evidence as a reader weighs it. */
export function evidenceSentence(match: ReportModelMatch, mask: Mask): string {
  const object = match.reference === null ? '' : `, ${neutralise(match.reference, 100)}`;
  const measured =
    match.method === 'camera'
      ? 'same serial number'
      : `distance ${match.distance.toFixed(3)} (threshold ${match.threshold.toFixed(3)})`;
  const notes = [
    match.inliers === null ? '' : `${match.inliers} points agree in geometry`,
    match.expectedFalseMatches === null ? '' : `expected false matches ${match.expectedFalseMatches.toPrecision(2)}`,
    match.calibrated ? '' : 'not calibrated for a gallery of this size',
    match.borderline ? 'borderline' : '',
    match.method === 'face' ? 'adults only' : '',
  ].filter((words) => words !== '');
  return `${modelMethodWords(match.method)}: ${mask.words('series', match.series)}${object} of ${neutralise(match.source, 60)}, ${[measured, ...notes].join(', ')}`;
}
