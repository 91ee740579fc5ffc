import { MOST_FACES } from '../../schemas/constants.ts';
import type { Face } from '../../schemas/embedding.ts';
import type { ModelPackManifest } from '../../schemas/model-pack.ts';
import { alignment, type LocatedFace } from './align.ts';
import { detectFaces } from './detect-faces.ts';
import { embedBatch, embeddingOutputs, type InputWriter } from './embed-batch.ts';
import { faceRecord, type StoredFrame } from './face-record.ts';
import { writeChip } from './input-tensor.ts';
import { placeLandmarks } from './landmarks.ts';
import type { NetSession } from './net-session.ts';
import { packVector } from './pack-vector.ts';
import type { Pyramid } from './pyramid.ts';
import type { Similarity } from './similarity.ts';
import type { StepClock } from './step-clock.ts';

/** A pack and the session it is run in. */
export interface OpenPack {
  readonly manifest: ModelPackManifest;
  readonly session: NetSession;
}

export interface FacePacks {
  readonly detector: OpenPack;
  /** The first of the plan's landmark packs; without one, packs that are aligned by 68 landmarks give no vector. */
  readonly landmarks: OpenPack | undefined;
  readonly embeddings: readonly OpenPack[];
}

export interface DescribedFaces {
  readonly found: number;
  readonly faces: Face[];
  /** What went wrong with single faces or runs, in words; the rest is there all the same. */
  readonly trouble: string[];
}

/** Finds the faces of the upright picture, places landmarks on them, and describes the most certain ones. */
export async function describeFaces(
  packs: FacePacks,
  pyramid: Pyramid,
  frame: StoredFrame,
  clock: StepClock,
): Promise<DescribedFaces> {
  const { manifest, session } = packs.detector;
  const { detection } = manifest;
  const trouble: string[] = [];
  if (detection === null) return { found: 0, faces: [], trouble: [`${manifest.id} is no detector`] };
  const detected = await clock.measure('detect', () => detectFaces(session, manifest, detection, pyramid));
  if (detected.failedRuns > 0) trouble.push(`${manifest.id}: NaN or Infinity in ${detected.failedRuns} runs`);
  const chosen = detected.faces.slice(0, MOST_FACES).map((face) => ({ ...face, landmarks: [] }));
  const { landmarks } = packs;
  const placed =
    landmarks === undefined || chosen.length === 0
      ? []
      : await clock.measure('landmarks', () => placeLandmarks(landmarks.session, landmarks.manifest, pyramid, chosen));
  const located = chosen.map((face, i) => ({ ...face, landmarks: placed[i] ?? [] }));
  if (landmarks !== undefined && located.some((face) => face.landmarks.length === 0))
    trouble.push(`${landmarks.manifest.id}: a face without landmarks`);
  const faces = await clock.measure('faces', async () => {
    const records = located.map((face) => faceRecord(face, manifest, pyramid, frame));
    for (const pack of packs.embeddings) trouble.push(...(await addVectors(records, located, pack, pyramid)));
    return records;
  });
  return { found: detected.found, faces, trouble };
}

async function addVectors(
  records: Face[],
  located: readonly LocatedFace[],
  { manifest, session }: OpenPack,
  pyramid: Pyramid,
): Promise<string[]> {
  const { id, version, input } = manifest;
  const chips: { record: Face; toPicture: Similarity }[] = [];
  let lacking = 0;
  for (const [i, face] of located.entries()) {
    const toPicture = manifest.alignment === null ? undefined : alignment(face, manifest.alignment, input);
    const record = records[i];
    if (toPicture === undefined || record === undefined) lacking += 1;
    else chips.push({ record, toPicture });
  }
  const writers = chips.map(
    ({ toPicture }): InputWriter =>
      (target, at) =>
        writeChip(pyramid, toPicture, input, target, at),
  );
  const outputs = embeddingOutputs(manifest);
  let unusable = 0;
  for (const [i, vectors] of (await embedBatch(session, manifest, writers)).entries())
    for (const [o, vector] of vectors.entries()) {
      const output = outputs[o];
      if (vector === undefined || output === undefined) unusable += 1;
      else chips[i]?.record.vectors.push(packVector(id, version, output.name, vector));
    }
  return [
    ...(lacking > 0 ? [`${id}: ${lacking} faces without the landmarks it is aligned by`] : []),
    ...(unusable > 0 ? [`${id}: ${unusable} outputs with NaN, Infinity or no direction`] : []),
  ];
}
