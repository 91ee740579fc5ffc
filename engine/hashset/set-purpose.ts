import type { SetPurpose } from '../../schemas/constants.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { RecordBatch } from './formats/record-batch.ts';
import type { SetFormat, SetHead } from './formats/set-head.ts';

/** Formats in which only lists of published software are given out. */
const ONLY_GOOD: ReadonlySet<SetFormat> = new Set(['nsrl', 'nist-non-rds']);
/** Formats in which known material is given out, or that hold nothing but perceptual hashes, by which nothing is known to be good. */
const NEVER_GOOD: ReadonlySet<SetFormat> = new Set(['vics', 'pdq-list']);

/**
 * Known material that is loaded as known-good hides a child, and software that is loaded as known material costs days.
 * @throws HomewardError HW_SET_PURPOSE
 */
export function requirePurpose(head: SetHead, purpose: SetPurpose): void {
  if (purpose === 'good' && (NEVER_GOOD.has(head.format) || head.categoryScheme !== 'unspecified')) {
    throw new HomewardError(
      'HW_SET_PURPOSE',
      `expected NSRL, a digest list, CSV or NDJSON as known-good set, received ${nameOf(head)} (categories: ${head.categoryScheme}); import it as what it is, without --purpose known-good${
        head.format === 'vics'
          ? '. For the non-RDS sets of NIST, which come in this form, name --format nist-non-rds'
          : ''
      }`,
    );
  }
  if (purpose !== 'good' && ONLY_GOOD.has(head.format)) {
    throw new HomewardError(
      'HW_SET_PURPOSE',
      `expected a set of known material, received ${nameOf(head)}, which lists published software; import it with --purpose known-good`,
    );
  }
}

/** Bits of the flags of known material in RecordBatch.flags: victim identified, offender identified, distributed, suspected, each true. */
const KNOWN_MATERIAL_FLAGS = 0b10_0010_1010;

/**
 * A record of a series, or one with a flag of known material, shows in any format that a file is no known-good set.
 * @throws HomewardError HW_SET_PURPOSE; the whole file has to be refused then
 */
export function requireNoKnownMaterial(batch: RecordBatch): void {
  for (let row = 0; row < batch.rowCount; row += 1) {
    const inSeries = (batch.series.starts[row] ?? -1) >= 0;
    if (!inSeries && ((batch.flags[row] ?? 0) & KNOWN_MATERIAL_FLAGS) === 0) continue;
    throw new HomewardError(
      'HW_SET_PURPOSE',
      'expected a known-good set, received records that belong to a series or carry flags of known material; import it as what it is, without --purpose known-good',
    );
  }
}

/**
 * A version of a set replaces the one before it, and so has to be for the same.
 * @throws HomewardError HW_SET_PURPOSE
 */
export function requireSamePurpose(name: string, before: string, purpose: SetPurpose): void {
  if (before === purpose) return;
  throw new HomewardError(
    'HW_SET_PURPOSE',
    `expected the set ${JSON.stringify(name)} to stay what it is in force as (${before}), received a version of it as ${purpose}; import it under another --name, or remove the one in force first`,
  );
}

const NAMES: Partial<Record<SetFormat, string>> = {
  vics: 'a VICS-compatible set',
  'pdq-list': 'a list of perceptual hashes',
  nsrl: 'NSRL',
  'nist-non-rds': 'a non-RDS set of NIST',
};

const nameOf = (head: SetHead): string => NAMES[head.format] ?? head.format;
