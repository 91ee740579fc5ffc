const EXTENSION = 0x21;
const IMAGE = 0x2c;
const TRAILER = 0x3b;

/** Offset just behind the trailer of a GIF (GIF89a specification, section 27), or null when it is not reached. Never throws. */
export function gifEnd(bytes: Buffer): number | null {
  if (bytes.length < 13) return null;
  let at = 13 + colourTableBytes(bytes[10] ?? 0);
  while (at < bytes.length) {
    switch (bytes[at]) {
      case TRAILER:
        return at + 1;
      case EXTENSION:
        at = subBlocksEnd(bytes, at + 2);
        break;
      case IMAGE:
        if (at + 10 > bytes.length) return null;
        at = subBlocksEnd(bytes, at + 10 + colourTableBytes(bytes[at + 9] ?? 0) + 1);
        break;
      default:
        return null;
    }
  }
  return null;
}

const colourTableBytes = (flags: number) => ((flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1));

function subBlocksEnd(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length) {
    const length = bytes[at] ?? 0;
    at += 1 + length;
    if (length === 0) return at;
  }
  return bytes.length;
}
