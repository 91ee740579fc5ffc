import { HomewardError } from '../../schemas/error.ts';

const MOST_SHOWN = 5;

/** Says which of the things that a person named are not there. */
export function notFound(expected: string, missing: readonly string[], todo: string): HomewardError {
  const shown = missing
    .slice(0, MOST_SHOWN)
    .map((one) => JSON.stringify(one))
    .join(', ');
  const more = missing.length > MOST_SHOWN ? ` and ${missing.length - MOST_SHOWN} more` : '';
  return new HomewardError(
    'HW_SERIES_PART_NOT_FOUND',
    `expected ${expected}, received ${shown}${more}, which ${missing.length === 1 ? 'is' : 'are'} not there; ${todo}`,
  );
}
