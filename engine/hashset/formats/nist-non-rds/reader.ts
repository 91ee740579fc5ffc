import { HomewardError } from '../../../../schemas/error.ts';
import { type RecordBatch, textOf } from '../record-batch.ts';
import type { SetHead } from '../set-head.ts';
import { VicsParser } from '../vics/reader.ts';

/** The code under which NIST lists what may be passed over, as public importers read it. */
const PUBLISHED_CODE = '8';
/** The "true" bits of the five flags of a record. */
const TRUE_FLAGS = 0b10_1010_1010;

/**
 * The non-RDS sets of NIST come as VICS-compatible documents of media, version 1.x, without a country. Nothing in their head tells them
 * from known material, and so they are read only when they are named, and every record is looked at (`requirePublished`).
 * Undefined where the head says something else.
 */
export function describeNistNonRds(head: SetHead): SetHead | undefined {
  const { format, formatVersion, categoryScheme, documentKind } = head;
  const published =
    format === 'vics' &&
    formatVersion?.startsWith('1.') === true &&
    categoryScheme === 'unspecified' &&
    documentKind === 'media';
  return published ? { ...head, format: 'nist-non-rds' } : undefined;
}

export class NistNonRdsParser extends VicsParser {
  constructor() {
    super('media');
  }
}

/**
 * A single record of another category, of a series, with a flag or with a perceptual hash shows that the file is a set of known material.
 * @throws HomewardError HW_SET_PURPOSE; the whole file has to be refused then
 */
export function requirePublished(batch: RecordBatch): void {
  const photoDna = batch.notes.photoDnaIgnored > 0;
  for (let row = 0; row < batch.rowCount; row += 1) {
    const code = textOf(batch, batch.categoryCode, row);
    const inSeries = (batch.series.starts[row] ?? -1) >= 0;
    const flagged = ((batch.flags[row] ?? 0) & TRUE_FLAGS) !== 0;
    if (code === PUBLISHED_CODE && !inSeries && !flagged && batch.bitsCount === 0 && !photoDna) continue;
    throw new HomewardError(
      'HW_SET_PURPOSE',
      `expected a non-RDS set of NIST, in which every record has the category ${PUBLISHED_CODE} and neither series, flags nor perceptual hashes, received a record that is different; it may be known material: import it without --purpose known-good`,
    );
  }
}
