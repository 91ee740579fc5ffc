import type { CaptureMetadata } from '../../schemas/fingerprint.ts';
import type { ExifTags } from './exif-tags.ts';

/** Where the picture was taken, or null: without both hemispheres the signs would be a guess, and a guess puts a person on another continent. */
export function gpsPosition(exif: ExifTags): CaptureMetadata['gps'] {
  const latitude = degrees(exif['GPSLatitude']?.value, hemisphere(exif['GPSLatitudeRef']?.value, 'N', 'S'), 90);
  const longitude = degrees(exif['GPSLongitude']?.value, hemisphere(exif['GPSLongitudeRef']?.value, 'E', 'W'), 180);
  if (latitude === null || longitude === null) return null;
  return { latitudeDegrees: latitude, longitudeDegrees: longitude, altitudeMetres: altitude(exif) };
}

function hemisphere(reference: unknown, positive: string, negative: string): 1 | -1 | null {
  const letter = (Array.isArray(reference) ? reference[0] : reference)?.toString().trim().toUpperCase();
  return letter === positive ? 1 : letter === negative ? -1 : null;
}

/** Degrees, minutes and seconds as three rationals; null when one of them cannot be. */
export function degrees(value: unknown, sign: 1 | -1 | null, largest: number): number | null {
  if (sign === null || !Array.isArray(value) || value.length !== 3) return null;
  const [whole, minutes, seconds] = value.map(rational);
  if (whole === undefined || whole === null || minutes === undefined || minutes === null) return null;
  // Writers that put everything into the minutes leave the seconds as 0/0.
  const sum = whole + minutes / 60 + (seconds ?? 0) / 3600;
  if (!Number.isFinite(sum) || minutes >= 60 || (seconds ?? 0) >= 60 || sum > largest) return null;
  return sign * Number(sum.toFixed(7));
}

function altitude(exif: ExifTags): number | null {
  const metres = rational(exif['GPSAltitude']?.value);
  if (metres === null || metres > 100_000) return null;
  const reference: unknown = exif['GPSAltitudeRef']?.value;
  const below = (Array.isArray(reference) ? reference[0] : reference) === 1;
  return Number((below ? -metres : metres).toFixed(2));
}

function rational(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value : null;
  if (!Array.isArray(value) || value.length !== 2) return null;
  const [numerator, denominator] = value;
  if (typeof numerator !== 'number' || typeof denominator !== 'number' || denominator === 0) return null;
  const quotient = numerator / denominator;
  return Number.isFinite(quotient) && quotient >= 0 ? quotient : null;
}
