import { realpath } from 'node:fs/promises';
import path from 'node:path';
import type { EvidenceRoot } from '../../schemas/config.ts';
import { HomewardError } from '../../schemas/error.ts';

/**
 * The real path of what a request names below an evidence root. Links are resolved before it is decided where it lies: a link in seized
 * material must not lead to the rest of the machine.
 * @throws HW_REQUEST_INVALID alike for a root that is not configured, a path that is not there and one that leads out
 */
export async function evidencePath(roots: readonly EvidenceRoot[], name: string, below: string): Promise<string> {
  const root = roots.find((one) => one.name === name);
  if (root === undefined || below.includes('\0') || path.isAbsolute(below)) throw refused();
  try {
    const folder = await realpath(root.folder);
    const asked = await realpath(path.join(folder, below));
    const relative = path.relative(folder, asked);
    if (relative === '..' || relative.startsWith(`..${path.sep}`) || path.isAbsolute(relative)) throw refused();
    return asked;
  } catch (error) {
    if (error instanceof HomewardError) throw error;
    throw refused();
  }
}

function refused(): HomewardError {
  return new HomewardError(
    'HW_REQUEST_INVALID',
    'expected an evidence root by its name and a path below it, received one that is not there; ask your administrator for the roots',
  );
}
