import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { Embedding, GeometryResult } from '../../schemas/embedding.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { CompareTask, EmbedTask } from '../../schemas/host-protocol.ts';
import type { ModelPackManifest, ModelProvider } from '../../schemas/model-pack.ts';
import { MediaEmbedder, type PackSource } from '../embed/media-embedder.ts';
import { embedFile } from '../examine-models.ts';
import { compareGeometry } from '../geometry/compare-geometry.ts';
import { extractKeypoints, KEYPOINT_SIDE_PIXELS } from '../geometry/extract-keypoints.ts';

/** A file for the models, keypoints to compare, or only to get ready. */
export type ModelThreadTask = EmbedTask | CompareTask | 'warm';

export type ModelAnswer =
  | { readonly embedding: Embedding }
  | { readonly results: readonly GeometryResult[] }
  | { readonly nets: string[] };

/** Said over the thread's own port as soon as it takes a task. */
export interface ModelThreadMessage {
  readonly started: number;
}

/** What the process that started this one has chosen and verified; believed, but for the nets' digests. */
interface PackList {
  readonly provider: ModelProvider;
  readonly packs: readonly { readonly manifest: ModelPackManifest; readonly file: string }[];
}

const embedder = openEmbedder();

async function openEmbedder(): Promise<{ readonly embedder: MediaEmbedder; readonly nets: string[] }> {
  const { packList } = workerData as { readonly packList: string };
  const { provider, packs }: PackList = JSON.parse(readFileSync(packList, 'utf8'));
  const bytesOf = new Map<string, Uint8Array>();
  const sources = packs.map(({ manifest, file }): PackSource => {
    const bytes = bytesOf.get(file) ?? readFileSync(file);
    bytesOf.set(file, bytes);
    const pinned = manifest.files.find(({ name }) => name === manifest.net)?.sha256;
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    // Unpack hosts may write where the nets lie, so they are believed only here, as they are in memory.
    if (sha256 !== pinned) {
      throw new HomewardError(
        'HW_MODEL_FILE',
        `expected a net of SHA-256 ${pinned} for ${manifest.id}, received ${sha256}; start the scan again`,
      );
    }
    return { manifest, bytes };
  });
  return {
    embedder: await MediaEmbedder.open(sources, provider),
    nets: packs.map(({ manifest }) => `${manifest.id} ${manifest.version}`.slice(0, 80)),
  };
}

/** What one thread of a model host does with a task; one at a time. */
export default async function work(task: ModelThreadTask): Promise<ModelAnswer> {
  const { embedder: open, nets } = await embedder;
  if (task === 'warm') return { nets };
  parentPort?.postMessage({ started: task.taskId } satisfies ModelThreadMessage);
  if (task.kind === 'compare')
    return { results: task.candidates.map((candidate) => compareGeometry(task.query, candidate)) };
  const { plan, sha256, budget } = task;
  const scratchKey = task.scratchKey === null ? null : Buffer.from(task.scratchKey, 'base64');
  return {
    embedding: await embedFile(
      { path: Buffer.from(task.path, 'base64'), sha256, plan, budget, scratchKey },
      { embedder: open, extractKeypoints, keypointSidePixels: KEYPOINT_SIDE_PIXELS },
    ),
  };
}
