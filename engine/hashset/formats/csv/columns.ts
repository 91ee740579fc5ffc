import { FLAG_NAMES } from '../record-batch.ts';

/** What a column of a CSV file gives. `flag` and `bits` carry which one. */
export type ColumnRole =
  | { readonly role: 'md5' | 'sha1' | 'sha256' | 'digest' | 'size' | 'quality' | 'photoDna' }
  | { readonly role: 'text'; readonly field: 'sourceKey' | 'categoryCode' | 'series' | 'tags' }
  | { readonly role: 'flag'; readonly index: number }
  /** `algorithm` is an index into BITS_ALGORITHMS. */
  | { readonly role: 'bits'; readonly algorithm: number };

const text = (field: 'sourceKey' | 'categoryCode' | 'series' | 'tags'): ColumnRole => ({ role: 'text', field });
const flag = (name: (typeof FLAG_NAMES)[number]): ColumnRole => ({ role: 'flag', index: FLAG_NAMES.indexOf(name) });
const bits = (algorithm: number): ColumnRole => ({ role: 'bits', algorithm });

/** Roles by column name in lower case without anything but letters and digits. Order of columns is free, other columns are passed over. */
const ROLES: ReadonlyMap<string, ColumnRole> = new Map<string, ColumnRole>([
  ['md5', { role: 'md5' }],
  ['md5hash', { role: 'md5' }],
  ['md5hex', { role: 'md5' }],
  ['sha1', { role: 'sha1' }],
  ['sha1hash', { role: 'sha1' }],
  ['sha256', { role: 'sha256' }],
  ['sha256hash', { role: 'sha256' }],
  ['hash', { role: 'digest' }],
  ['digest', { role: 'digest' }],
  ['hashvalue', { role: 'digest' }],
  ['pdq', bits(0)],
  ['pdqhash', bits(0)],
  ['pdq512', bits(1)],
  ['pdqfull', bits(2)],
  ['blockhash256r512', bits(3)],
  ['quality', { role: 'quality' }],
  ['pdqquality', { role: 'quality' }],
  ['photodna', { role: 'photoDna' }],
  ['mediaid', text('sourceKey')],
  ['imageid', text('sourceKey')],
  ['sourcekey', text('sourceKey')],
  ['size', { role: 'size' }],
  ['sizebytes', { role: 'size' }],
  ['filesize', { role: 'size' }],
  ['mediasize', { role: 'size' }],
  ['category', text('categoryCode')],
  ['categorycode', text('categoryCode')],
  ['baseline', text('categoryCode')],
  ['series', text('series')],
  ['seriesname', text('series')],
  ['tags', text('tags')],
  ['tag', text('tags')],
  ['victimidentified', flag('victimIdentified')],
  ['offenderidentified', flag('offenderIdentified')],
  ['isdistributed', flag('distributed')],
  ['distributed', flag('distributed')],
  ['isprecategorized', flag('precategorised')],
  ['precategorized', flag('precategorised')],
  ['precategorised', flag('precategorised')],
  ['issuspected', flag('suspected')],
  ['suspected', flag('suspected')],
]);

/** A category column may name its scheme, as our own export writes it: `Category (vic-us)`. */
const CATEGORY_WITH_SCHEME = /^\s*category\s*\(([a-z0-9][a-z0-9-]{0,59})\)\s*$/i;

export interface CsvLayout {
  /** Role of each column, undefined for those passed over. */
  readonly columns: readonly (ColumnRole | undefined)[];
  readonly categoryScheme: string;
}

/**
 * The layout that a header row gives; undefined when no column holds digests, perceptual hashes or PhotoDNA.
 * A column named `hash` beside one named `quality` holds PDQ, otherwise digests told by their length. `Baseline` (the INTERPOL
 * ICSE export) is the category column unless there is another one.
 */
export function layoutOf(header: readonly string[]): CsvLayout | undefined {
  const names = header.map((name) =>
    CATEGORY_WITH_SCHEME.test(name) ? 'category' : name.toLowerCase().replaceAll(/[^a-z0-9]/g, ''),
  );
  const hasCategory = names.includes('category') || names.includes('categorycode');
  const hashIsPdq = names.includes('quality') && !names.some((name) => name.startsWith('pdq'));
  const taken = new Set<string>();
  const columns = names.map((name) => {
    if (name === 'baseline' && hasCategory) return undefined;
    const role = hashIsPdq && name === 'hash' ? bits(0) : ROLES.get(name);
    const key = JSON.stringify(role);
    // The first of two columns for one thing counts.
    if (role === undefined || taken.has(key)) return undefined;
    taken.add(key);
    return role;
  });
  const holdsHashes = columns.some(
    (column) => column !== undefined && ['md5', 'sha1', 'sha256', 'digest', 'bits', 'photoDna'].includes(column.role),
  );
  if (!holdsHashes) return undefined;
  return { columns, categoryScheme: schemeOf(header, names, hasCategory) };
}

function schemeOf(header: readonly string[], names: readonly string[], hasCategory: boolean): string {
  const named = header.map((name) => CATEGORY_WITH_SCHEME.exec(name)?.[1]).find((scheme) => scheme !== undefined);
  if (named !== undefined) return named.toLowerCase();
  return !hasCategory && names.includes('baseline') ? 'interpol-baseline' : 'unspecified';
}
