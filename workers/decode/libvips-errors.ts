import type { Reason, ReasonCode } from '../../schemas/outcome.ts';
import { reason } from './decoded-picture.ts';

/**
 * What libvips and the libraries below it say, and what it means; the first pattern that fits wins. libvips has no error codes, so its
 * words are all there is: they were collected by decoding some 1,700 damaged pictures with sharp 0.35.5 (libvips 8.18.7).
 */
const PATTERNS: readonly (readonly [RegExp, ReasonCode])[] = [
  // Said under the limit of the host's memory, whatever the picture is like; the words of a decoder may come before or behind it.
  [
    /out of memory|insufficient memory|memory allocation error|cannot allocate memory|error creating thread/i,
    'memoryLimit',
  ],
  [/exceeds pixel limit/i, 'pixelLimit'],
  [/maximum supported image dimension|too large|dimensions? (?:too|out)/i, 'dimensionLimit'],
  [
    /premature end|unexpected end|not enough data|end of (?:data|file|stream|gif)|read error on strip|bad seek|\bEOF\b|short read|truncated/i,
    'truncated',
  ],
  [/^vipspng: libpng read error/i, 'corruptData'],
  [
    /not supported|unsupported (?!image format)|not configured|no decoding plugin|codec|not implemented|can't handle/i,
    'unsupportedVariant',
  ],
  [/corrupt header|unsupported image format|unable to parse|bad (?:header|dimensions)|no image/i, 'corruptHeader'],
  [/warning treated as error/i, 'decoderWarning'],
];

/** The reason for an error of a strict or lenient decode. */
export function classifyLibvipsError(message: string): Reason {
  const code = PATTERNS.find(([pattern]) => pattern.test(message))?.[1] ?? 'corruptData';
  return reason(code, message);
}

/** A picture that lenient decoding still yields is damaged, whatever name strict decoding gave it. */
export function damageOf(strict: Reason): Reason {
  const known = strict.code === 'truncated' || strict.code === 'decoderWarning';
  return known ? strict : { code: 'corruptData', detail: strict.detail };
}
