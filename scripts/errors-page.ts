/** `npm run docs:errors`: writes docs/errors.md out of the registry in schemas/error.ts. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { ERRORS, EXIT } from '../schemas/error.ts';

/** What each exit code tells a script that calls us. */
const EXIT_MEANINGS: Record<keyof typeof EXIT, string> = {
  done: 'Done. Rejected, partial and not examined files are a normal outcome; the report names each.',
  internal: 'A fault inside, in the engine or in the database under it.',
  usage: 'The command cannot be carried out as given; nothing was changed.',
  dependencyMissing: 'Something this machine needs is missing: the runtime, a native part, the database server.',
  someItemsFailed: 'Done, but something needs a look: items failed, a report differs, a requirement does not hold.',
  interrupted: 'Interrupted; the same command with `--resume` goes on where it stopped.',
};

/** The whole text of docs/errors.md. */
export function errorsPage(): string {
  const exits = keysOf(EXIT).map((name) => `| ${EXIT[name]} | ${EXIT_MEANINGS[name]} |`);
  const codes = keysOf(ERRORS)
    .toSorted()
    .map((code) => `| \`${code}\` | ${ERRORS[code].exit} | ${ERRORS[code].when} | ${ERRORS[code].todo} |`);
  return `# Errors

Generated from \`schemas/error.ts\` by \`npm run docs:errors\`; a test keeps the two, and the places that raise a code, together.

An error is printed on stderr as \`CODE: what was expected, for what, what was received, what to do\`. It shows no stack, no SQL and no path of
the installation; \`HOMEWARD_DEBUG=1\` adds the stack for somebody who works on the engine. Trouble with a single file is no error but an
outcome with a reason, in the report: see [formats.md](formats.md).

## Exit codes

| code | meaning |
|---|---|
${exits.join('\n')}

## Codes

| code | exit | when | what to do |
|---|---|---|---|
${codes.join('\n')}
`;
}

function keysOf<T extends object>(object: T): (keyof T)[] {
  const keys: (keyof T)[] = [];
  for (const key in object) keys.push(key);
  return keys;
}

if (import.meta.main) {
  writeFileSync(path.join(import.meta.dirname, '..', 'docs', 'errors.md'), errorsPage());
}
