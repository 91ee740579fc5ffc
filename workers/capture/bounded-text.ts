/** CaptureMetadata allows 200 characters of any text. */
const MAX_LENGTH = 200;

/** First bytes of JPEG, PNG, GIF, WebP, TIFF, BMP, HEIC and AVIF in base64, and enough behind them to be a picture. */
const BASE64_PICTURE =
  /(?:\/9j\/|_9j_|iVBORw0KGgo|R0lGOD|UklGR|SUkqA|TU0AK|Qk[0-3]|AAAA[A-Za-z0-9+/_-]{2}Z0eX)[A-Za-z0-9+/_=-]{16,}/g;
const DATA_URI = /data:(?=[a-z]*[/;,])/gi;

/**
 * Text from a file as it may leave a host: nothing in which a picture could be carried (base64 of one, data: URIs), without control, bidirectional and other format characters, trimmed, bounded; null when nothing is left.
 * Several values of one field are joined with a blank.
 */
export function boundedText(value: unknown, maxLength: number = MAX_LENGTH): string | null {
  const text = Array.isArray(value) ? value.filter((part) => typeof part === 'string').join(' ') : value;
  if (typeof text !== 'string') return null;
  const clean = text
    .slice(0, 16 * maxLength)
    .replace(BASE64_PICTURE, '[picture data withheld]')
    .replace(DATA_URI, 'data\u00b7:')
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  // Cutting by characters, not code units, so that no half of a surrogate pair is left.
  const cut = clean.length <= maxLength ? clean : [...clean].slice(0, maxLength).join('').slice(0, maxLength);
  const whole = cut.toWellFormed().trim();
  return whole === '' ? null : whole;
}
