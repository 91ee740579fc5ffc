import {
  bestPerObject,
  type ModelEvidence,
  type Similarities,
  scoredEvidence,
  type VectorMethod,
} from './model-evidence.ts';

/** What the law asks of a search for faces; both are kept with every result of it. */
export interface FaceSearchGrounds {
  readonly authority: string;
  readonly necessity: string;
}

/** What a face's usefulness is judged by; see the columns of table face. */
export interface FaceTraits {
  readonly eyeDistancePixels: number;
  readonly sharpness: number;
  readonly yawDegrees: number;
  readonly pitchDegrees: number;
}

/**
 * Below these a face gives no evidence. The face nets look at 150 to 224 pixels, in which eyes are some 40 to 60 apart: at 20 a face was
 * enlarged two to three times. Sharpness: the variance of the Laplacian below which a face is blurred (schemas/embedding.ts). Beyond 45
 * degrees of yaw or 35 of pitch one eye and the far half of the face are hidden, which the calibration's pictures do not cover.
 * Roll does not matter: faces are turned upright first. These are rules of ours, not fitted to any data.
 */
export const FACE_GATE = {
  leastEyeDistancePixels: 20,
  leastSharpness: 30,
  mostYawDegrees: 45,
  mostPitchDegrees: 35,
} as const;

export type FaceGateReason = 'eyeDistance' | 'sharpness' | 'pose';

/** Why a face gives no evidence, or null where it may. */
export function faceGate(traits: FaceTraits): FaceGateReason | null {
  // Asked so that a value that is no number does not pass.
  if (!(traits.eyeDistancePixels >= FACE_GATE.leastEyeDistancePixels)) return 'eyeDistance';
  if (!(traits.sharpness >= FACE_GATE.leastSharpness)) return 'sharpness';
  const frontal =
    Math.abs(traits.yawDegrees) <= FACE_GATE.mostYawDegrees &&
    Math.abs(traits.pitchDegrees) <= FACE_GATE.mostPitchDegrees;
  return frontal ? null : 'pose';
}

/** The same of rows of table face as SQL, where there are too many to read. @param face the table's alias, written by us */
export function faceGateSql(face: string): string {
  const gate = FACE_GATE;
  // PostgreSQL takes NaN for the greatest number of all.
  return `case
    when not (${face}.eye_distance_pixels >= ${gate.leastEyeDistancePixels} and ${face}.eye_distance_pixels <> 'NaN') then 'eyeDistance'
    when not (${face}.sharpness >= ${gate.leastSharpness} and ${face}.sharpness <> 'NaN') then 'sharpness'
    when not (abs(${face}.yaw_degrees) <= ${gate.mostYawDegrees} and abs(${face}.pitch_degrees) <= ${gate.mostPitchDegrees}) then 'pose'
  end`;
}

/** A face of a media beside a face that a series knows. */
export interface FaceHit {
  readonly mediaId: number;
  readonly faceId: number;
  readonly traits: FaceTraits;
  readonly knownFaceId: number;
  /** Where the known face is; the same media is no evidence. */
  readonly knownMediaId: number;
  readonly knownTraits: FaceTraits;
  readonly seriesId: number;
  readonly subjectId: number | null;
  /** In every space of the method: a candidate found in one of them is compared in the others too. */
  readonly similarities: Similarities;
}

export interface FaceSearchSize {
  /** Known faces that were searched. */
  readonly galleryFaces: number;
  /** Faces that were looked for, by media; one where it does not say. */
  readonly facesLookedFor: ReadonlyMap<number, number>;
}

export interface FaceFindings {
  readonly evidence: ModelEvidence[];
  /** Pairs over the threshold that give no evidence because one of the two faces is below the gate. */
  readonly belowGate: readonly {
    readonly mediaId: number;
    readonly faceId: number;
    readonly knownFaceId: number;
    readonly which: 'found' | 'known';
    readonly reason: FaceGateReason;
  }[];
}

/** Evidence that a face of a media is a subject's: for each media and subject the most alike pair. */
export function faceEvidence(
  hits: readonly FaceHit[],
  method: VectorMethod,
  size: FaceSearchSize,
  grounds: FaceSearchGrounds,
): FaceFindings {
  const found: ModelEvidence[] = [];
  const belowGate: FaceFindings['belowGate'][number][] = [];
  for (const hit of hits) {
    if (hit.mediaId === hit.knownMediaId) continue;
    const comparisons = size.galleryFaces * (size.facesLookedFor.get(hit.mediaId) ?? 1);
    const scored = scoredEvidence(method, hit.similarities, comparisons);
    if (scored === null) continue;
    const own = faceGate(hit.traits);
    const reason = own ?? faceGate(hit.knownTraits);
    if (reason !== null) {
      const { mediaId, faceId, knownFaceId } = hit;
      belowGate.push({ mediaId, faceId, knownFaceId, which: own === null ? 'known' : 'found', reason });
      continue;
    }
    found.push({
      ...scored,
      mediaId: hit.mediaId,
      method: 'face',
      inliers: null,
      faceId: hit.faceId,
      knownFaceId: hit.knownFaceId,
      knownMediaId: hit.knownMediaId,
      seriesId: hit.seriesId,
      subjectId: hit.subjectId,
      placeId: null,
      cameraId: null,
      ...grounds,
    });
  }
  return { evidence: bestPerObject(found), belowGate };
}
