import type { ByteWindow } from './byte-window.ts';

const NEW_LINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** One line of a window: content from `start` to `end` without its line end, trimmed of blanks; the next line begins at `next`. */
export interface TextLine {
  start: number;
  end: number;
  next: number;
  /** False for the last line of a set that has no line end. */
  terminated: boolean;
}

export const newTextLine = (): TextLine => ({ start: 0, end: 0, next: 0, terminated: true });

/** Puts the line at the window's start into `line`; false when the window holds no whole line. */
export function readLine(window: ByteWindow, line: TextLine): boolean {
  const { bytes } = window;
  const found = bytes.indexOf(NEW_LINE, window.start);
  const terminated = found >= 0 && found < window.end;
  if (!terminated && (!window.final || window.length === 0)) return false;
  let start = window.start;
  let end = terminated ? found : window.end;
  line.next = terminated ? found + 1 : end;
  line.terminated = terminated;
  while (start < end && isBlank(bytes[start])) start++;
  while (end > start && isBlank(bytes[end - 1])) end--;
  line.start = start;
  line.end = end;
  return true;
}

const isBlank = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x09 || byte === CARRIAGE_RETURN;
