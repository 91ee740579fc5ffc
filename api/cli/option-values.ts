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

/** Parser of a day of the calendar, such as 2027-01-31. */
export function calendarDay(text: string): string {
  const day = new Date(`${text}T00:00:00.000Z`);
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || Number.isNaN(day.getTime()) || !day.toISOString().startsWith(text))
    throw new InvalidArgumentError(`expected a day such as 2027-01-31, received ${JSON.stringify(text)}.`);
  return text;
}

/** Parser of a justification: some words, and no more than the audit trail holds. */
export function sayingWhy(text: string): string {
  const said = text.trim();
  if (said === '' || said.length > 2000)
    throw new InvalidArgumentError(`expected 1 to 2,000 characters that say why, received ${said.length}.`);
  return said;
}
