import { type Keypoints, MOST_KEYPOINTS } from '../../schemas/embedding.ts';
import { HomewardError } from '../../schemas/error.ts';
import { chooseCandidates } from './choose-candidates.ts';
import { geometryKernel } from './geometry-kernel.ts';
import { packKeypoints } from './keypoint-records.ts';

/** What the longer side is to be reduced to before keypoints are taken; smaller pictures stay as they are. Measured: see README.md. */
export const KEYPOINT_SIDE_PIXELS = 640;
/** Memory of the scale space: 33 MB at this. */
const LARGEST_SIDE_PIXELS = 1024;
/** Smaller pictures are doubled first, as Lowe 2004 does with all: it finds too few keypoints in them otherwise. */
const DOUBLED_BELOW_PIXELS = 400;
/** Lowe has 0.03 for luma of 0 to 1; dim rooms need less, and the strongest are taken first anyway. */
const LEAST_CONTRAST = 0.003;

/**
 * Local features for the geometric check of places: SIFT (Lowe 2004) with RootSIFT descriptors (Arandjelovic and Zisserman 2012), the
 * strongest MOST_KEYPOINTS spread over the picture. The same bytes give the same keypoints, on every machine.
 *
 * @param luma - 8 bits a pixel, row after row without gaps; the longer side best KEYPOINT_SIDE_PIXELS, at most 1024
 * @throws HomewardError HW_INTERNAL where the buffer is not the picture it is said to be
 */
export function extractKeypoints(luma: Uint8Array, widthPixels: number, heightPixels: number): Keypoints {
  const isSide = (side: number) => Number.isInteger(side) && side >= 1 && side <= LARGEST_SIDE_PIXELS;
  if (!isSide(widthPixels) || !isSide(heightPixels) || luma.length !== widthPixels * heightPixels) {
    throw new HomewardError(
      'HW_INTERNAL',
      `expected width x height bytes of luma with sides of 1 to ${LARGEST_SIDE_PIXELS} for keypoints, received ` +
        `${luma.length} bytes as ${widthPixels} x ${heightPixels}; reduce the picture first`,
    );
  }
  const picture = { widthPixels, heightPixels };
  const longerSidePixels = Math.max(widthPixels, heightPixels);
  const settings = {
    doubled: longerSidePixels < DOUBLED_BELOW_PIXELS,
    leastContrast: LEAST_CONTRAST,
    most: MOST_KEYPOINTS,
  };
  const points = geometryKernel().describePicture(luma, picture, settings, (candidates) =>
    chooseCandidates(candidates, picture, MOST_KEYPOINTS),
  );
  return packKeypoints(points, longerSidePixels);
}
