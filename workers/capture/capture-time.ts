import { boundedText } from './bounded-text.ts';
import type { ExifTags } from './exif-tags.ts';

/** `YYYY:MM:DD HH:MM:SS`, the form of EXIF 2.32 (CIPA DC-008) section 4.6.4; some writers use other separators. */
const EXIF_TIME = /^(\d{4})[:\-/.](\d{2})[:\-/.](\d{2})[ T](\d{2}):(\d{2}):(\d{2})/;
const EXIF_OFFSET = /^(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)$/;

/**
 * When the picture was taken, as ISO 8601: local time as the camera wrote it, with the offset if the file has one, never converted.
 * From the original time, else the time of digitising; the modification time says nothing about the taking.
 */
export function captureTime(exif: ExifTags): string | null {
  return (
    isoTime(exif['DateTimeOriginal']?.value, exif['SubSecTimeOriginal']?.value, exif['OffsetTimeOriginal']?.value) ??
    isoTime(exif['DateTimeDigitized']?.value, exif['SubSecTimeDigitized']?.value, exif['OffsetTimeDigitized']?.value)
  );
}

/** Null for what is no date: zeros, blanks, the 45th of a month. */
export function isoTime(time: unknown, subSeconds: unknown, offset: unknown): string | null {
  const match = EXIF_TIME.exec(boundedText(time) ?? '');
  if (match === null) return null;
  const [, year, month, day, hour, minute, second] = match;
  const local = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  // Date accepts the 31st of April and moves it to May, so the text has to come back as it went in. A leap second is let be.
  const parsed = new Date(`${local.replace(/:60$/, ':59')}Z`);
  if (Number.isNaN(parsed.getTime()) || parsed.toISOString().slice(0, 17) !== local.slice(0, 17)) return null;
  const fraction = /^\d{1,9}$/.exec(boundedText(subSeconds) ?? '')?.[0];
  const zone = EXIF_OFFSET.exec(boundedText(offset) ?? '')?.[0] ?? '';
  return `${local}${fraction === undefined ? '' : `.${fraction}`}${zone}`;
}
