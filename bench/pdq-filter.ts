/**
 * What PDQ costs beside decoding the same picture, one thread each, at 2 and 12 Mpx: flavour B (luma, filter, transform,
 * eight orientations) alone, both flavours with the blockhash, and how that leaves the decoder. A bench of `npm run
 * bench`; run by itself it prints its result as JSON.
 */
import sharp from 'sharp';
import { compilePdqKernel, PdqKernel } from '../workers/hash/pdq-kernel.ts';
import { PictureHasher } from '../workers/hash/picture-hasher.ts';
import {
  type Bench,
  type BenchOptions,
  type BenchResult,
  figure,
  interleave,
  judged,
  type Measure,
  median,
  significant,
} from './harness.ts';
import { loadSources } from './picture-sources.ts';
import { seededRandom } from './random.ts';
import { composePicture } from './stitch.ts';

const SEED = 20260101;
const JPEG_QUALITY = 90;
/** The figure to reach: flavour B's filter by the decoding of the same picture. */
const MOST_OF_DECODE = 0.6;
const SIZES = [
  { label: '2 Mpx', widthPixels: 1600, heightPixels: 1204 },
  { label: '12 Mpx', widthPixels: 4032, heightPixels: 3024 },
] as const;
const CONTESTANTS = ['decode', 'pdq-full', 'all hashes'] as const;
type Contestant = (typeof CONTESTANTS)[number];

/**
 * CPU milliseconds a picture of each contestant: the median over the rounds of a round's mean. CPU and not wall time, since
 * each one keeps a single thread busy and others may be at work on the machine.
 */
async function compare(jpegs: readonly Buffer[], rounds: number): Promise<Record<Contestant, number>> {
  const kernel = new PdqKernel(await compilePdqKernel());
  const hasher = await PictureHasher.load();
  const decode = (jpeg: Buffer) => sharp(jpeg, { ignoreIcc: true }).raw().toBuffer({ resolveWithObject: true });
  const decoded = await Promise.all(jpegs.map(decode));
  const times: Record<Contestant, number[]> = { decode: [], 'pdq-full': [], 'all hashes': [] };
  const timed = (name: Contestant, work: () => Promise<void>) => async (round: number) => {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    // The first round compiles and fills caches.
    if (round > 0) times[name].push((user + system) / 1000 / jpegs.length);
  };
  await interleave(
    {
      decode: timed('decode', async () => {
        for (const jpeg of jpegs) await decode(jpeg);
      }),
      'pdq-full': timed('pdq-full', async () => {
        for (const { data, info } of decoded) kernel.hashFull(data, info.width, info.height, 3, false);
      }),
      'all hashes': timed('all hashes', async () => {
        for (const { data, info } of decoded) hasher.hash(data, info.width, info.height, 3);
      }),
    },
    rounds + 1,
  );
  return {
    decode: median(times.decode),
    'pdq-full': median(times['pdq-full']),
    'all hashes': median(times['all hashes']),
  };
}

async function run({ quick, say }: BenchOptions): Promise<BenchResult> {
  // As the engine's own decoder runs: one thread, nothing kept between pictures.
  sharp.concurrency(1);
  sharp.cache(false);
  const { origin, sources } = await loadSources(SEED);
  const random = seededRandom(SEED);
  const measures: Measure[] = [];
  const rows: (string | number)[][] = [];
  const picturesPerSize = quick ? 2 : 6;
  const rounds = quick ? 4 : 12;
  for (const { label, widthPixels, heightPixels } of SIZES) {
    say(`${label}: ${picturesPerSize} pictures, ${rounds} rounds`);
    const jpegs: Buffer[] = [];
    for (let index = 0; index < picturesPerSize; index++) {
      const pixels = await composePicture(sources, widthPixels, heightPixels, random);
      const raw = { width: widthPixels, height: heightPixels, channels: 3 } as const;
      jpegs.push(await sharp(pixels, { raw }).jpeg({ quality: JPEG_QUALITY }).toBuffer());
    }
    const ms = await compare(jpegs, rounds);
    measures.push(
      judged(`${label}: pdq-full / decode`, ms['pdq-full'] / ms.decode, '', '<=', MOST_OF_DECODE),
      figure(`${label}: all hashes / decode`, ms['all hashes'] / ms.decode, ''),
      figure(`${label}: decode / (decode + all hashes)`, ms.decode / (ms.decode + ms['all hashes']), ''),
    );
    rows.push([label, `${widthPixels} x ${heightPixels}`, ...CONTESTANTS.map((name) => significant(ms[name]))]);
  }
  return {
    measures,
    tables: [{ title: 'CPU milliseconds a picture, one thread', columns: ['size', 'pixels', ...CONTESTANTS], rows }],
    parameters: { picturesPerSize, rounds, jpegQuality: JPEG_QUALITY, seed: SEED, origin },
    notes: [
      'pdq-full: luma, filter, transform, eight orientations of flavour B. all hashes: both flavours with eight orientations each, and the blockhash.',
    ],
  };
}

export const bench: Bench = { name: 'pdq-filter', run };

if (import.meta.main) {
  const quick = process.argv.includes('--quick');
  const result = await run({ quick, say: (text) => process.stderr.write(`${text}\n`) });
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
}
