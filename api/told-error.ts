import { createHash } from 'node:crypto';

/** Control characters and escapes of a terminal; a message may quote a name from the seizure or what a hostile caller sent. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** The message of an error as it may be shown, each character that a terminal would act on as U+FFFD. */
export function printable(message: string): string {
  return message.replaceAll(UNPRINTABLE, '\u{fffd}');
}

/** By where it happened: the same defect has the same reference, and nobody outside learns the place from it. */
export function defectReference(error: unknown): string {
  const place = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return createHash('sha256').update(place).digest('hex').slice(0, 12);
}
