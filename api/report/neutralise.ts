/**
 * Text from seized files made safe to print, whether it is revealed or not. What is left out is said in its place:
 * a name that tries something is a finding, and two names must not become alike.
 */

const DEFAULT_MAX_CHARACTERS = 240;
/** Piles of combining marks run over the lines above and below; no script needs more on one letter. */
const MAX_COMBINING_MARKS = 4;

/** Characters that move the cursor, change direction, or are there without being seen (general category Cf and friends). */
const UNSEEN_CHARACTERS =
  /\p{Cf}|\p{Zl}|\p{Zp}|\p{Co}|\p{Variation_Selector}|\u034f|\u115f|\u1160|\u17b4|\u17b5|\u2800|\u3164|\uffa0/gu;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f]/g;
const COMBINING_PILE = new RegExp(`(\\p{M}{${MAX_COMBINING_MARKS}})\\p{M}+`, 'gu');

/** What a picture's first bytes look like in base64 (JPEG, PNG, GIF, WebP, TIFF both ways, BMP, HEIC and AVIF), and enough of it to be one. */
const BASE64_PICTURE =
  /(?:\/9j\/|_9j_|iVBORw0KGgo|R0lGOD|UklGR|SUkqA|TU0AK|Qk[0-3]|AAAA[A-Za-z0-9+/_-]{2}Z0eX)[A-Za-z0-9+/_=-]{16,}/g;
/** No name or serial number is this long without a space, dot or separator; hexadecimal digests are, up to SHA-512. */
const LONG_RUN = /[A-Za-z0-9+=_-]{80,}/g;
const DIGEST = /^[0-9a-f]{80,128}$/i;
const DATA_URI = /data:/gi;
/** The first bytes of pictures that are printable text as they stand. */
const MAGIC_TEXT = /GIF8[79]a|RIFF(?=.{0,8}WEBP)|PNG\u240d|\u00ff\u00d8\u00ff|ftyp(?=hei[cx]|m[is]f1|avif)/g;

/**
 * @param text any text, of any length
 * @param maxCharacters code points kept; the rest is replaced by an ellipsis
 * @returns printable text on one line: control characters as their pictures (U+2400 block), bidirectional overrides and invisible
 * characters as `[U+202E]`, and nothing in which a picture could be carried (data: URIs, base64 runs, picture magic numbers).
 */
export function neutralise(text: string, maxCharacters: number = DEFAULT_MAX_CHARACTERS): string {
  // Cut first, generously: the patterns below need not run over 16,000 characters that nobody will see.
  const head = text.length > maxCharacters * 4 ? text.slice(0, maxCharacters * 4) : text;
  const printable = head
    .toWellFormed()
    .replace(CONTROL_CHARACTERS, controlPicture)
    .replace(
      UNSEEN_CHARACTERS,
      (character) => `[U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`,
    )
    .replace(COMBINING_PILE, '$1');
  const carrier = printable
    .replace(BASE64_PICTURE, withheld)
    .replace(LONG_RUN, (run) => (DIGEST.test(run) ? run : withheld(run)))
    .replace(DATA_URI, (scheme) => `${scheme.slice(0, 4)}\u00b7:`)
    .replace(MAGIC_TEXT, (sign) => `${sign.slice(0, 2)}\u00b7${sign.slice(2)}`);
  const characters = [...carrier];
  const cut = characters.length > maxCharacters || head.length < text.length;
  return cut ? `${characters.slice(0, maxCharacters).join('')}\u2026` : carrier;
}

function controlPicture(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? '\u2421' : `[U+${code.toString(16).toUpperCase().padStart(4, '0')}]`;
}

function withheld(run: string): string {
  return `[${run.length} characters that could be encoded data]`;
}
