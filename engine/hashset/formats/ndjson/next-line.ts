import { type ByteWindow, truncated } from '../byte-window.ts';
import type { JsonCursor } from '../json-cursor.ts';

/**
 * Goes to the next line of an NDJSON file and says its first byte, or that bytes are needed, or that the file is done: only after its end
 * line, and nothing may follow that.
 */
export function nextLine(cursor: JsonCursor, window: ByteWindow, ended: boolean): number | 'more' | 'done' {
  const byte = cursor.skipSpace();
  window.start = cursor.position;
  if (!cursor.atEnd()) return ended ? cursor.failWith(cursor.position, 'something after the end line') : byte;
  if (!window.final) return 'more';
  if (ended) return 'done';
  throw truncated('NDJSON', window.offsetOf(cursor.position));
}
