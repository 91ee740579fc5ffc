import { existsSync } from 'node:fs';
import path from 'node:path';

/** The data that lies beside the checkout on the project's own machines; a user's machine does not have it. */
const SHARED_ROOT = path.resolve(import.meta.dirname, '..', '..', 'shared');

/** The absolute path of an entry of ../shared, or undefined where it is absent. */
export function sharedData(relative: string): string | undefined {
  const absolute = path.join(SHARED_ROOT, relative);
  return existsSync(absolute) ? absolute : undefined;
}

/** Pass as options of a node:test test that cannot run without ../shared: skipped by name, and CI refuses the skip. */
export const needsShared: { skip: string | false } = {
  skip: existsSync(path.join(SHARED_ROOT, 'design.md')) ? false : 'needs ../shared, which is absent here',
};

/** As sharedData, for use inside a test that is skipped where the data is absent. */
export function requireShared(relative: string): string {
  const absolute = sharedData(relative);
  if (absolute === undefined) throw new Error(`expected ../shared/${relative} to exist beside the checkout`);
  return absolute;
}
