/** Prints id and SHA-256 of every converted net, for the test that compares processes. */
import { createHash } from 'node:crypto';
import { convertNet, NETS } from './convert.ts';

const [, , packagesRoot] = process.argv;
if (packagesRoot === undefined) throw new Error('expected the folder of packages');
for (const id of NETS.keys()) {
  const { bytes } = await convertNet(id, packagesRoot);
  process.stdout.write(`${id} ${createHash('sha256').update(bytes).digest('hex')}\n`);
}
