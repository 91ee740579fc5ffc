import type { ModelPackManifest, PackCalibration, PackOutput } from '../../schemas/model-pack.ts';

type Kind = ModelPackManifest['kind'];
type Role = PackOutput['role'];

/** Roles that a pack of a kind cannot do without. */
const ROLES: Readonly<Record<Kind, readonly Role[]>> = {
  faceDetector: ['boxes', 'scores'],
  faceLandmarks: ['landmarks'],
  faceEmbedding: ['embedding'],
  copyEmbedding: ['embedding'],
  placeEmbedding: ['embedding'],
  classifier: ['probabilities'],
};
/** Points of a template, by the landmarks it is laid on; null: as many as the detector gives. */
const TEMPLATE_POINTS = { '68': 68, '5': 5, detector: null, none: 0 } as const;
const LEAST_STD = 1e-6;

/**
 * Where a manifest of the right form contradicts itself, in words; empty where it does not. Each would otherwise show as a wrong vector, which
 * nobody can see.
 */
export function contradictions(manifest: ModelPackManifest): string[] {
  return [
    ...fileFaults(manifest),
    ...inputFaults(manifest),
    ...outputFaults(manifest),
    ...alignmentFaults(manifest),
    ...scoreFaults(manifest),
    ...classFaults(manifest),
  ];
}

/** A classifier has one output, and a class for each of its values. */
function classFaults({ kind, classes, outputs }: ModelPackManifest): string[] {
  if (kind !== 'classifier') return classes === undefined ? [] : ['classes is for a classifier'];
  if (classes === undefined) return ['classes is missing, which a classifier needs'];
  const [output, ...others] = outputs.filter(({ role }) => role === 'probabilities');
  if (output === undefined || others.length > 0) return ['a classifier has one output with the role probabilities'];
  const values = output.shape.reduce((product, side) => product * side, 1);
  return values === classes.length
    ? []
    : [`classes names ${classes.length} for the ${values} values of ${output.name}`];
}

function fileFaults({ files, net, provenance }: ModelPackManifest): string[] {
  const names = files.map(({ name }) => name);
  return [
    ...(new Set(names).size === names.length ? [] : ['files names one of them twice']),
    ...(names.includes(net) ? [] : [`net is ${net}, which is none of files`]),
    ...(names.includes('manifest.json') || names.includes('card.md')
      ? ['files names the manifest or the card, which are part of every pack']
      : []),
    ...((provenance.net === null) === (provenance.origin === 'supplied')
      ? []
      : ['provenance.net is for converted packs, and needed there']),
  ];
}

function inputFaults({ input }: ModelPackManifest): string[] {
  return [
    ...(input.scale === 0 ? ['input.scale is 0'] : []),
    ...(input.std.some((value) => Math.abs(value) < LEAST_STD) ? ['input.std is 0 for a channel'] : []),
    ...(input.cropFromSidePixels === null || input.resize === 'centreCrop'
      ? []
      : ['input.cropFromSidePixels is for resize centreCrop']),
    ...(input.cropFromSidePixels !== null && input.cropFromSidePixels < Math.max(input.widthPixels, input.heightPixels)
      ? ['input.cropFromSidePixels is smaller than the input']
      : []),
    ...(input.lowPassSidePixels !== null && input.lowPassSidePixels >= Math.min(input.widthPixels, input.heightPixels)
      ? ['input.lowPassSidePixels takes nothing away from the input']
      : []),
  ];
}

function outputFaults({ kind, outputs, detection, selfTest }: ModelPackManifest): string[] {
  const missing = ROLES[kind].filter((role) => !outputs.some((output) => output.role === role));
  const names = outputs.map(({ name }) => name);
  const strides = detection?.anchors.length ?? 0;
  return [
    ...missing.map((role) => `outputs has none with the role ${role}, which a ${kind} needs`),
    ...(new Set(names).size === names.length ? [] : ['outputs names one of them twice']),
    ...(names.includes(selfTest.output) ? [] : [`selfTest.output is ${selfTest.output}, which is none of outputs`]),
    ...outputs.flatMap((output) => dimensionFault(output)),
    ...((detection === null) === (kind !== 'faceDetector')
      ? []
      : ['detection is for a faceDetector, and needed there']),
    ...ROLES.faceDetector
      .map((role) => outputs.filter((output) => output.role === role).length)
      .filter((count) => detection !== null && count > 1 && count !== strides)
      .map((count) => `detection.anchors has ${strides} entries for ${count} outputs of one role`),
  ];
}

/** The stored vector's length follows from the shape and how it is pooled. */
function dimensionFault({ name, role, shape, pooling, mapLayout, dimensions }: PackOutput): string[] {
  const says = (what: string): string[] => [`outputs ${name}: ${what}`];
  if (role !== 'embedding')
    return dimensions === 0 && pooling === 'none' ? [] : says('only an embedding is pooled and has dimensions');
  const channels = { nchw: shape[0], nhwc: shape[2], tokens: shape[1], none: undefined }[mapLayout];
  const sides = { nchw: 3, nhwc: 3, tokens: 2, none: null }[mapLayout];
  if (pooling === 'none') {
    const all = shape.reduce((product, side) => product * side, 1);
    if (mapLayout !== 'none') return says('a mapLayout is for what is pooled');
    return dimensions === all ? [] : says(`${dimensions} dimensions, but ${all} values by its shape`);
  }
  if (sides !== shape.length) return says(`a mapLayout of ${mapLayout} does not go with ${shape.length} sides`);
  if (pooling === 'firstToken' && mapLayout !== 'tokens') return says('firstToken needs the mapLayout tokens');
  return dimensions === channels ? [] : says(`${dimensions} dimensions, but ${channels} channels by its shape`);
}

function alignmentFaults({ kind, alignment, input }: ModelPackManifest): string[] {
  const needed = kind === 'faceEmbedding' || kind === 'faceLandmarks';
  if (alignment === null) return needed ? [`alignment is needed for a ${kind}`] : [];
  if (!needed) return [`alignment is for faces, not for a ${kind}`];
  const { method, landmarks, points } = alignment;
  const count = TEMPLATE_POINTS[landmarks];
  return [
    ...(method === 'box' || landmarks !== 'none' ? [] : [`alignment.method ${method} needs landmarks`]),
    ...(method === 'similarity' ? [] : points.length === 0 ? [] : ['alignment.points are for the method similarity']),
    ...(method === 'similarity' && (points.length < 2 || (count !== null && count !== points.length))
      ? [`alignment.points has ${points.length} points, for landmarks ${landmarks}`]
      : []),
    ...(points.some(([x = 0, y = 0]) => x < 0 || y < 0 || x > input.widthPixels || y > input.heightPixels)
      ? ['alignment.points reaches out of the input']
      : []),
  ];
}

function scoreFaults({ outputs, metric, thresholds, calibration }: ModelPackManifest): string[] {
  const stored = outputs.some(({ dimensions }) => dimensions > 0);
  return [
    ...((metric === null) === stored ? ['metric is for packs with vectors, and needed there'] : []),
    ...(stored || (thresholds.length === 0 && calibration === null)
      ? []
      : ['thresholds and calibration are for packs with vectors']),
    ...(metric === 'euclidean' && outputs.some(({ dimensions, normalise }) => dimensions > 0 && normalise === 'none')
      ? ['metric euclidean needs normalise l2: a score is 1 - distance x distance / 2']
      : []),
    ...thresholds
      .filter(
        ({ falseMatchRate, falseMatchRateUpper95 }) =>
          falseMatchRate !== null && falseMatchRateUpper95 !== null && falseMatchRateUpper95 < falseMatchRate,
      )
      .map(({ score }) => `thresholds ${score}: the upper bound of the false-match rate is below the rate`),
    ...(calibration === null ? [] : calibrationFaults(calibration)),
  ];
}

function calibrationFaults({ points, samePairs, differentPairs }: PackCalibration): string[] {
  const faults: string[] = [];
  let before = { score: -Infinity, samePairs, differentPairs };
  for (const point of points) {
    if (point.score <= before.score) faults.push(`calibration.points ${point.score}: scores must rise`);
    if (point.samePairs > before.samePairs || point.differentPairs > before.differentPairs)
      faults.push(`calibration.points ${point.score}: counts are cumulative and cannot rise with the score`);
    if (differentPairs > 0 && point.falseMatchRateUpper95 < point.differentPairs / differentPairs)
      faults.push(`calibration.points ${point.score}: the upper bound is below the rate counted`);
    before = point;
  }
  return faults;
}
