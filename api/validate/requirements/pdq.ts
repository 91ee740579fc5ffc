import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { ORIENTATIONS, type PdqHash } from '../../../schemas/fingerprint.ts';
import type { DrawnPicture } from '../../../schemas/validation.ts';
import { distanceBits } from '../bit-distance.ts';
import { type CaseToRun, none, type RequirementToRun } from '../case.ts';
import type { Ground } from '../ground.ts';

/** The conformance data made with the published hashers; other keys are allowed beside these. */
const Vectors = Type.Object({
  vectors: Type.Array(
    Type.Object({
      file: Type.String({ pattern: '^[^/\\\\]+$' }),
      pdq_hex: Type.String(),
      quality: Type.Number(),
      dihedral: Type.Array(Type.Array(Type.String())),
      fullres_pdq_hex: Type.String(),
      fullres_quality: Type.Number(),
    }),
    { minItems: 1, maxItems: 10_000 },
  ),
});

export const examineDrawn = async (ground: Ground, picture: DrawnPicture) =>
  await ground.hosts.examine(Buffer.from(path.join(ground.picturesFolder, picture.file)), { mode: 'exact' });

/** Every flavour, orientation and quality in which the two differ, in words. */
export function pdqDifferences(expected: readonly PdqHash[], received: readonly PdqHash[]): string[] {
  return expected.flatMap((wanted) => {
    const got = received.find(({ flavour }) => flavour === wanted.flavour);
    if (got === undefined) return [`${wanted.flavour} is missing`];
    const turned = ORIENTATIONS.flatMap((orientation, index) => {
      const bits = distanceBits(wanted.dihedral[index] ?? '', got.dihedral[index] ?? '');
      return bits === 0 ? [] : [`${wanted.flavour} ${orientation} by ${bits} bits`];
    });
    return got.quality === wanted.quality
      ? turned
      : [...turned, `${wanted.flavour} quality ${got.quality}, not ${wanted.quality}`];
  });
}

/** Bit for bit, in both flavours and eight orientations. `wanted` is the reference's unless a test of this case says otherwise. */
export function kernelCase(file: string, wanted?: readonly PdqHash[]): CaseToRun {
  return {
    id: file.replace(/\.[a-z]+$/, ''),
    assertion: `The hashes of ${file}, drawn and decoded here, are those of the plain reference bit for bit.`,
    check: async (ground) => {
      const picture = ground.pictures.find((one) => one.file === file);
      if (picture === undefined || picture.reference === null)
        throw new Error(`expected ${file} to be drawn with its reference`);
      const examined = await examineDrawn(ground, picture);
      if (examined.picture === null) return none('two hashes', [`${examined.outcome} ${examined.reason?.code}`], '');
      const { hex = '', quality = 0 } = examined.picture.pdq[0] ?? {};
      return none(
        '16 equal hashes, equal quality',
        pdqDifferences(wanted ?? picture.reference, examined.picture.pdq),
        `equal; ${hex.slice(0, 16)}... of quality ${quality}`,
      );
    },
  };
}

const vectorsCase: CaseToRun = {
  id: 'published-vectors',
  assertion: 'Every picture of the published conformance data has the published hash, quality and orientations.',
  check: async (ground) => {
    if (ground.vectorsFolder === null) return { notApplicable: 'no folder of conformance data was given (--vectors)' };
    const folder = ground.vectorsFolder;
    const { vectors } = Value.Parse(Vectors, JSON.parse(await readFile(path.join(folder, 'vectors.json'), 'utf8')));
    const wrong: string[] = [];
    for (const vector of vectors) {
      const { picture } = await ground.hosts.examine(Buffer.from(path.join(folder, vector.file)), { mode: 'exact' });
      const [a, b] = picture?.pdq ?? [];
      const turned = vector.dihedral.map(([hex]) => hex);
      if (a?.hex !== vector.pdq_hex || a.quality !== vector.quality) wrong.push(`${vector.file} pdq-512`);
      if (b?.hex !== vector.fullres_pdq_hex || b.quality !== vector.fullres_quality)
        wrong.push(`${vector.file} pdq-full`);
      if (a?.dihedral.join() !== turned.join()) wrong.push(`${vector.file} orientations`);
    }
    return none(`${vectors.length} of ${vectors.length} equal`, wrong, `${vectors.length} of ${vectors.length} equal`);
  },
};

/** The sizes are those that the drawing process draws. */
const KERNEL_FILES = [
  '4x4',
  '5x5',
  '3x600',
  '64x64',
  '65x63',
  '128x129',
  '511x300',
  '512x512',
  '513x100',
  '640x480',
  '1200x801',
];

export const pdq: RequirementToRun = {
  id: 'pdq',
  goals: ['R5'],
  requirement: 'PDQ is computed as published, in both flavours and all eight orientations.',
  cases: [...KERNEL_FILES.map((size) => kernelCase(`kernel-${size}.png`)), vectorsCase],
};
