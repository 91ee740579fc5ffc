import { Type } from 'typebox';
import { BoundedText, Closed, OneOf, type Static } from '../closed.ts';

export const Health = Closed({ status: Type.Literal('up'), version: BoundedText(40) });
export type Health = Static<typeof Health>;

/** Whether a request would be answered now, part by part. */
export const Readiness = Closed({
  status: OneOf(['ready', 'notReady']),
  parts: Type.Array(Closed({ part: BoundedText(40), ready: Type.Boolean(), reason: BoundedText(300) }), {
    maxItems: 10,
  }),
});
export type Readiness = Static<typeof Readiness>;
