import type { Examination } from '../../schemas/fingerprint.ts';
import type { KnownBits, KnownRecord } from '../../schemas/known-record.ts';

/** At or below this PDQ quality a picture is too flat to be told from others: its hashes would match strangers. */
const FLAT_QUALITY = 49;

/**
 * A unit's own picture as a record of a known series: digests, both PDQ flavours and blockhash, as the engine computes them.
 * Null when the file could not be read to its end. A flat picture is known by its digests alone.
 */
export function knownRecordOf(examination: Examination, series: string): KnownRecord | null {
  if (examination.digests === null) return null;
  const { picture, digests } = examination;
  const usable = picture !== null && picture.mode === 'exact' && picture.pdq.every((pdq) => pdq.quality > FLAT_QUALITY);
  const bits: KnownBits[] = usable
    ? picture.pdq.map((pdq) => ({ algorithm: 'pdq', flavour: pdq.flavour, hex: pdq.hex, quality: pdq.quality }))
    : [];
  if (usable && picture.blockhash !== null) {
    const quality = Math.min(...picture.pdq.map((pdq) => pdq.quality));
    bits.push({ algorithm: 'blockhash-256-r512', flavour: null, hex: picture.blockhash.hex, quality });
  }
  return {
    sourceKey: null,
    ...digests,
    bits,
    sizeBytes: examination.sizeBytes,
    categoryCode: null,
    series,
    tags: null,
    victimIdentified: null,
    offenderIdentified: null,
    distributed: null,
    precategorised: null,
    suspected: null,
  };
}
