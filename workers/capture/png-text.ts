import { inflateSync } from 'node:zlib';
import { pngChunks } from '../read/png-chunks.ts';

export interface PngText {
  readonly keyword: string;
  readonly text: string;
}

/** Compressed text may inflate to anything; only this much of it is. */
const MAX_TEXT_BYTES = 256 * 1024;
const MAX_TEXTS = 64;

/** The text chunks of a PNG (tEXt, zTXt, iTXt; ISO/IEC 15948 section 11.3.4), the first 64 of them. Never throws. */
export function pngTexts(bytes: Buffer): PngText[] {
  const texts: PngText[] = [];
  for (const { type, data } of pngChunks(bytes)) {
    if (texts.length >= MAX_TEXTS) break;
    const text = type === 'tEXt' || type === 'zTXt' || type === 'iTXt' ? readText(type, data) : undefined;
    if (text !== undefined) texts.push(text);
  }
  return texts;
}

function readText(type: 'tEXt' | 'zTXt' | 'iTXt', data: Buffer): PngText | undefined {
  const end = data.indexOf(0);
  if (end < 1 || end > 79) return undefined;
  const keyword = data.toString('latin1', 0, end);
  if (type === 'tEXt') return { keyword, text: data.toString('latin1', end + 1, end + 1 + MAX_TEXT_BYTES) };
  if (type === 'zTXt') return { keyword, text: inflated(data.subarray(end + 2)).toString('latin1') };
  // iTXt: compression flag and method, language, translated keyword, then UTF-8.
  const language = data.indexOf(0, end + 3);
  const translated = language < 0 ? -1 : data.indexOf(0, language + 1);
  if (translated < 0) return undefined;
  const body = data.subarray(translated + 1);
  const plain = data[end + 1] === 1 ? inflated(body) : body.subarray(0, MAX_TEXT_BYTES);
  return { keyword, text: plain.toString('utf8') };
}

function inflated(data: Buffer): Buffer {
  try {
    return inflateSync(data, { maxOutputLength: MAX_TEXT_BYTES });
  } catch {
    // Too long or damaged; that such a chunk is there is still known by its keyword.
    return Buffer.alloc(0);
  }
}
