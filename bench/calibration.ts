// Measures what engine/match/calibration.ts states: how far apart the hashes of unrelated pictures are. Run by path; prints JSON.
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { resolveConfig } from '../api/cli/config.ts';
import { openFleet } from '../api/compose/open-fleet.ts';
import { CALIBRATED_ALGORITHMS, type CalibratedAlgorithm } from '../engine/match/calibration.ts';
import type { Examination } from '../schemas/fingerprint.ts';
import { sharedData } from '../test/shared-data.ts';

interface Hashed {
  /** Pictures of one group (one person, one place, edits of one picture) are not unrelated. */
  readonly group: string;
  readonly hashes: Readonly<Record<CalibratedAlgorithm, { readonly own: Buffer; readonly all: readonly Buffer[] }>>;
}

const FLAT = 49;
/**
 * The public pictures hold copies and edits of one another across folders. PDQ tells them: nothing lies between 32 and 64 bits, so what
 * is nearer than this in any orientation is the same picture and says nothing about strangers.
 */
const SAME_PICTURE_BITS = 60;

/** `faces/Ariel_Sharon__...`: the person; `places/_d_db1.jpg__...`: all of places is one group, since it shows the same scenes. */
function groupOf(folder: string, name: string): string {
  if (folder === 'places') return 'places';
  return `${folder}/${folder === 'pdq' ? (name.split('__')[0] ?? name) : (name.split('__')[0] ?? name).split('_').slice(0, 2).join('_')}`;
}

function hashed(group: string, examination: Examination): Hashed | null {
  const { picture } = examination;
  const [sampled, full] = picture?.pdq ?? [];
  if (picture?.blockhash == null || sampled === undefined || full === undefined) return null;
  if (Math.min(sampled.quality, full.quality) <= FLAT) return null;
  const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');
  return {
    group,
    hashes: {
      'pdq-512': { own: bytes(sampled.hex), all: sampled.dihedral.map(bytes) },
      'pdq-full': { own: bytes(full.hex), all: full.dihedral.map(bytes) },
      'blockhash-256-r512': { own: bytes(picture.blockhash.hex), all: [bytes(picture.blockhash.hex)] },
    },
  };
}

function distanceBits(a: Buffer, b: Buffer): number {
  let distance = 0;
  for (let at = 0; at < a.length; at += 1) {
    let difference = (a[at] ?? 0) ^ (b[at] ?? 0);
    for (; difference !== 0; difference &= difference - 1) distance += 1;
  }
  return distance;
}

function samePicture(one: Hashed, other: Hashed): boolean {
  const known = other.hashes['pdq-full'].own;
  return one.hashes['pdq-full'].all.some((turned) => distanceBits(turned, known) < SAME_PICTURE_BITS);
}

const root = sharedData('data');
if (root === undefined)
  throw new Error('expected ../shared beside the checkout: the calibration is measured on its public pictures');
const { config } = await resolveConfig({
  commandLine: { dataFolder: path.join(tmpdir(), 'homeward-calibration') },
  environment: {},
  file: null,
});
await using open = await openFleet(config, [root]);
const pictures = (
  await Promise.all(
    ['pdq', 'faces', 'places'].flatMap((folder) =>
      readdirSync(path.join(root, folder))
        .filter((name) => /\.(jpe?g|png)$/i.test(name))
        .map(async (name) =>
          hashed(
            groupOf(folder, name),
            await open.fleet.examine(Buffer.from(path.join(root, folder, name)), { mode: 'exact' }),
          ),
        ),
    ),
  )
).filter((one) => one !== null);

const result = Object.fromEntries(
  CALIBRATED_ALGORITHMS.map((algorithm) => {
    const histogram = new Uint32Array(257);
    for (const [at, one] of pictures.entries()) {
      for (const other of pictures.slice(at + 1)) {
        if (one.group === other.group || samePicture(one, other)) continue;
        for (const turned of one.hashes[algorithm].all) {
          const distance = distanceBits(turned, other.hashes[algorithm].own);
          histogram[distance] = (histogram[distance] ?? 0) + 1;
        }
      }
    }
    const comparisons = histogram.reduce((sum, count) => sum + count, 0);
    const meanBits = histogram.reduce((sum, count, distance) => sum + count * distance, 0) / comparisons;
    const variance =
      histogram.reduce((sum, count, distance) => sum + count * (distance - meanBits) ** 2, 0) / comparisons;
    const below = (bits: number): number => histogram.slice(0, bits + 1).reduce((sum, count) => sum + count, 0);
    return [
      algorithm,
      {
        pictures: pictures.length,
        comparisons,
        meanBits: Math.round(meanBits * 100) / 100,
        standardDeviationBits: Math.round(Math.sqrt(variance) * 100) / 100,
        smallestBits: histogram.findIndex((count) => count > 0),
        atMost: Object.fromEntries([16, 24, 31, 40, 48, 56, 64].map((bits) => [bits, below(bits)])),
      },
    ];
  }),
);
process.stdout.write(`${JSON.stringify(result, null, 1)}\n`);
