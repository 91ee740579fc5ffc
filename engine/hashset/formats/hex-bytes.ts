/** Value of an ASCII hexadecimal digit, 0xff for every other byte. */
const DIGIT_VALUE = new Uint8Array(256).fill(0xff);
for (let value = 0; value < 16; value++) {
  const digit = value.toString(16);
  DIGIT_VALUE[digit.charCodeAt(0)] = value;
  DIGIT_VALUE[digit.toUpperCase().charCodeAt(0)] = value;
}

/**
 * Writes `byteCount` bytes, read as hexadecimal of either case from `source` at `from`, into `target` at `at`.
 * False when a digit is not hexadecimal; the target bytes mean nothing then.
 */
export function decodeHex(
  source: Uint8Array,
  from: number,
  target: Uint8Array,
  at: number,
  byteCount: number,
): boolean {
  let seen = 0;
  let position = from;
  for (let index = 0; index < byteCount; index++) {
    const high = DIGIT_VALUE[source[position] ?? 0] ?? 0xff;
    const low = DIGIT_VALUE[source[position + 1] ?? 0] ?? 0xff;
    seen |= high | low;
    target[at + index] = (high << 4) | low;
    position += 2;
  }
  return (seen & 0xf0) === 0;
}

/** Where the run of hexadecimal digits that starts at `from` ends; at most `to`. */
export function hexRunEnd(source: Uint8Array, from: number, to: number): number {
  let position = from;
  while (position < to && (DIGIT_VALUE[source[position] ?? 0] ?? 0xff) < 16) position++;
  return position;
}
