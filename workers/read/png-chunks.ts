/** A PNG chunk (ISO/IEC 15948, section 5.3); the checksum is not verified here. */
export interface PngChunk {
  readonly type: string;
  readonly data: Buffer;
  /** Offset just behind its checksum. */
  readonly end: number;
}

/** A picture with more chunks than this is read no further. */
const MAX_CHUNKS = 1_000_000;

/** The chunks in order, up to and with IEND, as far as they are whole. Never throws. */
export function* pngChunks(bytes: Buffer): Generator<PngChunk> {
  let at = 8;
  for (let i = 0; i < MAX_CHUNKS && at + 12 <= bytes.length; i++) {
    const length = bytes.readUInt32BE(at);
    const end = at + 12 + length;
    if (end > bytes.length) return;
    const type = bytes.toString('latin1', at + 4, at + 8);
    yield { type, data: bytes.subarray(at + 8, at + 8 + length), end };
    if (type === 'IEND') return;
    at = end;
  }
}

/** Offset just behind IEND, or null when it is not reached. */
export function pngEnd(bytes: Buffer): number | null {
  for (const chunk of pngChunks(bytes)) if (chunk.type === 'IEND') return chunk.end;
  return null;
}

/** Frames of an animated PNG as its `acTL` says; 1 for a still one. */
export function pngFrames(bytes: Buffer): number {
  for (const chunk of pngChunks(bytes)) {
    if (chunk.type === 'IDAT') break;
    if (chunk.type === 'acTL' && chunk.data.length >= 8) return Math.max(1, chunk.data.readUInt32BE(0));
  }
  return 1;
}
