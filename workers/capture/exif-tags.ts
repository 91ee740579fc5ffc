import ExifReader, { type ExpandedTags } from 'exifreader';
import { readJpegSegments } from '../read/jpeg-segments.ts';
import { pngChunks } from '../read/png-chunks.ts';

/** EXIF fields by their names in the standard. Nothing is believed of a value's type: files write what they like. */
export type ExifTags = Readonly<Record<string, { readonly value: unknown; readonly description: unknown } | undefined>>;
export interface ExifContent {
  readonly exif: ExifTags;
  /** The embedded JPEG thumbnail. It stays in this host. */
  readonly thumbnail: Buffer | null;
}

const APP1 = 0xe1;

/** What is not used is not parsed: each of these groups is a parser of its own that a file could keep busy. */
const UNUSED_GROUPS = {
  xmp: true,
  iptc: true,
  icc: true,
  photoshop: true,
  makerNotes: true,
  mpf: true,
  composite: true,
  png: true,
  riff: true,
  gif: true,
  file: true,
  jfif: true,
} as const;

/** EXIF of a picture file, or undefined when it has none that can be read. Never throws. */
export function readExif(bytes: Buffer, mediaType: string): ExifContent | undefined {
  const source = exifSource(bytes, mediaType);
  if (source === undefined) return undefined;
  try {
    const tags = ExifReader.load(source, { expanded: true, excludeTags: UNUSED_GROUPS });
    if (tags.exif === undefined) return undefined;
    return { exif: Object.fromEntries(Object.entries(tags.exif)), thumbnail: thumbnailOf(tags) };
  } catch {
    // No metadata, or metadata that cannot be read: the picture is examined all the same.
    return undefined;
  }
}

/**
 * The bare block for JPEG and PNG, the file for everything else. A PNG may have any number of text chunks, which the reader would all go through,
 * and of a JPEG with several blocks it says so on the console; the largest one is taken, as an empty one in front is the usual case.
 */
function exifSource(bytes: Buffer, mediaType: string): Buffer | undefined {
  if (mediaType === 'image/png' || mediaType === 'image/apng') {
    for (const chunk of pngChunks(bytes)) if (chunk.type === 'eXIf') return Buffer.from(chunk.data);
    return undefined;
  }
  if (mediaType !== 'image/jpeg') return bytes;
  let block: Buffer | undefined;
  for (const { marker, payload } of readJpegSegments(bytes)) {
    if (marker !== APP1 || payload.toString('latin1', 0, 5) !== 'Exif\0') continue;
    if (block === undefined || payload.length > block.length + 6) block = payload.subarray(6);
  }
  // A copy, so that the reader's offsets count from the start of its buffer.
  return block === undefined ? undefined : Buffer.from(block);
}

function thumbnailOf(tags: ExpandedTags): Buffer | null {
  const image = tags.Thumbnail?.image;
  if (image === undefined) return null;
  return image instanceof ArrayBuffer || image instanceof SharedArrayBuffer ? Buffer.from(image) : Buffer.from(image);
}
