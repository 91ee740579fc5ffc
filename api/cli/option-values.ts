import { InvalidArgumentError } from 'commander';

/** Parser of an option that wants a whole number above zero. */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError(`expected a whole number above 0, received ${JSON.stringify(text)}.`);
  return value;
}

/** Parser of a distance between perceptual hashes; beyond 48 of 256 bits strangers begin to match. */
export function radiusBits(text: string): number {
  const value = Number(text);
  if (!/^\d{1,2}$/.test(text) || value > 48)
    throw new InvalidArgumentError(`expected a whole number of bits from 0 to 48, received ${JSON.stringify(text)}.`);
  return value;
}

/** Parser of a port; 0 lets the system choose one. */
export function portNumber(text: string): number {
  const value = Number(text);
  if (!/^\d{1,5}$/.test(text) || value > 65_535)
    throw new InvalidArgumentError(`expected a port from 0 to 65535, received ${JSON.stringify(text)}.`);
  return value;
}
