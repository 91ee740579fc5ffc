/**
 * First characters that make a spreadsheet take a cell for a formula (OWASP, "CSV Injection": = + - @, tab, carriage return, and the
 * full-width forms that some locales convert), and the line feed.
 */
const TRIGGERS = '=+-@\t\r\n＝＋－＠';
const APOSTROPHE = "'";

/**
 * Makes a text harmless in a spreadsheet: one that a formula could begin with gets an apostrophe in front, which spreadsheets take as
 * `this is text`. One that begins with an apostrophe gets one too, so that `withoutGuard` can tell them apart.
 */
export function withGuard(text: string): string {
  return text.startsWith(APOSTROPHE) || isTrigger(text.charAt(0)) ? APOSTROPHE + text : text;
}

/** Undoes `withGuard`; an apostrophe before anything else belongs to the text and stays. */
export function withoutGuard(text: string): string {
  if (!text.startsWith(APOSTROPHE)) return text;
  const second = text.charAt(1);
  return second === APOSTROPHE || isTrigger(second) ? text.slice(1) : text;
}

const isTrigger = (character: string): boolean => character !== '' && TRIGGERS.includes(character);
