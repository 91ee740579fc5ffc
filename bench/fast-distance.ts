import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { reductionFactorFor } from '../workers/decode/reduction.ts';
import { PictureHasher } from '../workers/hash/picture-hasher.ts';
import { decodeReduced, prepareBareDecoder, type RawPicture } from './bare-decode.ts';
import {
  type Bench,
  type BenchOptions,
  type BenchResult,
  type BenchTable,
  judged,
  median,
  NotAvailable,
  percentile,
} from './harness.ts';
import { picturesOf, readManifest, SIZE_CLASSES } from './picture-set.ts';

const FACTORS = [2, 4, 8] as const;
/** What fast mode may differ from exact mode at the median, for PDQ in either flavour. */
const MOST_MEDIAN_BITS = 4;
/** PDQ of a picture flatter than this is noise in both modes and is not matched. */
const LEAST_QUALITY = 50;
/** Upper ends of the buckets by the smaller side that is left after the reduction. */
const SIDE_BUCKETS = [128, 256, 384, 448, 512, 640, 768, 1024, 1536, 4096] as const;
const HASHES = ['pdq-512', 'pdq-full', 'blockhash'] as const;
type HashName = (typeof HASHES)[number];

interface Sample {
  readonly mpx: number;
  readonly factor: number;
  /** Smaller side in pixels of what was decoded. */
  readonly sidePixels: number;
  /** Whether the engine's rule takes this factor for this picture. */
  readonly chosen: boolean;
  readonly distanceBits: Readonly<Record<HashName, number>>;
}

/** Bits that differ between two hexadecimal hashes of equal length. */
function distanceBits(a: string, b: string): number {
  let bits = 0;
  for (let at = 0; at < a.length; at += 8) {
    let differing = Number.parseInt(a.slice(at, at + 8), 16) ^ Number.parseInt(b.slice(at, at + 8), 16);
    for (; differing !== 0; differing &= differing - 1) bits += 1;
  }
  return bits;
}

interface PictureHashes {
  readonly hex: Readonly<Record<HashName, string>>;
  readonly quality: number;
}

function hashesOf(hasher: PictureHasher, picture: RawPicture): PictureHashes {
  const { pixels, widthPixels, heightPixels, channels } = picture;
  const { pdq, blockhash } = hasher.hash(pixels, widthPixels, heightPixels, channels);
  const [sampled, full] = pdq;
  return {
    hex: { 'pdq-512': sampled?.hex ?? '', 'pdq-full': full?.hex ?? '', blockhash: blockhash?.hex ?? '' },
    quality: Math.min(sampled?.quality ?? 0, full?.quality ?? 0),
  };
}

async function samplesOf(hasher: PictureHasher, file: string, mpx: number): Promise<Sample[]> {
  const bytes = readFileSync(file);
  const { width, height } = await sharp(bytes).metadata();
  const decoded = async (factor: number): Promise<RawPicture> => await decodeReduced(bytes, width, height, factor);
  const exact = hashesOf(hasher, await decoded(1));
  if (exact.quality < LEAST_QUALITY) return [];
  const chosen = reductionFactorFor(width, height, 'image/jpeg');
  const samples: Sample[] = [];
  for (const factor of FACTORS) {
    const reduced = await decoded(factor);
    const fast = hashesOf(hasher, reduced);
    samples.push({
      mpx,
      factor,
      sidePixels: Math.min(reduced.widthPixels, reduced.heightPixels),
      chosen: factor === chosen,
      distanceBits: {
        'pdq-512': distanceBits(exact.hex['pdq-512'], fast.hex['pdq-512']),
        'pdq-full': distanceBits(exact.hex['pdq-full'], fast.hex['pdq-full']),
        blockhash: distanceBits(exact.hex.blockhash, fast.hex.blockhash),
      },
    });
  }
  return samples;
}

const bitsOf = (samples: readonly Sample[], hash: HashName) => samples.map((sample) => sample.distanceBits[hash]);

/** Median and 99th percentile of each hash, as cells of a row. */
const cells = (samples: readonly Sample[]): number[] =>
  HASHES.flatMap((hash) => [median(bitsOf(samples, hash)), percentile(bitsOf(samples, hash), 0.99)]);

function tablesOf(samples: readonly Sample[]): BenchTable[] {
  const columns = HASHES.flatMap((hash) => [`${hash} median`, `${hash} p99`]);
  const byFactor = SIZE_CLASSES.flatMap(({ mpx }) =>
    FACTORS.map((factor) => {
      const group = samples.filter((sample) => sample.mpx === mpx && sample.factor === factor);
      const chosen = group.filter((sample) => sample.chosen).length;
      return [`${mpx} Mpx`, factor, group.length, chosen, ...cells(group)];
    }),
  );
  const bySide = SIDE_BUCKETS.flatMap((end, at) => {
    const start = SIDE_BUCKETS[at - 1] ?? 0;
    const group = samples.filter((sample) => sample.sidePixels >= start && sample.sidePixels < end);
    return group.length === 0 ? [] : [[`${start} to ${end - 1}`, group.length, ...cells(group)]];
  });
  return [
    {
      title:
        'Distance of fast to exact in bits of 256, by reduction factor (chosen: pictures for which the engine takes that factor)',
      columns: ['size', 'factor', 'pictures', 'chosen', ...columns],
      rows: byFactor,
    },
    {
      title: 'The same by the smaller side in pixels that is left after the reduction',
      columns: ['smaller side', 'samples', ...columns],
      rows: bySide,
    },
  ];
}

async function run({ quick, say }: BenchOptions): Promise<BenchResult> {
  const manifest = readManifest();
  prepareBareDecoder();
  const hasher = await PictureHasher.load();
  const samples: Sample[] = [];
  for (const { mpx, count } of SIZE_CLASSES) {
    const files = picturesOf(manifest, mpx, quick ? Math.max(2, Math.round(count / 20)) : count);
    say(`${mpx} Mpx: ${files.length} pictures`);
    for (const file of files) samples.push(...(await samplesOf(hasher, file, mpx)));
  }
  const chosen = samples.filter((sample) => sample.chosen);
  if (chosen.length === 0) throw new NotAvailable('pictures that fast mode reduces', 'make the whole set');
  const flavours = ['pdq-512', 'pdq-full'] as const;
  return {
    measures: [
      ...flavours.map((hash) =>
        judged(
          `${hash}, fast to exact as the engine reduces, median`,
          median(bitsOf(chosen, hash)),
          'bits',
          '<=',
          MOST_MEDIAN_BITS,
        ),
      ),
      ...HASHES.map((hash) => ({
        name: `${hash}, fast to exact as the engine reduces, 99th percentile`,
        value: percentile(bitsOf(chosen, hash), 0.99),
        unit: 'bits',
        target: null,
        pass: null,
      })),
    ],
    tables: tablesOf(samples),
    parameters: {
      pictures: samples.length / FACTORS.length,
      reduced: chosen.length,
      leastQuality: LEAST_QUALITY,
      origin: manifest.origin,
    },
    notes: [
      'Pictures that fast mode does not reduce are at distance 0 and are left out; so are those with a quality below 50.',
    ],
  };
}

export const bench: Bench = { name: 'fast-distance', run };
