import { InvalidArgumentError } from 'commander';
import type { FaceName } from '../../../schemas/series.ts';

const SHA256 = /^[0-9a-f]{64}$/i;
const FACE = /^([0-9a-f]{64})#([0-9]{1,2})$/i;
/** Faces of one picture are numbered up to here. */
const LAST_FACE = 63;

/** Collects the values of an option that takes several SHA-256. */
export function sha256List(text: string, before: readonly string[] = []): string[] {
  return [...before, sha256(text)];
}

export function sha256(text: string): string {
  if (!SHA256.test(text))
    throw new InvalidArgumentError(`expected a SHA-256 of 64 hexadecimal digits, received ${JSON.stringify(text)}.`);
  return text.toLowerCase();
}

/** Collects faces, each as SHA256#NUMBER. */
export function faceList(text: string, before: readonly FaceName[] = []): FaceName[] {
  const [, hex, number] = FACE.exec(text) ?? [];
  const ordinal = Number(number);
  if (hex === undefined || !(ordinal <= LAST_FACE)) {
    throw new InvalidArgumentError(
      `expected a face as SHA256#NUMBER, with its number in the picture from 0 to ${LAST_FACE}, received ${JSON.stringify(text)}.`,
    );
  }
  return [...before, { sha256: hex.toLowerCase(), ordinal }];
}

/** Collects pairs of subjects that are one person, each as FROM=INTO. */
export function samePersonList(
  text: string,
  before: readonly { readonly from: string; readonly into: string }[] = [],
): { readonly from: string; readonly into: string }[] {
  const [from, into, more] = text.split('=');
  if (from === undefined || into === undefined || more !== undefined || from === '' || into === '') {
    throw new InvalidArgumentError(`expected two subjects as FROM=INTO, received ${JSON.stringify(text)}.`);
  }
  return [...before, { from, into }];
}
