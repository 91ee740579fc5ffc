import { COLOUR_DIMENSIONS, COLOUR_OUTPUT, COPY_PARTS, partOutput } from '../../../schemas/constants.ts';
import type { ModelPackManifest } from '../../../schemas/model-pack.ts';
import type { Db, Queryable } from '../db.ts';
import { integer, oneOf, type RowOf, row, text } from '../row-shape.ts';

export const SPACE_KINDS = ['faceEmbedding', 'copyEmbedding', 'placeEmbedding'] as const;
const SPACE_STATES = ['building', 'active', 'retired'] as const;

/** One output of one version of one pack, as it is to be stored. */
export interface SpaceKey {
  readonly packId: string;
  readonly packVersion: string;
  readonly output: string;
  readonly kind: (typeof SPACE_KINDS)[number];
  readonly dimensions: number;
  readonly metric: 'cosine' | 'euclidean';
}

const SPACE = row({
  spaceRef: integer,
  packId: text,
  packVersion: text,
  output: text,
  kind: oneOf(SPACE_KINDS),
  dimensions: integer,
  metric: oneOf(['cosine', 'euclidean'] as const),
  state: oneOf(SPACE_STATES),
});
export type EmbeddingSpace = RowOf<typeof SPACE>;
const COLUMNS = 'space_ref, pack_id, pack_version, output, kind, dimensions, metric, state';

/** Where the vectors of a space lie, and what one belongs to: a face or a media. Written by us, so it may become part of SQL. */
export function vectorTable(space: Pick<EmbeddingSpace, 'kind'>): {
  readonly table: 'face_vector' | 'picture_vector';
  readonly idColumn: 'face_id' | 'media_id';
} {
  return space.kind === 'faceEmbedding'
    ? { table: 'face_vector', idColumn: 'face_id' }
    : { table: 'picture_vector', idColumn: 'media_id' };
}

/** `dlib-128@1.0.0/embedding`, as evidence and errors name it. */
export function spaceName(key: Pick<SpaceKey, 'packId' | 'packVersion' | 'output'>): string {
  return `${key.packId}@${key.packVersion}/${key.output}`;
}

/**
 * The spaces that a pack's stored outputs make; none for a detector, for landmarks or for a classifier. Each part of a picture that
 * copies are told by has one of its own, and places have one more for their colours.
 */
export function spacesOfManifest(
  manifest: Pick<ModelPackManifest, 'id' | 'version' | 'kind' | 'metric' | 'outputs'>,
): SpaceKey[] {
  const kind = SPACE_KINDS.find((one) => one === manifest.kind);
  const { metric } = manifest;
  if (kind === undefined || metric === null) return [];
  const space = (output: string, dimensions: number): SpaceKey => ({
    packId: manifest.id,
    packVersion: manifest.version,
    output,
    kind,
    dimensions,
    metric,
  });
  const spaces = manifest.outputs
    .filter((output) => output.role === 'embedding' && output.dimensions > 0)
    .flatMap(({ name, dimensions }) =>
      kind === 'copyEmbedding'
        ? COPY_PARTS.map((part) => space(partOutput(name, part), dimensions))
        : [space(name, dimensions)],
    );
  return kind === 'placeEmbedding' ? [...spaces, space(COLOUR_OUTPUT, COLOUR_DIMENSIONS)] : spaces;
}

export async function listSpaces(db: Queryable): Promise<EmbeddingSpace[]> {
  return await db.read(SPACE, `select ${COLUMNS} from embedding_space order by pack_id, output, space_ref`);
}

/**
 * Finds these spaces, in the order asked, and makes what is not there. The first version of a pack is searched at once; a later one is
 * `building` beside it until `activateSpaces`, and one that was retired before is `building` again with the vectors it still has.
 */
export async function openSpaces(db: Db, keys: readonly SpaceKey[]): Promise<EmbeddingSpace[]> {
  return await db.transaction(async (tx) => {
    // Two scans that start together would each take their version for the first one.
    await tx.execute('lock table embedding_space in share row exclusive mode');
    const opened: EmbeddingSpace[] = [];
    for (const key of keys) {
      const [space] = await tx.read(
        SPACE,
        `insert into embedding_space as s (pack_id, pack_version, output, kind, dimensions, metric, state)
         values ($1, $2, $3, $4, $5, $6,
                 case when exists (select from embedding_space where pack_id = $1 and output = $3 and state = 'active')
                      then 'building' else 'active' end)
         on conflict (pack_id, pack_version, output) do update
            set state = case when s.state = 'retired' then excluded.state else s.state end
         returning ${COLUMNS}`,
        [key.packId, key.packVersion, key.output, key.kind, key.dimensions, key.metric],
      );
      if (space === undefined) throw new RangeError(`expected a row for the space ${spaceName(key)}`);
      if (space.dimensions !== key.dimensions || space.kind !== key.kind) {
        throw new RangeError(
          `expected ${spaceName(key)} with ${space.dimensions} dimensions for ${space.kind}, as stored, received ${key.dimensions} for ${key.kind}; a pack that changes needs a new version`,
        );
      }
      opened.push(space);
    }
    return opened;
  });
}
