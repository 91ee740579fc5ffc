import { createHash } from 'node:crypto';
import { ERRORS, HomewardError } from '../../schemas/error.ts';

/** Control characters and escapes of a terminal; a message may quote a name from the seizure. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * What a person reads when a command fails: the code, what was expected and received, what to do. A defect of ours gets a reference
 * made of its place in the code; the stack is shown only on request, since it tells an outsider how we are built.
 */
export function describeFailure(
  error: unknown,
  environment: Readonly<Record<string, string | undefined>>,
): { readonly text: string } {
  const stack =
    environment['HOMEWARD_DEBUG'] === '1' && error instanceof Error ? `\n${error.stack ?? ''}\n${causeOf(error)}` : '';
  if (error instanceof HomewardError) {
    return { text: `${error.code}: ${error.message.replaceAll(UNPRINTABLE, '\u{fffd}')}${stack}` };
  }
  const place = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const reference = createHash('sha256').update(place).digest('hex').slice(0, 12);
  return {
    text: `HW_INTERNAL: ${ERRORS.HW_INTERNAL.when} Reference ${reference}. ${ERRORS.HW_INTERNAL.todo} (HOMEWARD_DEBUG=1 shows where.)${stack}`,
  };
}

function causeOf(error: Error): string {
  return error.cause instanceof Error ? `caused by ${error.cause.stack ?? error.cause.message}` : '';
}
