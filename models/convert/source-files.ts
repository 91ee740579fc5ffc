import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { HomewardError } from '../../schemas/error.ts';

/** A file of an npm package that the converter reads. */
export interface SourceFile {
  /** Name of the package, such as `@vladmandic/human`. */
  readonly packageName: string;
  /** Below the package, with forward slashes. */
  readonly path: string;
  /** Lower-case hexadecimal; a file with another digest is refused. */
  readonly sha256: string;
}

/** Where a source file lies below the folder that holds the packages, with forward slashes. */
export const pathBelowPackages = (source: SourceFile): string => `${source.packageName}/${source.path}`;

/** The bytes of a source file. Throws HW_MODEL_BUILD where it is absent or not the one that the converter was written for. */
export async function readSource(packagesRoot: string, source: SourceFile): Promise<Uint8Array> {
  const file = path.join(packagesRoot, ...pathBelowPackages(source).split('/'));
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw new HomewardError(
      'HW_MODEL_BUILD',
      `expected the weights ${pathBelowPackages(source)} under ${packagesRoot}, found no readable file; install the packages of the lock file with npm ci`,
      { cause: error },
    );
  }
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== source.sha256) {
    throw new HomewardError(
      'HW_MODEL_BUILD',
      `expected SHA-256 ${source.sha256} of the weights ${pathBelowPackages(source)}, received ${sha256}; install the packages of the lock file with npm ci`,
    );
  }
  return bytes;
}

/** Content that the converter cannot read although its digest is right: a defect of the converter. */
export function unreadable(expected: string, received: string): HomewardError {
  return new HomewardError(
    'HW_MODEL_BUILD',
    `expected ${expected} in the weights of a net, received ${received}; report it, the converter does not know this form`,
  );
}
