import { ERRORS, HomewardError } from '../../schemas/error.ts';
import { defectReference, printable } from '../told-error.ts';

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
    return { text: `${error.code}: ${printable(error.message)}${stack}` };
  }
  return {
    text: `HW_INTERNAL: ${ERRORS.HW_INTERNAL.when} Reference ${defectReference(error)}. ${ERRORS.HW_INTERNAL.todo} (HOMEWARD_DEBUG=1 shows where.)${stack}`,
  };
}

function causeOf(error: Error): string {
  return error.cause instanceof Error ? `caused by ${error.cause.stack ?? error.cause.message}` : '';
}
