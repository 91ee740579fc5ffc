import type { CaptureTime } from './capture-time.ts';
import type { PairEvidence, PairSource } from './pair-evidence.ts';

/** A device that a media's metadata names, such as a body by make, model and serial number; two media of one device have the same text. */
export interface NamedDevice {
  readonly mediaId: number;
  readonly device: string;
  readonly capturedAt: CaptureTime | null;
}

/** How often two media of one series come from one device. A convention: no public data says. */
const SAME_SERIES_SAME_DEVICE = 0.5;
/** Media that the share of a device is reckoned against beyond those here, so that three of ten are not taken for a third of all there are. */
const MEDIA_ELSEWHERE = 1000;
/** Up to this many media of a device every pair is given; of more, each with those taken next after it. */
const EVERY_PAIR_OF = 48;
const NEXT_IN_TIME = 24;
const BLOCK_PAIRS = 5_000;

/**
 * Pairs of media from one device. How much that says depends on how much of the material the device made: of the owner's own
 * telephone, with half of all pictures, it says nothing. log10 of 0.5 / (share of the device), as the frequency of a trait is
 * weighed in forensic evidence (Aitken and Taroni 2004, chapter 2); never below 0.
 */
export function cameraPairs(devices: readonly NamedDevice[], mediaCount: number): PairSource {
  return {
    level: 'scenes',
    async *pairs(mediaIds) {
      const asked = new Set(mediaIds);
      const groups = Map.groupBy(
        devices.filter(({ mediaId }) => asked.has(mediaId)),
        ({ device }) => device,
      );
      let block: PairEvidence[] = [];
      for (const group of groups.values()) {
        const share = group.length / (mediaCount + MEDIA_ELSEWHERE);
        const log10LikelihoodRatio = Math.log10(SAME_SERIES_SAME_DEVICE / share);
        if (group.length < 2 || log10LikelihoodRatio <= 0) continue;
        const inTime = group.toSorted(byTime);
        const reach = inTime.length <= EVERY_PAIR_OF ? inTime.length : NEXT_IN_TIME;
        for (const [place, one] of inTime.entries()) {
          for (const other of inTime.slice(place + 1, place + 1 + reach)) {
            if (one.mediaId === other.mediaId) continue;
            const { mediaId } = one;
            block.push({ mediaId, otherMediaId: other.mediaId, method: 'camera', distance: 0, log10LikelihoodRatio });
          }
          if (block.length < BLOCK_PAIRS) continue;
          yield block;
          block = [];
        }
      }
      if (block.length > 0) yield block;
    },
  };
}

function byTime(one: NamedDevice, other: NamedDevice): number {
  const [a, b] = [one.capturedAt?.timeMs ?? 0, other.capturedAt?.timeMs ?? 0];
  return a - b || one.mediaId - other.mediaId;
}
