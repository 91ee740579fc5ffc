/**
 * Category schemes: what a source's code is called in its own scheme, and an owned, neutral kind that can be shown beside it.
 * Codes are kept as received and never compared across schemes: 0 is `Uncategorized` here and `Non-Pertinent` there.
 */

/**
 * Neutral kinds, in no legal order.
 * - unknown: not categorised, or a code that no table here holds
 * - notPertinent: recorded as having nothing to do with abuse
 * - comparison: kept to be compared with, such as a place or a face
 * - generated: computer generated or drawn
 * - indicative: exploitive without being abuse material, or the age is hard to tell
 * - abuse: abuse material, not graded further by the scheme or of its middle grade
 * - abuseGravest, abuseOther: the gravest and the other grade of a scheme that grades
 */
export const NEUTRAL_KINDS = [
  'unknown',
  'notPertinent',
  'comparison',
  'generated',
  'indicative',
  'abuse',
  'abuseGravest',
  'abuseOther',
] as const;
export type NeutralKind = (typeof NEUTRAL_KINDS)[number];

export interface CategoryEntry {
  /** As the scheme itself words it; null when no table here knows the code. */
  readonly label: string | null;
  readonly kind: NeutralKind;
}

export interface CategoryScheme {
  readonly id: string;
  readonly title: string;
  readonly codes: ReadonlyMap<string, CategoryEntry>;
}

const scheme = (
  id: string,
  title: string,
  codes: Readonly<Record<string, readonly [label: string, kind: NeutralKind]>>,
): CategoryScheme => ({
  id,
  title,
  codes: new Map(Object.entries(codes).map(([code, [label, kind]]) => [code, { label, kind }])),
});

const SCHEMES: readonly CategoryScheme[] = [
  // Names as in GLEAPP's presets for VICS 2.0 US and Autopsy's Project VIC tag set (which counts 0 as non-pertinent: another scheme).
  scheme('vic-us', 'Project VIC, United States (VICS 2.0)', {
    '0': ['Uncategorized', 'unknown'],
    '1': ['Child Abuse Material (CAM)', 'abuse'],
    '2': ['Child Exploitive (Non-CAM)/Age Difficult', 'indicative'],
    '3': ['CGI/Animation', 'generated'],
    '4': ['Comparison', 'comparison'],
    '5': ['Non-pertinent', 'notPertinent'],
  }),
  // Categories of the Sentencing Council as HMICFRS reports them. Numeric codes inside VICS UK documents were not found in public: unknown.
  scheme('caid-uk', 'United Kingdom, categories A to C', {
    A: ['Category A: penetrative sexual activity, or with an animal, or sadism', 'abuseGravest'],
    B: ['Category B: non-penetrative sexual activity', 'abuse'],
    C: ['Category C: other indecent images', 'abuseOther'],
  }),
  // The Baseline column of INTERPOL ICSE exports: illegal in practically every country, or not of that narrow kind.
  scheme('interpol-baseline', 'INTERPOL Baseline', {
    Y: ['Baseline', 'abuse'],
    N: ['Not baseline', 'unknown'],
  }),
];

const BY_ID: ReadonlyMap<string, CategoryScheme> = new Map(SCHEMES.map((entry) => [entry.id, entry]));
const UNKNOWN: CategoryEntry = { label: null, kind: 'unknown' };

/** The scheme of that id; undefined when only its codes are known, not what they mean. */
export function categoryScheme(id: string): CategoryScheme | undefined {
  return BY_ID.get(id);
}

/** Ids of the schemes that have a table here. */
export const knownSchemes = (): readonly string[] => [...BY_ID.keys()];

/** What a code is called in its own scheme. Letter case and blanks around the code do not matter; an unknown code has no label. */
export function categoryEntry(schemeId: string, code: string): CategoryEntry {
  return BY_ID.get(schemeId)?.codes.get(code.trim().toUpperCase()) ?? UNKNOWN;
}
