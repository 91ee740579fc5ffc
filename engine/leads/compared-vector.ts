import { COPY_PARTS } from '../../schemas/constants.ts';
import type { ModelMethod } from '../../schemas/model-match.ts';

/** One of the two vectors of a comparison, by what it was computed from. */
export interface ComparedVector {
  /** `pack@version/output` with the part, as the vector is stored. */
  readonly space: string;
  readonly pack: string | null;
  readonly version: string | null;
  /** Of the net. */
  readonly output: string | null;
  /** Of the picture, for copies; other methods look at whole pictures or faces. */
  readonly part: (typeof COPY_PARTS)[number] | null;
}

/** Where the parts lie, for whoever computes a vector again; see workers/embed/copy-regions.ts. */
export const COPY_PART_RULE =
  'whole: the picture without uniform borders. centre: the middle 60 % of its width and height. left and right, top and bottom: where a seam shows that two pictures were put together, what lies on either side of it, less 1 % of the side.';

/** Null for all but the space where its name has another form than ours. */
export function comparedVector(space: string, method: ModelMethod): ComparedVector {
  const named = /^([a-z0-9-]+)@(\d+\.\d+\.\d+)\/(.+)$/.exec(space);
  const [pack = null, version = null, stored = null] = named?.slice(1) ?? [];
  if (method !== 'copy' || stored === null) return { space, pack, version, output: stored, part: null };
  const part = COPY_PARTS.find((one) => one !== 'whole' && stored.endsWith(`/${one}`)) ?? 'whole';
  const output = part === 'whole' ? stored : stored.slice(0, -part.length - 1);
  return { space, pack, version, output, part };
}
