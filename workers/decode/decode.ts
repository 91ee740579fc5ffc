import type { PictureDecoder } from '../read/type-tables.ts';
import { BMP_DECODER, decodeBmp } from './bmp-decoder.ts';
import type { DecodeOptions, DecodeResult } from './decoded-picture.ts';
import { decodeWithSharp, SHARP_DECODER } from './sharp-decoder.ts';

/**
 * Decodes the first picture of a file, once. The content has been sniffed, and the decoder is chosen by it. Limits of pixels and sides
 * apply before anything is allocated; time and memory are the parent's to limit. Never throws for what is in the file.
 */
export async function decodePicture(
  bytes: Buffer,
  mediaType: string,
  decoder: PictureDecoder,
  options: DecodeOptions,
): Promise<DecodeResult> {
  switch (decoder) {
    case 'sharp':
      return decodeWithSharp(bytes, mediaType, options);
    case 'bmp':
      return decodeBmp(bytes, options);
    case 'heif':
      // Loaded with the first such picture: most hosts never see one, and its WebAssembly takes 140 ms and 20 MB.
      return (await import('./heif-decoder.ts')).decodeHeif(bytes, options);
  }
}

/** Names and versions of all decoders, for a host to announce. */
export async function decoderNames(): Promise<string[]> {
  return [SHARP_DECODER, (await import('./heif-decoder.ts')).heifDecoderName(), BMP_DECODER];
}
