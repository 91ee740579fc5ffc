import type { CaptureMetadata } from '../../schemas/fingerprint.ts';
import type { DecodedPicture } from '../decode/decoded-picture.ts';
import { boundedText } from './bounded-text.ts';
import { captureTime } from './capture-time.ts';
import { type ExifTags, readExif } from './exif-tags.ts';
import { gpsPosition } from './gps-position.ts';
import { syntheticTraces } from './synthetic-traces.ts';
import { thumbnailMismatch } from './thumbnail-mismatch.ts';

/**
 * What a picture's metadata says about camera, time, place, editing and generation: bounded text and numbers, null where the file says nothing.
 * Trouble in the metadata never fails the picture. Null when there is nothing at all to say.
 * @param picture the decoded picture, to compare the embedded thumbnail with; null where it could not be decoded
 */
export async function readCapture(
  bytes: Buffer,
  mediaType: string,
  picture: DecodedPicture | null,
): Promise<CaptureMetadata | null> {
  // BMP has no metadata, and nothing may be found by searching its pixels.
  if (mediaType === 'image/bmp') return null;
  const content = readExif(bytes, mediaType);
  const exif = content?.exif;
  const capture: CaptureMetadata = {
    ...deviceFields(exif),
    capturedAt: exif === undefined ? null : captureTime(exif),
    gps: exif === undefined ? null : gpsPosition(exif),
    exifOrientation: orientation(exif),
    thumbnailMismatch: picture === null ? null : await mismatchOrNull(content?.thumbnail ?? null, picture),
    syntheticTraces: syntheticTraces(bytes, mediaType, exif),
  };
  const empty = Object.values(capture).every((value) => value === null || (Array.isArray(value) && value.length === 0));
  return empty ? null : capture;
}

function deviceFields(exif: ExifTags | undefined) {
  return {
    make: boundedText(exif?.['Make']?.value),
    model: boundedText(exif?.['Model']?.value),
    bodySerialNumber: boundedText(exif?.['BodySerialNumber']?.value),
    lensModel: boundedText(exif?.['LensModel']?.value),
    lensSerialNumber: boundedText(exif?.['LensSerialNumber']?.value),
    software: boundedText(exif?.['Software']?.value),
  };
}

function orientation(exif: ExifTags | undefined): number | null {
  const value: unknown = exif?.['Orientation']?.value;
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 8 ? value : null;
}

async function mismatchOrNull(thumbnail: Buffer | null, picture: DecodedPicture): Promise<boolean | null> {
  try {
    return await thumbnailMismatch(thumbnail, picture);
  } catch {
    return null;
  }
}
