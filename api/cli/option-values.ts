import { InvalidArgumentError } from 'commander';

/** Parser of an option that wants a whole number above zero. */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError(`expected a whole number above 0, received ${JSON.stringify(text)}.`);
  return value;
}
