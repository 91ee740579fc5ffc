const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const WITH_OFFSET = /(?:Z|[+-]\d{2}:\d{2})$/;

export interface CaptureTime {
  /** Since 1970, as if the camera stood in UTC where it wrote no offset. */
  readonly timeMs: number;
  readonly hasOffset: boolean;
}

/** @param text as CaptureMetadata has it; null for what is no time */
export function parseCaptureTime(text: string | null): CaptureTime | null {
  if (text === null) return null;
  const hasOffset = WITH_OFFSET.test(text);
  const timeMs = Date.parse(hasOffset ? text : `${text}Z`);
  return Number.isFinite(timeMs) ? { timeMs, hasOffset } : null;
}

/**
 * What nearness in time adds to two media that something else ties: pictures of one occasion come in runs. A rule, not a
 * calibration: no public data with true occasions is at hand, so it stays below what any method needs to join two media.
 * Times with and without an offset are not compared: they may be half a day apart.
 * @returns log10 of a likelihood ratio, 0 to 0.6, and the time between them in seconds
 */
export function timeEvidence(
  one: CaptureTime | null,
  other: CaptureTime | null,
): { readonly log10LikelihoodRatio: number; readonly distanceSeconds: number } | null {
  if (one === null || other === null || one.hasOffset !== other.hasOffset) return null;
  const apartMs = Math.abs(one.timeMs - other.timeMs);
  const log10LikelihoodRatio =
    apartMs <= 5 * MINUTE_MS ? 0.6 : apartMs <= HOUR_MS ? 0.4 : apartMs <= 24 * HOUR_MS ? 0.2 : 0;
  return log10LikelihoodRatio === 0 ? null : { log10LikelihoodRatio, distanceSeconds: apartMs / SECOND_MS };
}
