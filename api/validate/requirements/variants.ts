import { BIT_POLICY, passesQuality } from '../../../engine/match/policy.ts';
import type { Picture } from '../../../schemas/fingerprint.ts';
import type { DrawnPicture } from '../../../schemas/validation.ts';
import { nearest } from '../bit-distance.ts';
import { type CaseToRun, none, type RequirementToRun } from '../case.ts';
import type { Ground } from '../ground.ts';
import { examineDrawn } from './pdq.ts';

const MATCH_BITS = BIT_POLICY['pdq-512'].thresholdBits;

interface Examined {
  readonly drawn: DrawnPicture;
  readonly picture: Picture;
}

/** A picture is examined once for all cases on the same ground. */
const examinedOn = new WeakMap<Ground, Map<string, Promise<Examined>>>();

async function examineRole(ground: Ground, role: DrawnPicture['role'], ending = ''): Promise<Examined[]> {
  const known = examinedOn.get(ground) ?? new Map<string, Promise<Examined>>();
  examinedOn.set(ground, known);
  const wanted = ground.pictures.filter((one) => one.role === role && one.file.endsWith(ending));
  return await Promise.all(
    wanted.map(async (drawn) => {
      const examined = known.get(drawn.file) ?? examineOne(ground, drawn);
      known.set(drawn.file, examined);
      return await examined;
    }),
  );
}

async function examineOne(ground: Ground, drawn: DrawnPicture): Promise<Examined> {
  const { picture, outcome } = await examineDrawn(ground, drawn);
  if (picture === null) throw new Error(`expected ${drawn.file} to be decoded, received ${outcome}`);
  return { drawn, picture };
}

/** Each variant of this kind is within the radius of its scene and of no other one, lying as it was turned. */
export function variantCase(name: string, says: string, mostBits: number = MATCH_BITS): CaseToRun {
  return {
    id: name,
    assertion: `A picture that was ${says} is within ${mostBits} bits of its original, in the right orientation.`,
    check: async (ground) => {
      const scenes = await examineRole(ground, 'scene');
      const variants = await examineRole(ground, 'variant', `-${name}.jpg`);
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
  assertion: 'A picture of one colour is of a quality at which the engine matches nothing by its hash.',
  check: async (ground) => {
    const hashes = (await examineRole(ground, 'flat')).flatMap(({ picture }) => picture.pdq);
    return {
      expected: 'every quality below the gate',
      received: `qualities ${hashes.map(({ quality }) => quality).join(', ')}`,
      holds: hashes.length > 0 && hashes.every(({ flavour, quality }) => !passesQuality(flavour, quality)),
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
