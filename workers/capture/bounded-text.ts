/** CaptureMetadata allows 200 characters of any text. */
const MAX_LENGTH = 200;

/**
 * Text from a file as it may leave a host: without control, bidirectional and other format characters, trimmed, bounded; null when nothing is left.
 * Several values of one field are joined with a blank.
 */
export function boundedText(value: unknown, maxLength: number = MAX_LENGTH): string | null {
  const text = Array.isArray(value) ? value.filter((part) => typeof part === 'string').join(' ') : value;
  if (typeof text !== 'string') return null;
  const clean = text
    .slice(0, 16 * maxLength)
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  // Cutting by characters, not code units, so that no half of a surrogate pair is left.
  const cut = clean.length <= maxLength ? clean : [...clean].slice(0, maxLength).join('').slice(0, maxLength);
  const whole = cut.toWellFormed().trim();
  return whole === '' ? null : whole;
}
