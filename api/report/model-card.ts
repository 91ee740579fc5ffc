import type { ModelPackManifest } from '../../schemas/model-pack.ts';
import { byteSize, counted, groupDigits } from './figures.ts';
import { neutralise } from './neutralise.ts';

const MOST_LINES = 400;
const LINE_CHARACTERS = 400;

/** The card's own words, which for an installed pack are somebody else's, then the figures of the manifest in one form for all packs. */
export function cardText(manifest: ModelPackManifest, words: string | null): string[] {
  return [
    ...(words === null ? [`# ${manifest.title}`, '', 'This pack came without a card.'] : words.trimEnd().split('\n')),
    '',
    '## By its manifest',
    '',
    ...figures(manifest),
  ]
    .slice(0, MOST_LINES)
    .map((line) => neutralise(line, LINE_CHARACTERS));
}

function figures(manifest: ModelPackManifest): string[] {
  const { id, version, kind, licence, files, provenance, input, alignment, outputs, metric } = manifest;
  const stored = outputs.filter(({ dimensions }) => dimensions > 0);
  return [
    `- pack: ${id} ${version}, ${kind}`,
    `- licence: ${licence.id}${licence.acceptance === 'required' ? ' (has to be accepted)' : ''}, ${licence.url}`,
    `- terms: ${licence.terms}`,
    `- source: ${provenance.source} (${provenance.origin})`,
    ...files.map(({ name, sha256, sizeBytes }) => `- file: ${name}, ${byteSize(sizeBytes)}, SHA-256 ${sha256}`),
    `- input: ${input.widthPixels} x ${input.heightPixels} ${input.channelOrder}, ${input.resize}${input.lowPassSidePixels === null ? '' : `, low-pass ${input.lowPassSidePixels}`}${alignment === null ? '' : `, aligned by ${alignment.method}`}`,
    ...stored.map(({ name, dimensions }) => `- vector: ${name}, ${groupDigits(dimensions)} values, ${metric}`),
    ...thresholds(manifest),
    ...calibration(manifest),
  ];
}

function thresholds({ thresholds: all, metric }: ModelPackManifest): string[] {
  if (metric === null) return [];
  if (all.length === 0) return ['- threshold: none in the manifest'];
  return all.map(({ use, score, falseMatchRate, falseMatchRateUpper95, precision, calibratedOn }) => {
    const rate = falseMatchRate === null ? 'false-match rate not known' : `false-match rate ${share(falseMatchRate)}`;
    const bound = falseMatchRateUpper95 === null ? '' : `, at most ${share(falseMatchRateUpper95)} (95 %)`;
    const right = precision === null ? '' : `, precision ${share(precision)}`;
    return `- threshold (${use}): score ${score}, ${rate}${bound}${right}; ${calibratedOn}`;
  });
}

function calibration({ calibration: counts, metric }: ModelPackManifest): string[] {
  if (metric === null) return [];
  if (counts === null) return ['- calibration: none yet; a match of this pack is shown as not calibrated'];
  const { data, identities, samePairs, differentPairs, points } = counts;
  return [
    `- calibration: ${data}; ${groupDigits(identities)} identities, ${groupDigits(samePairs)} same and ${groupDigits(differentPairs)} different pairs, ${counted(points.length, 'point')}`,
  ];
}

const share = (rate: number): string => `${Number((rate * 100).toPrecision(3))} %`;
