import { readFileSync } from 'node:fs';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { EmbedPlan } from '../schemas/embedding.ts';
import type { ModelPackManifest } from '../schemas/model-pack.ts';
import type { DecodedPicture } from '../workers/decode/decoded-picture.ts';
import { lookedAtPicture } from '../workers/embed/looked-at-picture.ts';
import { MediaEmbedder, type PackSource } from '../workers/embed/media-embedder.ts';
import { MOST_ITEMS_PER_RUN, SESSION_OPTIONS } from '../workers/embed/net-session.ts';
import { SHIPPED_PACKS, shippedPacks } from '../workers/embed/test-packs.ts';
import { type Bench, type BenchResult, figure, judged, median, significant } from './harness.ts';
import { decodeBytes, readLabels, sharedFile } from './quality-kit.ts';

const LEAST_RATIO = 0.85;
const PLAN: EmbedPlan = {
  faceDetector: SHIPPED_PACKS.detector,
  packs: [SHIPPED_PACKS.landmarks, ...SHIPPED_PACKS.faces, SHIPPED_PACKS.copies, SHIPPED_PACKS.places],
  keypoints: false,
};
/** What a picture with faces and one without are made of; every nth is taken. */
const EVERY = 5;

interface Cost {
  readonly wallMs: number;
  readonly cpuMs: number;
}

async function costOf<T>(work: () => Promise<T>): Promise<Cost & { readonly given: T }> {
  const cpu = process.cpuUsage();
  const started = performance.now();
  const given = await work();
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs: performance.now() - started, cpuMs: (user + system) / 1000, given };
}

/** One net outside the pipeline, with the pipeline's own settings. */
interface BareNet {
  readonly manifest: ModelPackManifest;
  readonly session: InferenceSession;
  readonly tensor: Float32Array;
}

/** Packs that share a net have one session in the pipeline, and so here. */
async function bareNets(sources: readonly PackSource[]): Promise<BareNet[]> {
  const byNet = new Map(sources.map((source) => [source.manifest.provenance.net, source]));
  return await Promise.all(
    [...byNet.values()].map(async ({ manifest, bytes }) => ({
      manifest,
      session: await InferenceSession.create(bytes, SESSION_OPTIONS),
      tensor: new Float32Array(MOST_ITEMS_PER_RUN * 3 * manifest.input.widthPixels * manifest.input.heightPixels).fill(
        0.1,
      ),
    })),
  );
}

async function runBare({ manifest, session, tensor }: BareNet, items: number): Promise<void> {
  const { name, widthPixels, heightPixels } = manifest.input;
  const outputs = manifest.outputs.map((output) => output.name);
  for (let left = items; left > 0; left -= MOST_ITEMS_PER_RUN) {
    const batch = Math.min(left, MOST_ITEMS_PER_RUN);
    const values = tensor.subarray(0, batch * 3 * widthPixels * heightPixels);
    await session.run({ [name]: new Tensor('float32', values, [batch, 3, heightPixels, widthPixels]) }, outputs);
  }
}

/** From decoded pixels to vectors, beside the bare runs of the same nets on as many inputs, picture by picture in turns. */
export const bench: Bench = {
  name: 'embed-throughput',
  async run({ quick, say }): Promise<BenchResult> {
    const sources = await shippedPacks([SHIPPED_PACKS.detector, ...PLAN.packs]);
    const before = process.memoryUsage().rss;
    const embedder = await MediaEmbedder.open(sources);
    const opened = process.memoryUsage().rss;
    const labels = readLabels();
    const files = [...labels.faces, ...labels.places].filter((_, i) => i % (quick ? EVERY * 4 : EVERY) === 0);
    const pictures = await Promise.all(files.map(({ file }) => decodeBytes(readFileSync(sharedFile(file)))));
    const embed = (picture: DecodedPicture) => embedder.embed(lookedAtPicture(picture, 1), PLAN);
    const bare = await bareNets(sources);
    // Twice, since the second time is the first with compiled code.
    for (const picture of [...pictures, ...pictures]) await embed(picture);
    for (const net of bare) await runBare(net, MOST_ITEMS_PER_RUN);

    const rounds: { ours: Cost; nets: Cost }[] = [];
    const stepMs = new Map<string, number>();
    for (let round = 0; round < (quick ? 1 : 7); round++) {
      const sums = { ours: { wallMs: 0, cpuMs: 0 }, nets: { wallMs: 0, cpuMs: 0 } };
      const add = (to: { wallMs: number; cpuMs: number }, cost: Cost) => {
        to.wallMs += cost.wallMs;
        to.cpuMs += cost.cpuMs;
      };
      for (const picture of pictures) {
        const inputsRun = () => bare.map(({ manifest }) => embedder.inputsRun(manifest.id));
        const before = inputsRun();
        const answer = await costOf(() => embed(picture));
        add(sums.ours, answer);
        for (const { step, durationMs } of answer.given.stepMs) stepMs.set(step, (stepMs.get(step) ?? 0) + durationMs);
        const items = inputsRun().map((count, i) => count - (before[i] ?? 0));
        add(
          sums.nets,
          await costOf(async () => {
            for (const [i, net] of bare.entries()) await runBare(net, items[i] ?? 0);
          }),
        );
      }
      rounds.push(sums);
      say(`round ${round + 1}: ${significant(sums.nets.cpuMs / sums.ours.cpuMs)} by processor time`);
    }
    const peak = process.memoryUsage().rss;
    await embedder.close();
    const ratio = (key: keyof Cost) => median(rounds.map(({ ours, nets }) => nets[key] / ours[key]));
    const perPicture = median(rounds.map(({ ours }) => ours.cpuMs)) / pictures.length;
    const allSteps = [...stepMs.values()].reduce((sum, ms) => sum + ms, 0);
    return {
      measures: [
        judged('speed of the pipeline by that of its bare nets, processor time', ratio('cpuMs'), '', '>=', LEAST_RATIO),
        figure('the same by wall time', ratio('wallMs'), ''),
        figure('processor time a picture', perPicture, 'ms'),
        figure('memory of the opened nets', (opened - before) / 1e6, 'MB'),
        figure('memory of the process with both sets of nets open', peak / 1e6, 'MB'),
      ],
      tables: [
        {
          title: 'Share of each step',
          columns: ['step', 'share'],
          rows: [...stepMs].map(([step, ms]) => [step, `${((100 * ms) / allSteps).toFixed(1)} %`]),
        },
      ],
      parameters: { pictures: pictures.length, rounds: rounds.length, packs: sources.length },
      notes: [
        'Decoding is not in it; bench hash-throughput has that. Both sides ran in one process, one thread each, in turns picture by picture.',
        'Of what the pipeline takes beside its nets, 14 ms a picture on the machine of docs/quality.md, half is reducing the picture to the inputs of its nets (some ten times, in JavaScript), the rest cutting out faces, seams, colours, pooling and collecting garbage. The nets themselves take a tenth longer in turns with that than back to back. Vector instructions for the reduction are what is left to try.',
        `Up to ${MOST_ITEMS_PER_RUN} inputs a run: it takes a quarter off dlib-128 and the landmarks, 5 % off the others, and larger runs take no more.`,
      ],
    };
  },
};
