import { COPY_PARTS, partOutput } from '../../schemas/constants.ts';
import type { ModelFusion, ModelPackManifest } from '../../schemas/model-pack.ts';
import type { SearchedSpaces } from '../search/vector-search.ts';
import { type EmbeddingSpace, spaceName } from '../store/queries/embedding-spaces.ts';
import type { VectorMethod } from './model-evidence.ts';
import type { PlaceMethod } from './model-pictures.ts';

/** A method with the spaces of this database that it searches, in the order of its own spaces. */
export interface SearchedMethod<Method extends VectorMethod = VectorMethod> {
  readonly spaces: SearchedSpaces;
  readonly method: Method;
}

/**
 * How copies are told: the whole of a picture is compared with the whole and with each part of a known one, each of its parts with the
 * whole of a known one, and centre with centre (which finds what was tilted). Other parts are not compared with each other: that found
 * nothing more.
 */
export interface CopySearch extends SearchedMethod {
  readonly pairs: readonly { readonly own: EmbeddingSpace; readonly known: EmbeddingSpace }[];
}

/** Every way in which the models of a profile tie a media to a series. */
export interface ModelMethods {
  readonly face: readonly SearchedMethod[];
  readonly copy: readonly CopySearch[];
  readonly place: readonly SearchedMethod<PlaceMethod>[];
}

type Score = Pick<ModelFusion, 'parts' | 'thresholdSimilarity' | 'calibration'>;

export interface MethodSources {
  readonly manifests: readonly ModelPackManifest[];
  /** Of every stored output of the packs; those that are still being built are not searched. */
  readonly spaces: readonly EmbeddingSpace[];
  /** From models/fusions. */
  readonly fusions: readonly ModelFusion[];
}

/**
 * What can be searched with these packs: every fusion whose parts are all there, and by itself every pack that no fusion covers and
 * that has a threshold for a match. A pack without a threshold is stored and not searched.
 */
export function modelMethods({ manifests, spaces, fusions }: MethodSources): ModelMethods {
  const active = new Map(spaces.filter(({ state }) => state === 'active').map((space) => [spaceName(space), space]));
  const found: { readonly kind: EmbeddingSpace['kind']; readonly searched: SearchedMethod }[] = [];
  const covered = new Set<string>();
  const add = ({ parts, thresholdSimilarity, calibration }: Score): void => {
    const searched = parts.flatMap(({ weight, ...part }) => {
      const space = active.get(spaceName({ packId: part.pack, packVersion: part.version, output: part.output }));
      return space === undefined ? [] : [{ space, weight }];
    });
    const kind = searched[0]?.space.kind;
    if (kind === undefined || searched.length < parts.length) return;
    for (const { space } of searched) covered.add(space.packId);
    const named = searched.map(({ space, weight }) => ({ space: spaceName(space), weight }));
    found.push({ kind, searched: { spaces: searched, method: { spaces: named, thresholdSimilarity, calibration } } });
  };
  const [geometry] = fusions.filter(({ kind }) => kind === 'geometry');
  for (const fusion of fusions) add(fusion);
  for (const manifest of manifests) {
    const match = manifest.thresholds.find(({ use }) => use === 'match');
    const [output] = manifest.outputs.filter(({ role, dimensions }) => role === 'embedding' && dimensions > 0);
    if (covered.has(manifest.id) || match === undefined || output === undefined) continue;
    add({
      parts: [{ pack: manifest.id, version: manifest.version, output: output.name, weight: 1 }],
      thresholdSimilarity: match.score,
      calibration: manifest.calibration,
    });
  }
  const of = (kind: EmbeddingSpace['kind']): SearchedMethod[] =>
    found.filter((one) => one.kind === kind).map(({ searched }) => searched);
  return {
    face: of('faceEmbedding'),
    copy: of('copyEmbedding').flatMap(({ spaces: searched, method }) => {
      const [whole] = searched;
      return whole === undefined ? [] : [{ spaces: searched, method, pairs: copyPairs(whole.space, active) }];
    }),
    place: of('placeEmbedding').map(({ spaces: searched, method }) => ({
      spaces: searched,
      method: { ...method, geometryCalibration: geometry?.calibration ?? null },
    })),
  };
}

function copyPairs(whole: EmbeddingSpace, active: ReadonlyMap<string, EmbeddingSpace>): CopySearch['pairs'] {
  const parts = COPY_PARTS.filter((part) => part !== 'whole').flatMap((part) => {
    const space = active.get(spaceName({ ...whole, output: partOutput(whole.output, part) }));
    return space === undefined ? [] : [space];
  });
  const centre = parts.filter(({ output }) => output === partOutput(whole.output, 'centre'));
  return [
    { own: whole, known: whole },
    ...centre.map((space) => ({ own: space, known: space })),
    ...parts.flatMap((part) => [
      { own: whole, known: part },
      { own: part, known: whole },
    ]),
  ];
}
