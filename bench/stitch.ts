import sharp from 'sharp';
import type { SourcePicture } from './picture-sources.ts';
import type { Random } from './random.ts';

interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * A picture of the size asked for, never enlarged: a window of one source reduced to that size where a source is large
 * enough for it, otherwise several sources side by side at their own resolution.
 *
 * @returns 8-bit RGB, rows without padding
 */
export async function composePicture(
  sources: readonly SourcePicture[],
  widthPixels: number,
  heightPixels: number,
  random: Random,
): Promise<Buffer> {
  const first = random.pick(sources);
  const fits = first.widthPixels >= widthPixels && first.heightPixels >= heightPixels;
  return fits
    ? await windowOf(first, widthPixels, heightPixels, random)
    : stitch(sources, widthPixels, heightPixels, random);
}

async function windowOf(source: SourcePicture, width: number, height: number, random: Random): Promise<Buffer> {
  const most = Math.min(source.widthPixels / width, source.heightPixels / height);
  const factor = 1 + random.next() * (most - 1);
  const windowWidth = Math.min(source.widthPixels, Math.round(width * factor));
  const windowHeight = Math.min(source.heightPixels, Math.round(height * factor));
  const left = random.integer(0, source.widthPixels - windowWidth);
  const top = random.integer(0, source.heightPixels - windowHeight);
  const raw = { width: source.widthPixels, height: source.heightPixels, channels: 3 } as const;
  return await sharp(source.pixels, { raw })
    .extract({ left, top, width: windowWidth, height: windowHeight })
    .resize(width, height, { fit: 'fill' })
    .raw()
    .toBuffer();
}

/** Fills the picture from the top left: one piece, then the strip to its right and the strip below it in the same way. */
export function stitch(sources: readonly SourcePicture[], width: number, height: number, random: Random): Buffer {
  const target = Buffer.alloc(width * height * 3);
  const open: Rectangle[] = [{ left: 0, top: 0, width, height }];
  for (let area = open.pop(); area !== undefined; area = open.pop()) {
    const piece = random.pick(sources);
    const pieceWidth = Math.min(piece.widthPixels, area.width);
    const pieceHeight = Math.min(piece.heightPixels, area.height);
    const fromLeft = random.integer(0, piece.widthPixels - pieceWidth);
    const fromTop = random.integer(0, piece.heightPixels - pieceHeight);
    for (let row = 0; row < pieceHeight; row++) {
      const from = ((fromTop + row) * piece.widthPixels + fromLeft) * 3;
      piece.pixels.copy(target, ((area.top + row) * width + area.left) * 3, from, from + pieceWidth * 3);
    }
    const right = { left: area.left + pieceWidth, top: area.top, width: area.width - pieceWidth, height: pieceHeight };
    const below = { ...area, top: area.top + pieceHeight, height: area.height - pieceHeight };
    for (const rest of [right, below]) if (rest.width > 0 && rest.height > 0) open.push(rest);
  }
  return target;
}
