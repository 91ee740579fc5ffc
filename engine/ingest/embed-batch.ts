import type { Embedding, EmbedPlan } from '../../schemas/embedding.ts';
import type { ArchiveBudget } from '../../schemas/host-protocol.ts';
import { goThroughArchive } from './archive.ts';
import { Gate } from './gate.ts';
import { type Place, placeOfFile } from './place.ts';
import type { EmbedPort } from './ports.ts';
import { RowWriter } from './row-writer.ts';
import type { Scratch } from './scratch.ts';
import { walkInGroups } from './walk.ts';

/** Faces and vectors of a media are some 20 kB, and their search takes a while: smaller groups than those of the first stage. */
const MEDIA_PER_GROUP = 32;

/** A media that has a picture and was not gone through by these models yet. */
export interface PendingMedia {
  readonly mediaId: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

/** What one run of the models said of one media. */
export interface EmbeddedMedia extends PendingMedia {
  readonly embedding: Embedding;
}

/** What is still to be done, by path key in hexadecimal. */
export interface PendingPlaces {
  /** Of these places. */
  at(pathKeys: readonly Buffer[]): Promise<ReadonlyMap<string, PendingMedia>>;
  /** In this archive itself, not in those within it. */
  inArchive(pathKey: Buffer): Promise<ReadonlyMap<string, PendingMedia>>;
  /** Archives that hold something, at any depth. */
  readonly archives: ReadonlySet<string>;
}

export interface EmbedDependencies {
  readonly embedder: EmbedPort;
  readonly scratch: Scratch;
  readonly pending: PendingPlaces;
  /** Records one group, whole or not at all. */
  readonly record: (media: readonly EmbeddedMedia[]) => Promise<void>;
}

export interface EmbedRequest {
  readonly roots: readonly Buffer[];
  readonly plan: EmbedPlan;
  readonly archiveBudget: ArchiveBudget;
  /** Stops cleanly: what is in flight is finished and recorded, nothing new is begun. */
  readonly signal: AbortSignal;
}

/**
 * The second stage of a batch: the models look at every content that the first stage found a picture in, once, wherever it lies. What
 * they said before is not asked again, so that an interrupted stage goes on where it stopped. Files are read anew, since the first
 * stage keeps no pixels; a file that has changed since then is refused by its digest.
 * Returns false when it was stopped before the end.
 * @throws what `record` throws; everything recorded before stays
 */
export async function embedBatch(
  dependencies: EmbedDependencies,
  request: EmbedRequest,
  embedded: (media: EmbeddedMedia) => void,
): Promise<boolean> {
  const { embedder, pending } = dependencies;
  const writer = new RowWriter<EmbeddedMedia>(dependencies.record, MEDIA_PER_GROUP);
  const files = new Gate(embedder.capacity * 2);
  /** One content may lie in many places. */
  const begun = new Set<number>();

  const embedOne = async (file: Buffer, media: PendingMedia): Promise<void> => {
    if (begun.has(media.mediaId)) return;
    begun.add(media.mediaId);
    const embedding = await embedder.embed({ path: file, sha256: media.sha256, plan: request.plan });
    const done = { ...media, embedding };
    embedded(done);
    await writer.add(done);
  };

  for await (const group of walkInGroups(request.roots)) {
    if (request.signal.aborted) break;
    const places = group.map((entry) => placeOfFile(entry.path));
    const wanted = await pending.at(places.map((place) => place.pathKey));
    for (const [at, entry] of group.entries()) {
      const place = places[at];
      if (request.signal.aborted) break;
      if (place === undefined || entry.refusal !== null) continue;
      const key = place.pathKey.toString('hex');
      const media = wanted.get(key);
      if (media !== undefined) await files.run(() => embedOne(entry.path, media));
      if (pending.archives.has(key)) await embedArchive(entry.path, place, dependencies, request, embedOne);
    }
  }
  await files.drained();
  await writer.finish();
  return !request.signal.aborted;
}

/** Goes through an archive that holds something to do; the entries of each archive in it are looked up when it is opened. */
async function embedArchive(
  file: Buffer,
  place: Place,
  { embedder, scratch, pending }: EmbedDependencies,
  { archiveBudget, signal }: EmbedRequest,
  embedOne: (file: Buffer, media: PendingMedia) => Promise<void>,
): Promise<void> {
  const lookUps = new Map<string, Promise<ReadonlyMap<string, PendingMedia>>>();
  const wantedIn = (container: Buffer): Promise<ReadonlyMap<string, PendingMedia>> => {
    const key = container.toString('hex');
    const found = lookUps.get(key) ?? pending.inArchive(container);
    lookUps.set(key, found);
    return found;
  };
  await goThroughArchive<Place>(
    file,
    place,
    { unpacker: embedder, scratch, budget: archiveBudget, signal },
    {
      entry: async (_entry, entryPlace, scratchFile) => {
        if (scratchFile === null || entryPlace.containerPathKey === null) return null;
        const key = entryPlace.pathKey.toString('hex');
        if (pending.archives.has(key)) return entryPlace;
        const media = (await wantedIn(entryPlace.containerPathKey)).get(key);
        if (media !== undefined) await embedOne(Buffer.from(scratchFile), media);
        return null;
      },
      closed: async (inner) => {
        lookUps.delete(inner.pathKey.toString('hex'));
      },
    },
  );
}
