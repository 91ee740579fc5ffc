import type { Orientation, Picture } from '../../schemas/fingerprint.ts';
import { ORIENTATIONS } from '../../schemas/fingerprint.ts';

/** Differing bits of two hashes in hexadecimal of the same length. */
export function distanceBits(a: string, b: string): number {
  const [left, right] = [Buffer.from(a, 'hex'), Buffer.from(b, 'hex')];
  if (left.length !== right.length)
    throw new RangeError(`expected hashes of one length, received ${left.length} and ${right.length} bytes`);
  let bits = 0;
  for (const [at, byte] of left.entries()) {
    for (let different = byte ^ (right[at] ?? 0); different !== 0; different &= different - 1) bits += 1;
  }
  return bits;
}

/** The orientation of the picture in which it is nearest to the other as that one lies, over both flavours of PDQ. */
export function nearest(
  picture: Picture,
  other: Picture,
): { readonly bits: number; readonly orientation: Orientation } {
  let best: { bits: number; orientation: Orientation } = { bits: 257, orientation: 'original' };
  for (const own of picture.pdq) {
    const theirs = other.pdq.find(({ flavour }) => flavour === own.flavour);
    if (theirs === undefined) continue;
    for (const [index, orientation] of ORIENTATIONS.entries()) {
      const hex = own.dihedral[index];
      const bits = hex === undefined ? 257 : distanceBits(hex, theirs.hex);
      if (bits < best.bits) best = { bits, orientation };
    }
  }
  return best;
}
