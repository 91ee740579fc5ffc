import type { Raster } from './raster.ts';

/** Capitals and digits, 3 by 5 dots: a row is three bits, five rows to a letter from the top. */
const LETTERS: Readonly<Record<string, string>> = {
  A: '25755',
  B: '65656',
  C: '34443',
  D: '65556',
  E: '74647',
  F: '74644',
  G: '34553',
  H: '55755',
  I: '72227',
  J: '11152',
  K: '55655',
  L: '44447',
  M: '57755',
  N: '67555',
  O: '25552',
  P: '65644',
  Q: '25563',
  R: '65655',
  S: '34216',
  T: '72222',
  U: '55557',
  V: '55552',
  W: '55775',
  X: '55255',
  Y: '55222',
  Z: '71247',
  '0': '25552',
  '1': '26227',
  '2': '61247',
  '3': '61216',
  '4': '55711',
  '5': '74616',
  '6': '34652',
  '7': '71122',
  '8': '25252',
  '9': '25316',
};
const LETTER_WIDTH = 4;
const LETTER_HEIGHT = 5;

/** A copy of the picture with a line of white capitals in a dark outline near its lower edge, as memes and forums add it. */
export function captioned(picture: Raster, text: string, dotPixels: number): Raster {
  const pixels = picture.pixels.slice();
  const width = text.length * LETTER_WIDTH * dotPixels;
  const left = Math.round((picture.widthPixels - width) / 2);
  const top = picture.heightPixels - (LETTER_HEIGHT + 3) * dotPixels;
  const outline = Math.max(1, Math.round(dotPixels / 3));
  for (const [margin, tone] of [
    [outline, 20],
    [0, 245],
  ] as const) {
    for (const [column, row] of dotsOf(text)) {
      fill(
        pixels,
        picture,
        left + column * dotPixels - margin,
        top + row * dotPixels - margin,
        dotPixels + margin * 2,
        tone,
      );
    }
  }
  return { ...picture, pixels };
}

function* dotsOf(text: string): Generator<readonly [column: number, row: number]> {
  for (const [index, letter] of [...text].entries()) {
    for (const [row, bits] of [...(LETTERS[letter] ?? '')].entries()) {
      for (let bit = 0; bit < 3; bit += 1) {
        if (Number(bits) & (4 >> bit)) yield [index * LETTER_WIDTH + bit, row];
      }
    }
  }
}

function fill(
  pixels: Uint8Array,
  { widthPixels, heightPixels }: Raster,
  left: number,
  top: number,
  side: number,
  tone: number,
): void {
  for (let y = Math.max(0, top); y < Math.min(heightPixels, top + side); y += 1) {
    const start = (y * widthPixels + Math.max(0, left)) * 3;
    const end = (y * widthPixels + Math.min(widthPixels, left + side)) * 3;
    if (end > start) pixels.fill(tone, start, end);
  }
}
