import { HomewardError } from '../../../schemas/error.ts';
import { describeCsv, readCsvHeader } from './csv/reader.ts';
import { startsAsChanges } from './ndjson/changes.ts';
import { describeNdjson, startsAsNdjson } from './ndjson/reader.ts';
import { describeNistNonRds } from './nist-non-rds/reader.ts';
import { describeNsrlText, isNsrlHeader, startsAsNsrlDelta } from './nsrl/text.ts';
import type { SetFormat, SetHead } from './set-head.ts';
import { describeVics, startsAsVics } from './vics/envelope.ts';

/**
 * The format of a hash set whose first bytes (8 KB or all) are `head`; undefined when it is not recognised, or when a short list of
 * 64-digit values may be SHA-256 as well as PDQ and its name tells neither.
 */
export function detectFormat(head: Uint8Array, name = ''): SetFormat | undefined {
  return recogniseSet(withoutMark(head), name, 'auto')?.format;
}

/**
 * What the head of a hash set says, its byte-order mark left out; undefined when it is not of the wanted format, or of none for `auto`.
 * Digest and PDQ lists are taken as either when they are named; a file that is plainly of another format is never read as a list.
 */
export function recogniseSet(head: Uint8Array, name: string, wanted: 'auto' | SetFormat): SetHead | undefined {
  const found = recognise(head, name);
  // Named or not at all: what NIST gives out in this form cannot be told from known material by its head.
  if (wanted === 'nist-non-rds') return found === undefined ? undefined : describeNistNonRds(found);
  if (wanted === 'auto' || found?.format === wanted) return found;
  const isList = wanted === 'digest-list' || wanted === 'pdq-list';
  const foundList = found === undefined || found.format === 'digest-list' || found.format === 'pdq-list';
  return isList && foundList && firstLine(head) !== undefined && isText(head) && !startsAsJson(head)
    ? listOf(wanted)
    : undefined;
}

export function formatNotRecognised(head: Uint8Array, wanted: 'auto' | SetFormat): HomewardError {
  const expected =
    wanted === 'auto'
      ? 'a VICS-compatible document, a CSV file with a header row, a list of digests or PDQ hashes, or an NDJSON export'
      : `a hash set of the format ${wanted}`;
  return new HomewardError('HW_SET_FORMAT', `expected ${expected}, received ${whatItIs(head)}`);
}

function whatItIs(head: Uint8Array): string {
  if (firstLine(head) === undefined) return 'an empty file; check that it was copied whole';
  if (head[0] === 0x1f && head[1] === 0x8b) return 'a gzip archive; unpack it first';
  if (head[0] === 0x50 && head[1] === 0x4b) return 'a zip archive; unpack it first';
  if (startsAsChanges(Buffer.from(head.subarray(0, 1024)).toString('utf8')))
    return 'changes to a set; bring them in with homeward hashset update';
  if (startsAsJson(head))
    return 'JSON that names neither ProjectVic nor this engine in its head; ask its source what it is';
  if (startsAsNsrlDelta(head))
    return 'SQL statements, such as a delta of NSRL, which changes a set that is there already; apply it with homeward hashset update';
  if (isSqlite(head)) return 'an SQLite database that is no NSRL RDS version 3; unpack or convert it first';
  if (startsAsXml(head)) return 'XML, which is not read here; ask its source for a VICS or CSV export';
  if (sixtyFourDigitLines(head).length > 0) {
    return 'a short list of 64-digit values, which may be SHA-256 or PDQ; name it with --format digest-list or --format pdq-list';
  }
  return 'something else; name the format with --format if it is one of them';
}

function recognise(head: Uint8Array, name: string): SetHead | undefined {
  if (startsAsJson(head)) {
    const text = Buffer.from(head.subarray(0, 65536)).toString('utf8');
    if (startsAsNdjson(text)) return describeNdjson(text);
    return startsAsVics(text) ? describeVics(text) : undefined;
  }
  const line = firstLine(head);
  if (line === undefined || !isText(head)) return undefined;
  if (
    /^\\?[0-9a-f]{32}(?:[0-9a-f]{8})?(?![0-9a-z])/i.test(line) ||
    /^(?:MD5|SHA1|SHA256) ?\(.*\) ?= ?[0-9a-f]{32,64}$/i.test(line)
  ) {
    return listOf('digest-list');
  }
  if (/^\\?[0-9a-f]{64}(?![0-9a-z])/i.test(line)) return sixtyFourDigits(head, name);
  const header = readCsvHeader(head);
  if (header === undefined) return undefined;
  return isNsrlHeader(line) ? describeNsrlText() : describeCsv(header);
}

const listOf = (format: 'digest-list' | 'pdq-list'): SetHead => ({
  format,
  formatVersion: null,
  categoryScheme: 'unspecified',
  documentKind: null,
});

/**
 * Tells a list of PDQ from one of SHA-256, both 64 digits. A name or a quality says it; otherwise the bits do: PDQ compares 256
 * coefficients with their median, so that exactly 128 bits are set unless coefficients are equal, while of SHA-256 one value in twenty has
 * 128 (binomial, 0.0498). On the public regression hashes (pdq-haystack, pdq-needles), perturbed on purpose, 80 % and 57 % still have.
 */
function sixtyFourDigits(head: Uint8Array, name: string): SetHead | undefined {
  const lines = sixtyFourDigitLines(head);
  if (/pdq/i.test(name)) return listOf('pdq-list');
  if (/sha/i.test(name)) return listOf('digest-list');
  if (lines.every((line) => /^[0-9a-f]{64}[,; ]\s*(?:100|\d{1,2})(?:[,; ]|$)/i.test(line))) return listOf('pdq-list');
  if (lines.some((line) => /^\\|^.{64} [ *]/.test(line))) return listOf('digest-list');
  let evidence = 0;
  for (const line of lines) evidence += setBits(line) === 128 ? EVIDENCE_OF_128 : EVIDENCE_OF_OTHER;
  if (evidence >= CERTAIN) return listOf('pdq-list');
  return evidence <= -CERTAIN ? listOf('digest-list') : undefined;
}

/** Natural logarithms of how much likelier a value with 128 bits set, or with another number, is in a list of PDQ than of SHA-256. */
const EVIDENCE_OF_128 = Math.log(0.6 / 0.0498);
const EVIDENCE_OF_OTHER = Math.log(0.4 / 0.9502);
/** Odds of about 55 to 1: two PDQ, or five SHA-256 values of the usual kind. */
const CERTAIN = 4;

function sixtyFourDigitLines(head: Uint8Array): string[] {
  const text = Buffer.from(head.subarray(0, 65536)).toString('latin1');
  return text.split(/\r?\n/).filter((line) => /^\\?[0-9a-f]{64}(?![0-9a-z])/i.test(line));
}

function setBits(line: string): number {
  let count = 0;
  for (const digit of line.slice(0, 64)) {
    for (let value = Number.parseInt(digit, 16); value > 0; value >>= 1) count += value & 1;
  }
  return count;
}

/** The first line that is neither blank nor a comment. */
function firstLine(head: Uint8Array): string | undefined {
  const text = Buffer.from(head.subarray(0, 65536)).toString('latin1');
  return text
    .split('\n')
    .map((line) => line.trim())
    .find((line) => line !== '' && !line.startsWith('#'));
}

const startsAsJson = (head: Uint8Array): boolean =>
  /^\s*[{[]/.test(Buffer.from(head.subarray(0, 1024)).toString('latin1'));
/** Files of other tools (EnCase, SQLite) begin with words too, but hold zeros. */
const isText = (head: Uint8Array): boolean => !head.includes(0);

const isSqlite = (head: Uint8Array): boolean =>
  Buffer.from(head.subarray(0, 15)).toString('latin1') === 'SQLite format 3';

const startsAsXml = (head: Uint8Array): boolean => /^\s*</.test(Buffer.from(head.subarray(0, 1024)).toString('latin1'));

const withoutMark = (head: Uint8Array): Uint8Array =>
  head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? head.subarray(3) : head;
