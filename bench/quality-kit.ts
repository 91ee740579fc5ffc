import { readFileSync } from 'node:fs';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { EmbedPlan, PackVector } from '../schemas/embedding.ts';
import type { PackCalibration } from '../schemas/model-pack.ts';
import { sharedData } from '../test/shared-data.ts';
import { decodePicture } from '../workers/decode/decode.ts';
import type { DecodedPicture } from '../workers/decode/decoded-picture.ts';
import { lookedAtPicture } from '../workers/embed/looked-at-picture.ts';
import { MediaEmbedder, type PictureEmbedding } from '../workers/embed/media-embedder.ts';
import { shippedPacks } from '../workers/embed/test-packs.ts';
import { sniffType } from '../workers/read/sniff.ts';
import { type BenchResult, NotAvailable } from './harness.ts';

/** A result with the calibrations that were counted in it, by name of pack or of several packs together. */
export interface QualityResult extends BenchResult {
  readonly calibrations: Readonly<Record<string, PackCalibration>>;
}

const Labels = Type.Object({
  faces: Type.Array(Type.Object({ file: Type.String(), label: Type.String() })),
  places: Type.Array(
    Type.Object({
      file: Type.String(),
      label: Type.String(),
      placeKind: Type.String(),
      role: Type.Optional(Type.String()),
      frame: Type.Optional(Type.Integer()),
      positiveTolerance: Type.Optional(Type.Integer()),
    }),
  ),
});
const labelsCheck = Compile(Labels);
export type LabelledFace = Type.Static<typeof Labels>['faces'][number];
export type LabelledPlace = Type.Static<typeof Labels>['places'][number];

export function readLabels(): Type.Static<typeof Labels> {
  const parsed: unknown = JSON.parse(readFileSync(sharedFile('labels.json'), 'utf8'));
  if (!labelsCheck.Check(parsed)) throw new Error('expected faces and places in labels.json, received something else');
  return parsed;
}

/** An absolute path of ../shared/data. */
export function sharedFile(relative: string): string {
  const file = sharedData(`data/${relative}`);
  if (file === undefined)
    throw new NotAvailable(`../shared/data/${relative}`, 'the quality report needs the labelled pictures');
  return file;
}

const WHOLE = { mode: 'exact', budget: { pixels: 100_000_000, sidePixels: 65_500 } } as const;

export async function decodeBytes(bytes: Buffer): Promise<DecodedPicture> {
  const type = sniffType(bytes);
  if (type.class.kind !== 'picture') throw new Error(`expected a picture, received ${type.mediaType}`);
  const decoded = await decodePicture(bytes, type.mediaType, type.class.decoder, WHOLE);
  if (decoded.kind === 'refused') throw new Error(`expected a picture that decodes, received ${decoded.reason.detail}`);
  return decoded;
}

/** The shipped packs, opened once a process. */
export class Models {
  readonly #embedder: MediaEmbedder;

  private constructor(embedder: MediaEmbedder) {
    this.#embedder = embedder;
  }

  static async open(): Promise<Models> {
    return new Models(await MediaEmbedder.open(await shippedPacks()));
  }

  async describe(decoded: DecodedPicture, plan: EmbedPlan): Promise<PictureEmbedding> {
    const described = await this.#embedder.embed(lookedAtPicture(decoded, 1), plan);
    if (described.trouble !== null) throw new Error(`expected all models to work, received ${described.trouble}`);
    return described;
  }

  async close(): Promise<void> {
    await this.#embedder.close();
  }
}

export function vectorOf(vectors: readonly PackVector[], pack: string, output: string): Float32Array | undefined {
  const found = vectors.find((vector) => vector.pack === pack && vector.output === output);
  if (found === undefined) return undefined;
  const bytes = Buffer.from(found.values, 'base64');
  return Float32Array.from({ length: found.dimensions }, (_, i) => bytes.readFloatLE(i * 4));
}

/** Of two vectors of length 1. */
export function cosine(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

export const percent = (share: number): number => Math.round(share * 1000) / 10;
