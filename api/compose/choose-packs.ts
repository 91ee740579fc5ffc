import { type Pack, type PackEntry, packNamed } from '../../models/registry/packs.ts';
import type { Config, ModelSettings } from '../../schemas/config.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { PackKind } from '../../schemas/model-pack.ts';

/** The packs that the configuration names, each of the kind it is named for. */
export interface ChosenPacks {
  readonly detector: Pack;
  readonly landmarks: Pack;
  readonly faceEmbeddings: readonly Pack[];
  readonly copyEmbeddings: readonly Pack[];
  readonly placeEmbeddings: readonly Pack[];
  readonly classifiers: readonly Pack[];
}

/** @throws HomewardError HW_MODEL_NOT_FOUND or HW_MODEL_MANIFEST for a pack, HW_CONFIG_INVALID where it is named for another kind than its own */
export function choosePacks({ models }: Config, entries: readonly PackEntry[]): ChosenPacks {
  const one = (setting: keyof ModelSettings, id: string, kind: PackKind): Pack => {
    const pack = packNamed(entries, id);
    if (pack.manifest.kind !== kind) {
      throw new HomewardError(
        'HW_CONFIG_INVALID',
        `expected a pack of the kind ${kind} for models.${setting}, received ${id}, which is a ${pack.manifest.kind}; homeward models list shows the kinds`,
      );
    }
    return pack;
  };
  const several = (setting: keyof ModelSettings, ids: readonly string[], kind: PackKind): Pack[] =>
    [...new Set(ids)].map((id) => one(setting, id, kind));
  return {
    detector: models.thoroughFaces
      ? one('thoroughDetector', models.thoroughDetector, 'faceDetector')
      : one('detector', models.detector, 'faceDetector'),
    landmarks: one('landmarks', models.landmarks, 'faceLandmarks'),
    faceEmbeddings: several('faceEmbeddings', models.faceEmbeddings, 'faceEmbedding'),
    copyEmbeddings: several('copyEmbeddings', models.copyEmbeddings, 'copyEmbedding'),
    placeEmbeddings: several('placeEmbeddings', models.placeEmbeddings, 'placeEmbedding'),
    classifiers: several('classifiers', models.classifiers, 'classifier'),
  };
}

/** All of them in one list. */
export function packsOf(chosen: ChosenPacks): Pack[] {
  return [
    chosen.detector,
    chosen.landmarks,
    ...chosen.faceEmbeddings,
    ...chosen.copyEmbeddings,
    ...chosen.placeEmbeddings,
    ...chosen.classifiers,
  ];
}
