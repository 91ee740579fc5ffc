import fc from 'fast-check';

/** Texts that try to do something, for the tests of everything that shows text out of seized files. */

const JPEG_BASE64 =
  '/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL/';
const PNG_BASE64 = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const GIF_BASE64 = 'R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7';

export const CANARIES: readonly string[] = [
  JPEG_BASE64,
  JPEG_BASE64.replaceAll('/', '_').replaceAll('+', '-'),
  PNG_BASE64,
  GIF_BASE64,
  `data:image/jpeg;base64,${JPEG_BASE64}`,
  `DATA:image/gif;base64,${GIF_BASE64}`,
  `data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`,
  '\u00ff\u00d8\u00ff\u00e0\u0000\u0010JFIF',
  '\u0089PNG\r\n\u001a\n',
  'GIF89a\u0001\u0000\u0001',
  'RIFF\u0010\u0000\u0000\u0000WEBPVP8 ',
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  `'" onmouseover='alert(1)' x="`,
  '</title></style></svg><iframe src=//evil.example>',
  '<!-- --><![CDATA[ ]]><?xml ?>',
  '&lt;b&gt; &#60;i&#62; &amp',
  '\u001b]0;owned\u0007\u001b[2J\u001b[31mred',
  'photo\u202egpj.exe',
  '\ud800lone\udfff',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text itself that is tried
  '${7*7} {{7*7}} `x`',
  'javascript:alert(1)//\u2028\u2029',
];

/** Any text, with canaries in the middle of it. */
export const hostileText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.constantFrom(...CANARIES),
      fc.string({ unit: 'binary', maxLength: 30 }),
      fc.string({ unit: 'grapheme', maxLength: 30 }),
      fc.stringMatching(/^[<>"'`=&/!\-a-z ]{0,20}$/),
      fc.base64String({ maxLength: 200 }),
    ),
    { maxLength: 5 },
  )
  .map((parts) => parts.join(''));

const SIGNS: ReadonlyArray<readonly [what: string, sign: RegExp]> = [
  ['data: URI', /data:[a-z]*[/;,]/i],
  ['base64 of a JPEG', /\/9j\/[A-Za-z0-9+/]{20,}|_9j_[A-Za-z0-9_-]{20,}/],
  ['base64 of a PNG', /iVBORw0KGgo[A-Za-z0-9+/]{20,}/],
  ['base64 of a GIF', /R0lGOD[A-Za-z0-9+/]{20,}/],
  ['base64 of a WebP', /UklGR[A-Za-z0-9+/]{20,}/],
  ['magic number of a JPEG', /\u00ff\u00d8\u00ff/],
  ['magic number of a PNG', /PNG\r?\n|\u0089PNG/],
  ['magic number of a GIF', /GIF8[79]a/],
  ['magic number of a WebP', /RIFF.{0,8}WEBP/s],
  ['picture element', /<(?:img|image|picture|video|canvas|object|embed|iframe|feImage)[\s>/]/i],
];

/** What in a text could be a picture; empty when nothing could. */
export function picturesInText(text: string): readonly string[] {
  return SIGNS.filter(([, sign]) => sign.test(text)).map(([what]) => what);
}
