import type { Picture } from '../../../schemas/fingerprint.ts';
import type { DrawnPicture } from '../../../schemas/validation.ts';
import { nearest } from '../bit-distance.ts';
import { type CaseToRun, none, type RequirementToRun } from '../case.ts';
import type { Ground } from '../ground.ts';
import { examineDrawn } from './pdq.ts';

/** The published radius: two pictures within it are taken for the same (facebook/ThreatExchange, pdq). */
const MATCH_BITS = 31;
/** A picture of less is too flat for its hash to mean anything (same source). */
const LEAST_QUALITY = 50;

interface Examined {
  readonly drawn: DrawnPicture;
  readonly picture: Picture;
}

async function examineRole(ground: Ground, role: DrawnPicture['role']): Promise<Examined[]> {
  const wanted = ground.pictures.filter((one) => one.role === role);
  return await Promise.all(
    wanted.map(async (drawn) => {
      const { picture, outcome } = await examineDrawn(ground, drawn);
      if (picture === null) throw new Error(`expected ${drawn.file} to be decoded, received ${outcome}`);
      return { drawn, picture };
    }),
  );
}

/** Each variant of this kind is within the radius of its scene and of no other one, lying as it was turned. */
export function variantCase(name: string, says: string, mostBits: number = MATCH_BITS): CaseToRun {
  return {
    id: name,
    assertion: `A picture that was ${says} is within ${mostBits} bits of its original, in the right orientation.`,
    check: async (ground) => {
      const scenes = await examineRole(ground, 'scene');
      const variants = (await examineRole(ground, 'variant')).filter(({ drawn }) =>
        drawn.file.endsWith(`-${name}.jpg`),
      );
      const wrong: string[] = [];
      let farthest = 0;
      for (const { drawn, picture } of variants) {
        const own = scenes.find((scene) => scene.drawn.scene === drawn.scene);
        const found = own === undefined ? { bits: 257, orientation: 'original' } : nearest(picture, own.picture);
        farthest = Math.max(farthest, found.bits);
        if (found.bits > mostBits || found.orientation !== drawn.turned)
          wrong.push(`${drawn.file}: ${found.bits} bits, ${found.orientation}`);
      }
      if (variants.length === 0) wrong.push('no such variant was drawn');
      return none(
        `${variants.length} of ${variants.length} within ${mostBits} bits`,
        wrong,
        `${variants.length} of ${variants.length}, farthest ${farthest} bits`,
      );
    },
  };
}

const unrelatedCase: CaseToRun = {
  id: 'unrelated',
  assertion: `Pictures with nothing in common are farther than ${MATCH_BITS} bits apart in every orientation, all pairs of scenes and variants.`,
  check: async (ground) => {
    const all = [...(await examineRole(ground, 'scene')), ...(await examineRole(ground, 'variant'))];
    const scenes = await examineRole(ground, 'scene');
    const wrong: string[] = [];
    let nearestBits = 256;
    let pairs = 0;
    for (const one of all) {
      for (const other of scenes) {
        if (one.drawn.scene === other.drawn.scene) continue;
        const { bits } = nearest(one.picture, other.picture);
        pairs += 1;
        nearestBits = Math.min(nearestBits, bits);
        if (bits <= MATCH_BITS) wrong.push(`${one.drawn.file} and ${other.drawn.file}: ${bits} bits`);
      }
    }
    return none('no pair matches', wrong, `none of ${pairs} pairs; the nearest is ${nearestBits} bits apart`);
  },
};

const flatCase: CaseToRun = {
  id: 'flat',
  assertion: `A picture of one colour has a quality below ${LEAST_QUALITY}, so it is never matched by its hash.`,
  check: async (ground) => {
    const flat = await examineRole(ground, 'flat');
    const qualities = flat.flatMap(({ picture }) => picture.pdq.map(({ quality }) => quality));
    return {
      expected: `every quality below ${LEAST_QUALITY}`,
      received: `qualities ${qualities.join(', ')}`,
      holds: qualities.length > 0 && qualities.every((quality) => quality < LEAST_QUALITY),
    };
  },
};

export const variants: RequirementToRun = {
  id: 'variants',
  goals: ['R9'],
  requirement: 'Variants of a picture are found, unrelated pictures are not, and flat pictures are left out.',
  cases: [
    variantCase('jpeg', 're-encoded as JPEG of quality 60'),
    variantCase('half', 'reduced to half its size'),
    variantCase('double', 'enlarged to twice its size'),
    variantCase('mirrored', 'mirrored'),
    variantCase('upended', 'turned upside down in a mirror'),
    variantCase('clockwise', 'rotated by 90 degrees clockwise'),
    variantCase('half-turn', 'rotated by 180 degrees'),
    variantCase('counter', 'rotated by 90 degrees counter-clockwise'),
    unrelatedCase,
    flatCase,
  ],
};
