import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import type { RawPicture } from '../hash/pdq-reference.ts';

/** The picture as sharp takes it. */
export function pipelineOf({ pixels, widthPixels, heightPixels, channels }: RawPicture): Sharp {
  return sharp(pixels, { raw: { width: widthPixels, height: heightPixels, channels }, limitInputPixels: false });
}

/** Uncompressed bitmap of 24 bits a pixel, rows from below (BITMAPINFOHEADER); sharp writes none. */
export function bmpOf({ pixels, widthPixels, heightPixels }: RawPicture): Buffer {
  const rowBytes = Math.ceil((widthPixels * 3) / 4) * 4;
  const bytes = Buffer.alloc(54 + rowBytes * heightPixels);
  bytes.write('BM', 0, 'latin1');
  bytes.writeUInt32LE(bytes.length, 2);
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(widthPixels, 18);
  bytes.writeInt32LE(heightPixels, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  bytes.writeUInt32LE(rowBytes * heightPixels, 34);
  for (let y = 0; y < heightPixels; y++) {
    const row = 54 + (heightPixels - 1 - y) * rowBytes;
    for (let x = 0; x < widthPixels; x++) {
      const from = (y * widthPixels + x) * 3;
      bytes[row + x * 3] = pixels[from + 2] ?? 0;
      bytes[row + x * 3 + 1] = pixels[from + 1] ?? 0;
      bytes[row + x * 3 + 2] = pixels[from] ?? 0;
    }
  }
  return bytes;
}

/** A black PNG of one bit a pixel: a few kilobytes that ask for as much memory as the sides say. */
export function bombPng(widthPixels: number, heightPixels: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(widthPixels, 0);
  header.writeUInt32BE(heightPixels, 4);
  header[8] = 1;
  const rows = Buffer.alloc((1 + Math.ceil(widthPixels / 8)) * heightPixels);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
