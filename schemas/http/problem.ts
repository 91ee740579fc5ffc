import { Type } from 'typebox';
import { BoundedText, Closed, Nullable, type Static } from '../closed.ts';

/** Problem details (RFC 9457) of every answer that is no success. `detail` says what was expected, received, and what to do. */
export const Problem = Closed({
  /** `urn:homeward:error:` and the code; docs/errors.md explains each. */
  type: BoundedText(100),
  title: BoundedText(500),
  status: Type.Integer({ minimum: 400, maximum: 599 }),
  detail: BoundedText(2000),
  code: BoundedText(60),
  /** By which the operator finds it in the log; null where there is nothing to find. */
  reference: Nullable(BoundedText(40)),
});
export type Problem = Static<typeof Problem>;
