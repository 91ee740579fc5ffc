import type { Embedding, EmbedPlan, Keypoints } from '../schemas/embedding.ts';
import type { FileBudget } from '../schemas/host-protocol.ts';
import type { Outcome, Reason } from '../schemas/outcome.ts';
import { readExif } from './capture/exif-tags.ts';
import { decodePicture } from './decode/decode.ts';
import { reason } from './decode/decoded-picture.ts';
import { embedReduction, greyPicture, type LookedAtPicture, lookedAtPicture } from './embed/looked-at-picture.ts';
import type { MediaEmbedder } from './embed/media-embedder.ts';
import { type ExifOrientation, isExifOrientation } from './embed/raster.ts';
import { StepClock } from './embed/step-clock.ts';
import { outcomeOf } from './examine.ts';
import { DECODE_BUFFER_LIMIT_BYTES, readFile } from './read/file-reader.ts';

export interface EmbedRequest {
  readonly path: Buffer;
  /** Lower-case hexadecimal digest of the content that the answer is to be about; null: whatever is there. */
  readonly sha256: string | null;
  readonly plan: EmbedPlan;
  readonly budget: FileBudget;
  /** Of a file of the scratch folder that is encrypted. */
  readonly scratchKey?: Buffer | null;
}

export interface ModelTools {
  readonly embedder: MediaEmbedder;
  /** Local features of a grey picture, 8 bits a pixel, rows without padding; of the module that checks geometry. */
  readonly extractKeypoints: (luma: Uint8Array, widthPixels: number, heightPixels: number) => Keypoints;
  /** On pictures of which size it works, by their longer side. */
  readonly keypointSidePixels: number;
}

/** A host holds the file and its pixels at the same time, so a file may take at most this part of its memory. */
const FILE_SHARE_OF_MEMORY = 3;

/**
 * What the models say of one file, inside a host: read once with its digest, decoded no larger than they need, described. A content other than the one asked for is
 * rejected, since what is said here is recorded of that one. Whatever is wrong with the file or a net is in the answer; only a defect of ours is thrown.
 */
export async function embedFile(
  { path, sha256, plan, budget, scratchKey = null }: EmbedRequest,
  tools: ModelTools,
): Promise<Embedding> {
  const clock = new StepClock();
  const bufferLimitBytes = Math.min(DECODE_BUFFER_LIMIT_BYTES, Math.floor(budget.memoryBytes / FILE_SHARE_OF_MEMORY));
  const read = await clock.measure('read', () => readFile(path, budget.sizeBytes, bufferLimitBytes, scratchKey));
  if (read.kind === 'refused') return without(read.reason, null, clock);
  const found = read.digests.sha256;
  const nothing = (why: Reason) => without(why, found, clock);
  if (sha256 !== null && found !== sha256)
    return nothing(reason('changed', 'its SHA-256 is another one than recorded'));
  const { type, bytes } = read;
  if (read.sizeBytes === 0) return nothing(reason('empty', 'a file of 0 bytes'));
  if (type.class.kind === 'archive') return nothing(reason('unknownType', `${type.mediaType}, which is no picture`));
  if (type.class.kind === 'notExamined') return nothing(reason(type.class.reason, type.mediaType));
  if (bytes === null)
    return nothing(reason('tooLarge', `a picture of ${read.sizeBytes} bytes; up to ${bufferLimitBytes}`));

  const { decoder } = type.class;
  const decoded = await clock.measure('decode', () =>
    decodePicture(bytes, type.mediaType, decoder, { mode: 'exact', budget, reductionFor: embedReduction }),
  );
  if (decoded.kind === 'refused') return nothing(decoded.reason);
  const picture = lookedAtPicture(decoded, orientationOf(bytes, type.mediaType));
  const { trouble, ...described } = await tools.embedder.embed(picture, plan, clock);
  const keypoints = plan.keypoints ? await clock.measure('keypoints', () => keypointsOf(picture, tools)) : null;
  const why = decoded.damage ?? (trouble === null ? null : reason('modelFailed', trouble));
  return {
    ...described,
    outcome: why === null ? 'done' : 'partial',
    reason: why,
    sha256: found,
    keypoints,
    stepMs: clock.stepMs,
  };
}

/** HEIF and AVIF say in the container how they are to be turned, and their decoders have done it; turning them by EXIF too would be once too often. */
function orientationOf(bytes: Buffer, mediaType: string): ExifOrientation {
  if (
    mediaType === 'image/heic' ||
    mediaType === 'image/heif' ||
    mediaType === 'image/avif' ||
    mediaType === 'image/bmp'
  )
    return 1;
  const value: unknown = readExif(bytes, mediaType)?.exif['Orientation']?.value;
  return isExifOrientation(value) ? value : 1;
}

/** Of the upright picture, as the vectors are: a copy that was turned for good then gives what the original gives. */
function keypointsOf(picture: LookedAtPicture, { extractKeypoints, keypointSidePixels }: ModelTools): Keypoints {
  const { luma, widthPixels, heightPixels } = greyPicture(picture, keypointSidePixels);
  return extractKeypoints(luma, widthPixels, heightPixels);
}

function without(why: Reason, sha256: string | null, clock: StepClock): Embedding {
  const outcome: Outcome = outcomeOf(why.code);
  return {
    outcome,
    reason: why,
    sha256,
    facesFound: null,
    faces: [],
    vectors: [],
    scores: [],
    keypoints: null,
    provider: 'none',
    stepMs: clock.stepMs,
  };
}
