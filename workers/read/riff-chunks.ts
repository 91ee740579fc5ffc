/** A chunk of a RIFF file, such as WebP (RFC 9649). */
export interface RiffChunk {
  readonly type: string;
  readonly data: Buffer;
}

const MAX_CHUNKS = 100_000;

/** The chunks of a WebP file in order, as far as they are whole. Never throws. */
export function* riffChunks(bytes: Buffer): Generator<RiffChunk> {
  const limit = riffEnd(bytes) ?? bytes.length;
  let at = 12;
  for (let i = 0; i < MAX_CHUNKS && at + 8 <= limit; i++) {
    const length = bytes.readUInt32LE(at + 4);
    const end = at + 8 + length;
    if (end > limit) return;
    yield { type: bytes.toString('latin1', at, at + 4), data: bytes.subarray(at + 8, end) };
    // Chunks are padded to even length.
    at = end + (length & 1);
  }
}

/** Offset just behind the RIFF container, or null when the file is shorter than it claims. */
export function riffEnd(bytes: Buffer): number | null {
  if (bytes.length < 12) return null;
  const size = bytes.readUInt32LE(4);
  const end = 8 + size + (size & 1);
  // The last padding byte is often left out.
  if (end === bytes.length + 1 && (size & 1) === 1) return bytes.length;
  return end <= bytes.length ? end : null;
}
