/** A JPEG marker segment before the coded data (ITU-T T.81, Annex B). */
export interface JpegSegment {
  /** Second byte of the marker, such as 0xe1 for APP1. */
  readonly marker: number;
  /** The payload, without marker and length. */
  readonly payload: Buffer;
}

const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
/** Markers without a length: TEM, RST0 to RST7, SOI, EOI. */
const isBare = (marker: number) => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd9);
/** No camera writes this many; a file with more is read no further. */
const MAX_SEGMENTS = 4096;

/** The segments up to the first scan, as far as they are whole. Never throws. */
export function readJpegSegments(bytes: Buffer): JpegSegment[] {
  const segments: JpegSegment[] = [];
  let at = 2;
  while (segments.length < MAX_SEGMENTS) {
    const next = segmentAt(bytes, at);
    if (next === undefined || next.marker === SOS || next.marker === EOI) break;
    segments.push({ marker: next.marker, payload: bytes.subarray(next.dataAt, next.end) });
    at = next.end;
  }
  return segments;
}

/** Offset just behind the end-of-image marker of the first picture in the file, or null when it has none. */
export function jpegEnd(bytes: Buffer): number | null {
  if (bytes.length < 4 || bytes[0] !== 0xff || bytes[1] !== SOI) return null;
  let at = 2;
  for (;;) {
    const next = segmentAt(bytes, at);
    if (next === undefined) return null;
    if (next.marker === EOI) return next.end;
    at = next.marker === SOS ? scanEnd(bytes, next.end) : next.end;
  }
}

/** Entropy-coded data ends at the first 0xFF that is followed by neither a stuffed zero nor a restart marker. */
function scanEnd(bytes: Buffer, from: number): number {
  let at = from;
  for (;;) {
    at = bytes.indexOf(0xff, at);
    if (at < 0 || at + 1 >= bytes.length) return bytes.length;
    const marker = bytes[at + 1] ?? 0;
    if (marker === 0 || (marker >= 0xd0 && marker <= 0xd7)) at += 2;
    else if (marker === 0xff) at += 1;
    else return at;
  }
}

function segmentAt(bytes: Buffer, from: number): { marker: number; dataAt: number; end: number } | undefined {
  let at = from;
  // Decoders skip stray bytes before a marker; what follows here must find the same segments.
  while (at + 1 < bytes.length && (bytes[at] !== 0xff || bytes[at + 1] === 0 || bytes[at + 1] === 0xff)) {
    const next = bytes.indexOf(0xff, bytes[at] === 0xff ? at + 1 : at);
    if (next < 0) return undefined;
    at = next;
  }
  const marker = bytes[at + 1];
  if (marker === undefined) return undefined;
  if (isBare(marker)) return { marker, dataAt: at + 2, end: at + 2 };
  if (at + 4 > bytes.length) return undefined;
  const end = at + 2 + bytes.readUInt16BE(at + 2);
  return end > bytes.length || end < at + 4 ? undefined : { marker, dataAt: at + 4, end };
}
