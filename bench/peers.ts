import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { json } from 'node:stream/consumers';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { LARGE_PAGES } from '../workers/fleet/launch-command.ts';
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
import { mixOf, picturesOf, readManifest } from './picture-set.ts';

/** `floor` reads, digests and decodes as fast mode has to, and computes nothing. */
const CONTESTANTS = ['imghash', 'exact', 'sharp-phash', 'fast', 'floor'] as const;
type Contestant = (typeof CONTESTANTS)[number];

const answerValidator = Compile(Type.Object({ cpuSeconds: Type.Number(), wallSeconds: Type.Number() }));

/** CPU seconds of one contestant over the files, in a fresh process. */
async function cpuSecondsOf(contestant: Contestant, files: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'peer-child.ts'), contestant], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // As in the engine's hosts, and the same for all.
    env: { ...process.env, ...LARGE_PAGES },
  });
  const exit = once(child, 'exit');
  child.stdin.end(JSON.stringify(files));
  const answer = await json(child.stdout).catch(() => undefined);
  const [code] = await exit;
  if (code !== 0 || !answerValidator.Check(answer)) {
    throw new Error(`expected ${contestant} to hash ${files.length} files, its process ended with ${code}`);
  }
  return answer.cpuSeconds;
}

async function compareOn(files: readonly string[], rounds: number): Promise<Record<Contestant, number>> {
  const seconds: Record<Contestant, number[]> = {
    imghash: [],
    exact: [],
    'sharp-phash': [],
    fast: [],
    floor: [],
  };
  const entrant = (name: Contestant) => async () => void seconds[name].push(await cpuSecondsOf(name, files));
  await interleave(
    {
      imghash: entrant('imghash'),
      exact: entrant('exact'),
      'sharp-phash': entrant('sharp-phash'),
      fast: entrant('fast'),
      floor: entrant('floor'),
    },
    rounds,
  );
  const perCpuSecond = (name: Contestant) => files.length / median(seconds[name]);
  return {
    imghash: perCpuSecond('imghash'),
    exact: perCpuSecond('exact'),
    'sharp-phash': perCpuSecond('sharp-phash'),
    fast: perCpuSecond('fast'),
    floor: perCpuSecond('floor'),
  };
}

async function run({ quick, say }: BenchOptions): Promise<BenchResult> {
  const manifest = readManifest();
  const rounds = quick ? 1 : 3;
  const groups = [
    { label: '0.5 Mpx', files: picturesOf(manifest, 0.5, quick ? 20 : 100) },
    { label: '2 Mpx', files: picturesOf(manifest, 2, quick ? 10 : 60) },
    { label: '12 Mpx', files: picturesOf(manifest, 12, quick ? 4 : 20) },
    { label: '48 Mpx', files: picturesOf(manifest, 48, quick ? 1 : 5) },
    { label: 'mix', files: mixOf(manifest, quick ? 30 : 120) },
  ];
  const measures: Measure[] = [];
  const rows: (string | number)[][] = [];
  for (const { label, files } of groups) {
    say(`${label}: ${files.length} pictures, ${rounds} rounds`);
    const rate = await compareOn(files, rounds);
    const exactRatio = rate.exact / rate.imghash;
    const fastRatio = rate.fast / rate['sharp-phash'];
    const whole = label === 'mix';
    measures.push(
      whole
        ? judged('mix: exact / imghash', exactRatio, '', '>=', 2)
        : figure(`${label}: exact / imghash`, exactRatio, ''),
      whole
        ? judged('mix: fast / sharp-phash', fastRatio, '', '>=', 1)
        : figure(`${label}: fast / sharp-phash`, fastRatio, ''),
      figure(`${label}: floor of fast / sharp-phash`, rate.floor / rate['sharp-phash'], ''),
    );
    rows.push([label, files.length, ...CONTESTANTS.map((name) => significant(rate[name]))]);
  }
  return {
    measures,
    tables: [{ title: 'Pictures a CPU second, one process each', columns: ['size', 'pictures', ...CONTESTANTS], rows }],
    parameters: { rounds, imghashBits: 16, origin: manifest.origin },
    notes: [
      'imghash computes one blockhash, sharp-phash one 64-bit hash; exact and fast compute three digests, two PDQ flavours with eight orientations each, blockhash and capture metadata.',
      'sharp-phash reads a JPEG at an eighth of each side, since 32 x 32 pixels are all it needs; PDQ within 4 bits of exact needs 512. The floor reads, digests and decodes to the size of fast mode and computes no hash.',
    ],
  };
}

export const bench: Bench = { name: 'peers', run };
