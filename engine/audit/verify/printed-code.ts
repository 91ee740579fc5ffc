/**
 * A checkpoint as a code that a person writes down, reads out and types in: 120 bits of its digest in Crockford's base32 (no I, L, O
 * and U) and a check character, such as `7QK4-0Z9M-...-X`. To find another checkpoint with the code of a given one takes 2^120 tries.
 */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CHARACTERS = 24;
const GROUP = 4;

/** From a digest in hexadecimal. */
export function printedCode(digest: string): string {
  let bits = BigInt(`0x${digest}`) >> BigInt(4 * digest.length - 5 * CHARACTERS);
  const values: number[] = [];
  for (let left = CHARACTERS; left > 0; left -= 1, bits >>= 5n) values.unshift(Number(bits & 31n));
  const characters = [...values, timesX(remainder(values))].map((value) => ALPHABET[value] ?? '').join('');
  return characters.replaceAll(new RegExp(`.{${GROUP}}(?=.)`, 'g'), '$&-');
}

/** A code as it was typed: any case, with or without hyphens, O for 0 and I or L for 1. Null where it is none, or was mistyped. */
export function readCode(typed: string): string | null {
  const characters = typed.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1');
  const values = [...characters].map((character) => ALPHABET.indexOf(character));
  if (values.length !== CHARACTERS + 1 || values.includes(-1) || remainder(values) !== 0) return null;
  return characters.replaceAll(new RegExp(`.{${GROUP}}(?=.)`, 'g'), '$&-');
}

/**
 * Of the characters as a polynomial over GF(32), at a primitive element: 0 for a whole code. The weights of up to 31 places all
 * differ, so any one wrong character and any two that changed places are seen.
 */
function remainder(values: readonly number[]): number {
  return values.reduce((sum, value) => timesX(sum) ^ value, 0);
}

/** Times x in GF(2)[x] / (x^5 + x^2 + 1). */
function timesX(value: number): number {
  const shifted = value << 1;
  return shifted > 31 ? shifted ^ 0b100101 : shifted;
}
