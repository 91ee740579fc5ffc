import { distanceBits } from '../bit-distance.ts';
import type { CaseToRun, RequirementToRun } from '../case.ts';
import { examineDrawn } from './pdq.ts';

export interface FormatExpectation {
  readonly file: string;
  readonly mediaType: string;
  /** Of either flavour, from the pixels it was made of. 0 where the format keeps every pixel. */
  readonly mostBits: number;
}

/** A lossy file may move a coefficient across the median; 10 bits is what the project allows where pixels may differ. */
const LOSSY_BITS = 10;

export const FORMATS: readonly FormatExpectation[] = [
  { file: 'format-png.png', mediaType: 'image/png', mostBits: 0 },
  { file: 'format-interlaced.png', mediaType: 'image/png', mostBits: 0 },
  { file: 'format-grey.png', mediaType: 'image/png', mostBits: 0 },
  { file: 'format-webp.webp', mediaType: 'image/webp', mostBits: 0 },
  { file: 'format-lzw.tiff', mediaType: 'image/tiff', mostBits: 0 },
  { file: 'format-plain.tiff', mediaType: 'image/tiff', mostBits: 0 },
  { file: 'format-bmp.bmp', mediaType: 'image/bmp', mostBits: 0 },
  { file: 'format-gif.gif', mediaType: 'image/gif', mostBits: LOSSY_BITS },
  { file: 'format-avif.avif', mediaType: 'image/avif', mostBits: LOSSY_BITS },
  { file: 'format-lossy.webp', mediaType: 'image/webp', mostBits: LOSSY_BITS },
  { file: 'format-jpeg.jpg', mediaType: 'image/jpeg', mostBits: LOSSY_BITS },
  { file: 'format-progressive.jpg', mediaType: 'image/jpeg', mostBits: LOSSY_BITS },
];

export function formatCase({ file, mediaType, mostBits }: FormatExpectation): CaseToRun {
  return {
    id: file.replace('.', '-').replace('format-', ''),
    assertion: `${file} is told by its content, examined whole, and hashes to its pixels${mostBits === 0 ? '' : ` within ${mostBits} bits`}.`,
    check: async (ground) => {
      const drawn = ground.pictures.find((one) => one.file === file);
      if (drawn === undefined || drawn.reference === null)
        throw new Error(`expected ${file} to be drawn with its reference`);
      const { outcome, type, picture, reason } = await examineDrawn(ground, drawn);
      const bits = drawn.reference.map(({ flavour, hex }) => {
        const got = picture?.pdq.find((one) => one.flavour === flavour);
        return got === undefined ? 257 : distanceBits(hex, got.hex);
      });
      const most = Math.max(...bits);
      return {
        expected: `done, ${mediaType}, at most ${mostBits} bits`,
        received: `${outcome}${reason === null ? '' : ` (${reason.code})`}, ${type}, ${most > 256 ? 'no hash' : `${most} bits`}`,
        holds: outcome === 'done' && type === mediaType && most <= mostBits,
      };
    },
  };
}

const heicCase: CaseToRun = {
  id: 'heic',
  assertion: 'A HEIC picture as telephones write it is examined whole, with both hashes.',
  check: async (ground) => {
    if (ground.heicFile === null) {
      return { notApplicable: 'HEVC cannot be encoded here, and no picture was given (--heic)' };
    }
    const { outcome, type, picture } = await ground.hosts.examine(Buffer.from(ground.heicFile), { mode: 'exact' });
    const hashes = picture?.pdq.length ?? 0;
    return {
      expected: 'done, image/heic or image/heif, 2 hashes',
      received: `${outcome}, ${type}, ${hashes} hashes`,
      holds: outcome === 'done' && /^image\/hei[cf]/.test(type) && hashes === 2,
    };
  },
};

export const decoders: RequirementToRun = {
  id: 'decoders',
  goals: ['R2', 'R5'],
  requirement: 'The same picture gives the same hash whatever format it is kept in.',
  cases: [...FORMATS.map(formatCase), heicCase],
};
