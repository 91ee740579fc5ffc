import type { Embedding, EmbedPlan, PackScore } from '../../schemas/embedding.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { ModelPackManifest, ModelProvider, PackKind } from '../../schemas/model-pack.ts';
import { classifierScore } from './classify.ts';
import { describeFaces, type FacePacks, type OpenPack } from './describe-faces.ts';
import { isFlat } from './flat-picture.ts';
import type { LookedAtPicture } from './looked-at-picture.ts';
import { NetSession } from './net-session.ts';
import { copyVectors, type PictureVectors, placeVectors } from './picture-vectors.ts';
import { StepClock } from './step-clock.ts';

/** A pack as a host gets it: its manifest, and the bytes of its net, whose digest was checked when they were read. */
export interface PackSource {
  readonly manifest: ModelPackManifest;
  readonly bytes: Uint8Array;
}

/** What the models say of one picture, without what only the file tells. */
export interface PictureEmbedding
  extends Pick<Embedding, 'facesFound' | 'faces' | 'vectors' | 'scores' | 'provider' | 'stepMs'> {
  /** What of the models failed, in words; null where all gave what they should. */
  readonly trouble: string | null;
}

/** Whole pictures to describe at once, in either direction, are of use to nobody. */
const MOST_VECTORS = 16;
/** Names of execution providers as onnxruntime has them. */
const ORT_PROVIDERS: Readonly<Record<ModelProvider, readonly string[]>> = {
  cpu: ['cpu'],
  cuda: ['cuda', 'cpu'],
  coreml: ['coreml', 'cpu'],
  directml: ['dml', 'cpu'],
};

/**
 * The nets of some packs, opened once, and the way from a decoded picture to faces and vectors. One a thread; one picture at a time.
 * Packs whose net is the same file share its session.
 */
export class MediaEmbedder {
  readonly #packs: ReadonlyMap<string, OpenPack>;
  readonly #sessions: readonly NetSession[];
  readonly #provider: ModelProvider;

  private constructor(packs: ReadonlyMap<string, OpenPack>, sessions: readonly NetSession[], provider: ModelProvider) {
    this.#packs = packs;
    this.#sessions = sessions;
    this.#provider = provider;
  }

  /** @throws HomewardError HW_MODEL_FORMAT or HW_MODEL_SHAPE where a net does not open or is not what its manifest says */
  static async open(sources: readonly PackSource[], provider: ModelProvider = 'cpu'): Promise<MediaEmbedder> {
    const sessions = new Map<string, NetSession>();
    const packs = new Map<string, OpenPack>();
    try {
      for (const { manifest, bytes } of sources) {
        const sha256 = manifest.files.find(({ name }) => name === manifest.net)?.sha256 ?? manifest.id;
        const shared = sessions.get(sha256);
        shared?.check(manifest);
        const session = shared ?? (await NetSession.open(bytes, manifest, ORT_PROVIDERS[provider]));
        sessions.set(sha256, session);
        packs.set(manifest.id, { manifest, session });
      }
    } catch (error) {
      await Promise.all([...sessions.values()].map((session) => session.release()));
      throw error;
    }
    return new MediaEmbedder(packs, [...sessions.values()], provider);
  }

  /**
   * Describes one picture. Nets see it upright; boxes and landmarks are those of the stored picture. A net that fails on this picture is in `trouble`, and what
   * the others say is there all the same.
   * @throws HomewardError HW_MODEL_NOT_FOUND where the plan names a pack that was not opened
   */
  async embed(
    { pyramid, frame }: LookedAtPicture,
    plan: EmbedPlan,
    clock: StepClock = new StepClock(),
  ): Promise<PictureEmbedding> {
    const packs = plan.packs.map((id) => this.#pack(id));
    const withKind = (kind: PackKind) => packs.filter(({ manifest }) => manifest.kind === kind);
    const facePacks = plan.faceDetector === null ? null : this.#facePacks(plan.faceDetector, withKind);
    const trouble: string[] = [];
    const faces =
      facePacks === null
        ? null
        : await attempt('faces', trouble, () => describeFaces(facePacks, pyramid, frame, clock));
    const vectors: PictureVectors['vectors'] = [];
    const add = async (step: 'copies' | 'places', pack: OpenPack, describe: typeof copyVectors) => {
      const given = await clock.measure(step, () => attempt(pack.manifest.id, trouble, () => describe(pack, pyramid)));
      vectors.push(...(given?.vectors ?? []));
      trouble.push(...(given?.trouble ?? []));
    };
    if (!isFlat(pyramid)) {
      for (const pack of withKind('copyEmbedding')) await add('copies', pack, copyVectors);
      for (const pack of withKind('placeEmbedding')) await add('places', pack, placeVectors);
    }
    const scores: PackScore[] = [];
    for (const pack of withKind('classifier')) {
      const score = await clock.measure('classify', () =>
        attempt(pack.manifest.id, trouble, () => classifierScore(pack, pyramid)),
      );
      if (score !== null) scores.push(score);
    }
    trouble.push(...(faces?.trouble ?? []));
    if (vectors.length > MOST_VECTORS) trouble.push(`${vectors.length} vectors, of which ${MOST_VECTORS} are kept`);
    return {
      facesFound: facePacks === null ? null : (faces?.found ?? 0),
      faces: faces?.faces ?? [],
      vectors: vectors.slice(0, MOST_VECTORS),
      scores,
      provider: this.#provider,
      stepMs: clock.stepMs,
      trouble: trouble.length === 0 ? null : trouble.join('; '),
    };
  }

  /** How many inputs were run through a pack's net since it was opened, those of other packs with the same net among them. */
  inputsRun(id: string): number {
    return this.#pack(id).session.inputsRun;
  }

  /** Frees the nets. A run in progress must have ended. */
  async close(): Promise<void> {
    for (const session of this.#sessions) await session.release();
  }

  #pack(id: string): OpenPack {
    const pack = this.#packs.get(id);
    if (pack !== undefined) return pack;
    throw new HomewardError(
      'HW_MODEL_NOT_FOUND',
      `expected model pack ${id} of the plan among those opened here (${[...this.#packs.keys()].join(', ')}), received no such one; start the host anew`,
    );
  }

  #facePacks(detector: string, withKind: (kind: PackKind) => OpenPack[]): FacePacks {
    return {
      detector: this.#pack(detector),
      landmarks: withKind('faceLandmarks')[0],
      embeddings: withKind('faceEmbedding'),
    };
  }
}

/** What onnxruntime throws for one picture (out of memory, a shape it cannot compute) costs this part of it only. */
async function attempt<T>(what: string, trouble: string[], work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    trouble.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}
