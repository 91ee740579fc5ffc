import type { Face } from '../../schemas/embedding.ts';

/** How `value` stands between `least` (0) and `enough` (1). */
const share = (value: number, least: number, enough: number) =>
  Math.min(1, Math.max(0, (value - least) / (enough - least)));

/** Eyes this far apart and less carry nothing an embedding can use; from the second figure on, more adds nothing (the nets see 150 to 224 pixels). */
const EYE_DISTANCE_PIXELS = [6, 40] as const;
/** On a logarithmic scale, since sharpness is a variance. */
const LOG_SHARPNESS = [Math.log(5), Math.log(120)] as const;
/** Up to the first figure a face counts as frontal, from the second one on as profile. */
const YAW_DEGREES = [15, 65] as const;
const PITCH_DEGREES = [15, 55] as const;
const DETECTION_SCORE = [0.3, 0.8] as const;

/**
 * 0 to 100: the product of how well size, sharpness, pose and detection score serve an embedding, each 0.25 to 1 (score 0.5 to 1) so that one bad trait
 * ranks a face low and leaves the rest to tell. An order among faces, not a probability.
 */
export function faceQuality(face: Pick<Face, 'detectionScore' | 'eyeDistancePixels' | 'sharpness' | 'pose'>): number {
  const size = share(face.eyeDistancePixels, ...EYE_DISTANCE_PIXELS);
  const sharp = share(Math.log(Math.max(face.sharpness, 1e-6)), ...LOG_SHARPNESS);
  const yaw = 1 - share(Math.abs(face.pose.yawDegrees), ...YAW_DEGREES);
  const pitch = 1 - share(Math.abs(face.pose.pitchDegrees), ...PITCH_DEGREES);
  const seen = share(face.detectionScore, ...DETECTION_SCORE);
  const quarterAtLeast = (part: number) => 0.25 + 0.75 * part;
  return Math.round(
    100 * quarterAtLeast(size) * quarterAtLeast(sharp) * quarterAtLeast(Math.min(yaw, pitch)) * (0.5 + 0.5 * seen),
  );
}
