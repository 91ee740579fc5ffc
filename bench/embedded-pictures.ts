import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { Compile } from 'typebox/compile';
import type { Embedding, EmbedPlan } from '../schemas/embedding.ts';
import type { Examination } from '../schemas/fingerprint.ts';
import { DEFAULT_FILE_BUDGET } from '../schemas/host-protocol.ts';
import { ModelPackManifest } from '../schemas/model-pack.ts';
import { MediaEmbedder, type PackSource } from '../workers/embed/media-embedder.ts';
import { examineFile } from '../workers/examine.ts';
import { embedFile } from '../workers/examine-models.ts';
import { extractKeypoints, KEYPOINT_SIDE_PIXELS } from '../workers/geometry/extract-keypoints.ts';
import { PictureHasher } from '../workers/hash/picture-hasher.ts';

/** For benches of what is made of vectors: files as the hosts would describe them, in this process, since the files are known to be harmless. */

export interface EmbeddedPicture {
  /** Relative to the folder asked for. */
  readonly file: string;
  readonly examination: Examination;
  readonly embedding: Embedding;
}

const PACKS = path.join(import.meta.dirname, '..', 'models', 'packs');
const USED = ['blazeface', 'face-landmarks-68', 'dlib-128', 'faceres-1024', 'mobilenet-v2-copy', 'mobilenet-v2-place'];
export const PLAN: EmbedPlan = {
  faceDetector: 'blazeface',
  packs: USED.filter((id) => id !== 'blazeface'),
  keypoints: true,
};

const isManifest = Compile(ModelPackManifest);

/** Manifests of the packs that a scan uses unless told otherwise. */
export function usedManifests(): ModelPackManifest[] {
  return USED.map((id) => {
    const manifest: unknown = JSON.parse(readFileSync(path.join(PACKS, id, 'manifest.json'), 'utf8'));
    if (!isManifest.Check(manifest)) throw new Error(`expected a manifest of pack ${id}, received something else`);
    return manifest;
  });
}

/** All files below a folder, in one order. */
export function filesBelow(folder: string, under = ''): string[] {
  return readdirSync(path.join(folder, under))
    .sort()
    .flatMap((name) => {
      const relative = path.join(under, name);
      return statSync(path.join(folder, relative)).isDirectory() ? filesBelow(folder, relative) : [relative];
    });
}

/** Examines and embeds files one after the other; those that are no pictures are left out. */
export async function* embedPictures(
  folder: string,
  files: readonly string[],
  netBytes: (manifest: ModelPackManifest) => Promise<Uint8Array>,
): AsyncGenerator<EmbeddedPicture> {
  const sources: PackSource[] = [];
  for (const manifest of usedManifests()) sources.push({ manifest, bytes: await netBytes(manifest) });
  const embedder = await MediaEmbedder.open(sources);
  const hasher = await PictureHasher.load();
  try {
    for (const file of files) {
      const at = Buffer.from(path.join(folder, file));
      const examination = await examineFile({ path: at, mode: 'exact', budget: DEFAULT_FILE_BUDGET }, hasher);
      if (examination.picture === null || examination.digests === null) continue;
      const embedding = await embedFile(
        { path: at, sha256: examination.digests.sha256, plan: PLAN, budget: DEFAULT_FILE_BUDGET },
        { embedder, extractKeypoints, keypointSidePixels: KEYPOINT_SIDE_PIXELS },
      );
      yield { file, examination, embedding };
    }
  } finally {
    await embedder.close();
  }
}
