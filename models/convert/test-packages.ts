import path from 'node:path';

/** The packages of this checkout. */
export const PACKAGES_ROOT = path.resolve(import.meta.dirname, '..', '..', 'node_modules');
