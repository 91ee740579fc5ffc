/** `npm run check:walls`: no room reaches where it may not. Prints each breach; ends with 1 if there is one. */
import path from 'node:path';
import { checkWalls } from './walls/cruise.ts';

/** dependency-cruiser passes over a file that holds no statement; more than this few unseen means it is blind. */
const UNSEEN_ALLOWED = 3;

const { breaches, modulesSeen, modulesThere } = checkWalls(path.resolve(import.meta.dirname, '..'));
for (const { wall, from, to } of breaches) process.stdout.write(`${wall}: ${from} -> ${to}\n`);
process.stdout.write(`${breaches.length} breaches, ${modulesSeen} of ${modulesThere} modules read\n`);
process.exit(breaches.length > 0 || modulesThere - modulesSeen > UNSEEN_ALLOWED ? 1 : 0);
