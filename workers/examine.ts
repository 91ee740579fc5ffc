import { NOT_EXAMINED_REASONS } from '../schemas/constants.ts';
import type { Blockhash, DecodeMode, Examination, PdqHash } from '../schemas/fingerprint.ts';
import type { FileBudget } from '../schemas/host-protocol.ts';
import type { Outcome, Reason, ReasonCode } from '../schemas/outcome.ts';
import { readCapture } from './capture/capture-metadata.ts';
import { decodePicture } from './decode/decode.ts';
import { type DecodedPicture, reason } from './decode/decoded-picture.ts';
import { trailingBytes } from './decode/trailing-bytes.ts';
import { DECODE_BUFFER_LIMIT_BYTES, type ReadResult, readFile } from './read/file-reader.ts';

/** What computes the perceptual hashes from pixels; one instance a thread. */
export interface PixelHasher {
  hash(
    pixels: Uint8Array,
    widthPixels: number,
    heightPixels: number,
    channels: 1 | 3 | 4,
  ): { pdq: PdqHash[]; blockhash: Blockhash | null };
}

export interface ExamineRequest {
  readonly path: Buffer;
  readonly mode: DecodeMode;
  readonly budget: FileBudget;
  /** Of a file of the scratch folder that is encrypted. */
  readonly scratchKey?: Buffer | null;
}

/** A budget of one pixel asks for digests and type alone: how a file whose content ended its host twice is recorded. */
const DIGESTS_ONLY_PIXELS = 1;
/** A host holds the file and its pixels at the same time, so a file may take at most this part of its memory. */
const FILE_SHARE_OF_MEMORY = 3;

/**
 * Examines one file inside a host: read once with digests, type by content, decode once, hash, capture metadata. An archive is `done` with
 * its type and digests, to be unpacked elsewhere. Whatever is wrong with the file is in the answer; only a defect of ours is thrown.
 */
export async function examineFile(
  { path, mode, budget, scratchKey = null }: ExamineRequest,
  hasher: PixelHasher,
): Promise<Examination> {
  const bufferLimitBytes = Math.min(DECODE_BUFFER_LIMIT_BYTES, Math.floor(budget.memoryBytes / FILE_SHARE_OF_MEMORY));
  const read = readFile(path, budget.sizeBytes, bufferLimitBytes, scratchKey);
  if (read.kind === 'refused') return unread(read);
  const { type, bytes } = read;
  if (read.sizeBytes === 0) return examined(read, reason('empty', 'a file of 0 bytes'));
  if (type.class.kind === 'archive') return examined(read, null);
  if (type.class.kind === 'notExamined') return examined(read, reason(type.class.reason, type.mediaType));
  if (bytes === null)
    return examined(
      read,
      reason('tooLarge', `a picture of ${read.sizeBytes} bytes; up to ${bufferLimitBytes} are decoded`),
    );

  if (budget.pixels === DIGESTS_ONLY_PIXELS) return examined(read, reason('pixelLimit', 'digests only'));

  const decoded = await decodePicture(bytes, type.mediaType, type.class.decoder, { mode, budget });
  const trailing = trailingBytes(bytes, type.mediaType);
  if (decoded.kind === 'refused') {
    const capture = await readCapture(bytes, type.mediaType, null);
    return { ...examined(read, decoded.reason), trailingBytes: trailing, capture };
  }
  const { pdq, blockhash } = hasher.hash(
    decoded.pixels,
    decoded.decodedWidthPixels,
    decoded.decodedHeightPixels,
    decoded.channels,
  );
  return {
    ...examined(read, decoded.damage),
    outcome: decoded.damage === null ? 'done' : 'partial',
    trailingBytes: trailing,
    picture: { ...pictureFacts(decoded, mode), pdq, blockhash },
    capture: await readCapture(bytes, type.mediaType, decoded),
  };
}

const pictureFacts = (decoded: DecodedPicture, mode: DecodeMode) => ({
  widthPixels: decoded.widthPixels,
  heightPixels: decoded.heightPixels,
  decoder: decoded.decoder,
  mode,
  reductionFactor: decoded.reductionFactor,
  frames: decoded.frames,
});

function unread(read: Extract<ReadResult, { kind: 'refused' }>): Examination {
  return {
    outcome: outcomeOf(read.reason.code),
    reason: read.reason,
    type: 'application/octet-stream',
    sizeBytes: read.sizeBytes,
    digests: null,
    trailingBytes: null,
    picture: null,
    capture: null,
  };
}

function examined(read: Extract<ReadResult, { kind: 'read' }>, why: Reason | null): Examination {
  return {
    outcome: why === null ? 'done' : outcomeOf(why.code),
    reason: why,
    type: read.type.mediaType,
    sizeBytes: read.sizeBytes,
    digests: read.digests,
    trailingBytes: null,
    picture: null,
    capture: null,
  };
}

const NOT_EXAMINED: ReadonlySet<ReasonCode> = new Set<ReasonCode>(NOT_EXAMINED_REASONS);
/** A decoder that ran out of memory says nothing about the file, but about the limit. */
const FAILED: ReadonlySet<ReasonCode> = new Set<ReasonCode>(['memoryLimit', 'timeLimit', 'cpuLimit', 'internal']);

/** What became of a file that could not be examined for this reason. */
export const outcomeOf = (code: ReasonCode): Outcome =>
  NOT_EXAMINED.has(code) ? 'notExamined' : FAILED.has(code) ? 'failed' : 'rejected';
