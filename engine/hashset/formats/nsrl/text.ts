import type { SetHead } from '../set-head.ts';

const COLUMNS = ['sha1', 'md5', 'crc32', 'filename', 'filesize', 'productcode'];

/** Whether a header row is that of NSRLFile.txt (RDS version 2), read as CSV; names of files are latin-1 there and passed over. */
export function isNsrlHeader(line: string): boolean {
  const names = line.split(/[,;\t]/).map((name) => name.toLowerCase().replaceAll(/[^a-z0-9]/g, ''));
  return COLUMNS.every((column) => names.includes(column));
}

export const describeNsrlText = (): SetHead => describe('2');
export const describeNsrlDatabase = (): SetHead => describe('3');

const describe = (formatVersion: string): SetHead => ({
  format: 'nsrl',
  formatVersion,
  categoryScheme: 'unspecified',
  documentKind: null,
});

/** Whether a file begins with a statement as a delta of RDS version 3 does, behind comments. */
export function startsAsNsrlDelta(head: Uint8Array): boolean {
  const text = Buffer.from(head.subarray(0, 8192)).toString('latin1');
  const statement = text.replace(/^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*/, '');
  return /^(?:begin|insert|update|delete|pragma)\b/i.test(statement);
}
