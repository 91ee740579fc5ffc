import type { GeometryResult, Keypoints } from '../../schemas/embedding.ts';
import { countWithin, findConsensus } from './consensus.ts';
import { findCorrespondences } from './correspondences.ts';
import { FUNDAMENTAL } from './fundamental.ts';
import { HOMOGRAPHY } from './homography.ts';
import { unpackKeypoints } from './keypoint-records.ts';

/**
 * How much of two pictures fits one scene seen twice. The same keypoints give the same counts; whatever the keypoints are, it ends
 * within milliseconds. Mirrored pictures are not looked for.
 *
 * @throws HomewardError HW_INTERNAL where a record's length, count or encoding are not what the schema says
 */
export function compareGeometry(a: Keypoints, b: Keypoints): GeometryResult {
  const pairs = findCorrespondences(unpackKeypoints(a), unpackKeypoints(b));
  const plane = findConsensus(HOMOGRAPHY, pairs);
  const scene = findConsensus(FUNDAMENTAL, pairs);
  // Pairs that a homography H explains, every fundamental matrix [e]H explains too. Copies and flat scenes have no other one, and seven
  // points of theirs do not determine it.
  const ofPlane = plane === undefined ? 0 : countWithin(HOMOGRAPHY, pairs, plane.model, FUNDAMENTAL.threshold);
  return {
    tentative: pairs.count,
    fundamentalInliers: Math.max(scene?.inliers.length ?? 0, ofPlane),
    homographyInliers: plane?.inliers.length ?? 0,
  };
}
