import { HomewardError } from '../../schemas/error.ts';

/** The same for one that is not there and for somebody else's. @throws HW_NOT_FOUND */
export function missingSubmission(): never {
  throw new HomewardError(
    'HW_NOT_FOUND',
    'expected the id of a submission, received one that is not there; GET /submissions lists yours',
  );
}
