import { Type } from 'typebox';
import { BoundedText, Closed, Count, type Static } from '../../../../schemas/closed.ts';

/** First line of an export of ours. */
export const HeadLine = Closed({
  homeward: Type.Literal('known-records'),
  formatVersion: BoundedText(40),
  categoryScheme: BoundedText(60),
});
export type HeadLine = Static<typeof HeadLine>;

/** First line of a file of changes. */
export const ChangesHeadLine = Closed({
  homeward: Type.Literal('known-changes'),
  formatVersion: BoundedText(40),
  categoryScheme: BoundedText(60),
});

/** Last line: without it, or with another number of records, the file is truncated. */
export const EndLine = Closed({
  homeward: Type.Literal('end'),
  records: Count(),
});
export type EndLine = Static<typeof EndLine>;

/** What version of the lines this is; a reader refuses any other. */
export const NDJSON_VERSION = '1';
