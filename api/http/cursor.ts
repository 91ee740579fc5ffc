import { type Static, type TSchema, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { HomewardError } from '../../schemas/error.ts';

/** Of a list's query: how many at once, and after which. */
export const pageQuery = (mostAtOnce: number) =>
  Type.Object(
    {
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: mostAtOnce, default: Math.min(50, mostAtOnce) })),
      after: Type.Optional(Type.String({ maxLength: 300 })),
    },
    { additionalProperties: false },
  );

/** Where a page ended, as text that callers hand back and need not understand. What it names is asked for anew, so it opens no door. */
export function cursorOf<S extends TSchema>(schema: S) {
  const check = Compile(schema);
  return {
    /** Of rows asked for with one more than the limit: those to tell, and where the next page begins; null at the end. */
    cut: <Row>(found: readonly Row[], limit: number, placeOf: (row: Row) => Static<S>) => {
      const page = found.slice(0, limit);
      const last = page.at(-1);
      const more = found.length > limit && last !== undefined;
      return { page, next: more ? Buffer.from(JSON.stringify(placeOf(last))).toString('base64url') : null };
    },
    /** @throws HW_REQUEST_INVALID for what no page of this list gave out */
    read: (after: string | undefined): Static<S> | null => {
      if (after === undefined) return null;
      const place = parsed(Buffer.from(after, 'base64url').toString('utf8'));
      if (check.Check(place)) return place;
      throw new HomewardError(
        'HW_REQUEST_INVALID',
        'expected in after what the page before gave as next, received something else; begin again without it',
      );
    },
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
