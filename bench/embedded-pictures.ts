import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Embedding, EmbedPlan } from '../schemas/embedding.ts';
import type { Examination } from '../schemas/fingerprint.ts';
import { DEFAULT_FILE_BUDGET } from '../schemas/host-protocol.ts';
import type { ModelPackManifest } from '../schemas/model-pack.ts';
import { MediaEmbedder } from '../workers/embed/media-embedder.ts';
import { SHIPPED_PACKS, shippedPacks } from '../workers/embed/test-packs.ts';
import { examineFile } from '../workers/examine.ts';
import { embedFile } from '../workers/examine-models.ts';
import { extractKeypoints, KEYPOINT_SIDE_PIXELS } from '../workers/geometry/extract-keypoints.ts';
import { PictureHasher } from '../workers/hash/picture-hasher.ts';

/** For benches of what is made of vectors: files described as hosts do it, but in this process, since they are known to end no process. */

export interface EmbeddedPicture {
  /** Relative to the folder. */
  readonly file: string;
  readonly examination: Examination;
  readonly embedding: Embedding;
}

const { detector, landmarks, faces, copies, places } = SHIPPED_PACKS;
const PLAN: EmbedPlan = { faceDetector: detector, packs: [landmarks, ...faces, copies, places], keypoints: true };
/** What decides how a picture is described: when it changes, what was kept is of no use. */
const DESCRIBED_BY = ['workers', 'models/convert', 'models/packs'];
const ROOT = path.resolve(import.meta.dirname, '..');

export interface EmbeddedSet {
  readonly manifests: readonly ModelPackManifest[];
  readonly pictures: readonly EmbeddedPicture[];
}

/**
 * Describes these files by all packs that a scan uses; those that are no pictures are left out. Takes a third of a second each, so
 * answers are kept in the folder for temporary files for as long as nothing changes that decides them.
 */
export async function embeddedPictures(
  folder: string,
  files: readonly string[],
  say: (text: string) => void,
): Promise<EmbeddedSet> {
  const sources = await shippedPacks([detector, ...PLAN.packs]);
  const kept = path.join(tmpdir(), 'homeward-bench-embedded');
  mkdirSync(kept, { recursive: true });
  const store = path.join(kept, `${sourceDigest(folder)}.ndjson`);
  const known = new Map(readStore(store).map((one) => [one.file, one.described]));
  const missing = files.filter((file) => !known.has(file));
  if (missing.length > 0) {
    const embedder = await MediaEmbedder.open(sources);
    const hasher = await PictureHasher.load();
    try {
      for (const [at, file] of missing.entries()) {
        if (at % 50 === 0) say(`describing picture ${at} of ${missing.length}`);
        const described = await describe(path.join(folder, file), embedder, hasher);
        known.set(file, described);
        // Begun on a line of its own, since the one before may have been cut off.
        appendFileSync(store, `\n${JSON.stringify({ file, described })}`);
      }
    } finally {
      await embedder.close();
    }
  }
  return {
    manifests: sources.map(({ manifest }) => manifest),
    pictures: files.flatMap((file) => {
      const described = known.get(file);
      return described ? [{ file, ...described }] : [];
    }),
  };
}

type Described = Omit<EmbeddedPicture, 'file'>;

async function describe(file: string, embedder: MediaEmbedder, hasher: PictureHasher): Promise<Described | null> {
  const at = Buffer.from(file);
  const examination = await examineFile({ path: at, mode: 'exact', budget: DEFAULT_FILE_BUDGET }, hasher);
  if (examination.picture === null || examination.digests === null) return null;
  const { sha256 } = examination.digests;
  const embedding = await embedFile(
    { path: at, sha256, plan: PLAN, budget: DEFAULT_FILE_BUDGET },
    { embedder, extractKeypoints, keypointSidePixels: KEYPOINT_SIDE_PIXELS },
  );
  return { examination, embedding };
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

function sourceDigest(folder: string): string {
  const hash = createHash('sha256').update(folder);
  for (const of of DESCRIBED_BY) {
    for (const file of filesBelow(path.join(ROOT, of))) {
      if (/\.(ts|json|wasm)$/.test(file) && !file.includes('test'))
        hash.update(readFileSync(path.join(ROOT, of, file)));
    }
  }
  return hash.digest('hex').slice(0, 16);
}

interface Kept {
  readonly file: string;
  readonly described: Described | null;
}

/** Written by this file alone, of the same version. A line that was cut off is described again. */
function readStore(store: string): Kept[] {
  if (!existsSync(store)) return [];
  return readFileSync(store, 'utf8')
    .split('\n')
    .flatMap((line): Kept[] => {
      try {
        return line === '' ? [] : [JSON.parse(line)];
      } catch {
        return [];
      }
    });
}
