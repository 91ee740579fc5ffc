/** Longest serial number that is kept; what is longer is no serial number. */
const LONGEST = 100;
/**
 * Fewer characters than this are shared by many devices: makers that number a series of lenses from 1 write 00000012, and software
 * that does not know the number writes 1.
 */
const SHORTEST = 4;

/** What cameras and editors write where they have no number, after normalising. */
const FILLERS: ReadonlySet<string> = new Set([
  'NONE',
  'NULL',
  'UNKNOWN',
  'UNDEFINED',
  'UNSPECIFIED',
  'UNAVAILABLE',
  'NOTAVAILABLE',
  'NOTAPPLICABLE',
  'NOTSET',
  'EMPTY',
  'DEFAULT',
  'SERIAL',
  'SERIALNO',
  'SERIALNUMBER',
  'NOSERIAL',
  'NOSERIALNUMBER',
  'INTERNALSERIALNUMBER',
  'BODYSERIALNUMBER',
  'LENSSERIALNUMBER',
  'TEST',
]);
/** Counting up from 1 or 0, which is how a placeholder looks. */
const COUNTING = '12345678901234567890';

/**
 * A serial number as two files of one device have it, whatever their software made of it: capital letters and digits, without
 * leading zeros; null where it identifies nothing (no text, a filler such as 0000, N/A or None, all characters the same, fewer than
 * four or more than a hundred characters). Normalising twice changes nothing.
 */
export function normaliseSerial(text: string | null | undefined): string | null {
  if (text === null || text === undefined) return null;
  const serial = text
    .normalize('NFKC')
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]/g, '')
    .replace(/^0+/, '');
  if (serial.length < SHORTEST || serial.length > LONGEST) return null;
  if (FILLERS.has(serial) || COUNTING.startsWith(serial)) return null;
  if (serial === serial.charAt(0).repeat(serial.length)) return null;
  return serial;
}
