import { HomewardError } from '../../schemas/error.ts';

const LONGEST = 100;
const FORM = /^[\p{L}\p{N}][\p{L}\p{N}._/#-]*$/u;

/**
 * A reference of a subject, place or camera is a pseudonym: one word of letters, digits and . _ - / #. That of a subject needs a digit,
 * such as V1 or 2026-0412-S2: what has none, or has a blank, may be somebody's name, and no name is stored.
 * @throws HomewardError HW_SERIES_REFERENCE
 */
export function checkReference(what: 'subject' | 'place' | 'camera', reference: string): void {
  const fits = reference.length <= LONGEST && FORM.test(reference) && (what !== 'subject' || /\p{N}/u.test(reference));
  if (fits) return;
  // Not said back: it may be the name that must not be written anywhere.
  throw new HomewardError(
    'HW_SERIES_REFERENCE',
    `expected a reference for a ${what}: one word of at most ${LONGEST} letters, digits and . _ - / #${what === 'subject' ? ' with a digit in it, such as V1' : ', such as P1'}, received ${reference.length} characters of another form; names of people do not belong here`,
  );
}

/** A reference for a part that comes from another series: itself where it is free, else with the number of that series. */
export function freeReference(
  reference: string,
  taken: { readonly here: ReadonlySet<string>; readonly there: ReadonlySet<string> },
  fromSeriesId: number,
): string {
  if (!taken.here.has(reference)) return reference;
  for (let attempt = 1; ; attempt += 1) {
    const suffix = `/${fromSeriesId}${attempt === 1 ? '' : `.${attempt}`}`;
    const renamed = reference.slice(0, LONGEST - suffix.length) + suffix;
    // Renamed before it is moved: it must be free on either side.
    if (!taken.here.has(renamed) && !taken.there.has(renamed)) return renamed;
  }
}
