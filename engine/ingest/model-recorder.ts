import { PIPELINE_VERSION } from '../../schemas/constants.ts';
import { refreshLeads } from '../leads/refresh.ts';
import { type EvidenceSearch, findModelEvidence } from '../match/find-model-evidence.ts';
import { recordDevices } from '../match/model-camera.ts';
import { recordModelMatches } from '../match/model-matches.ts';
import { recordEmbeddings } from '../store/queries/record-embeddings.ts';
import { retrying } from '../store/sqlstate.ts';
import type { EmbeddedMedia } from './embed-batch.ts';

/** Records what the models said of groups of media, what that ties them to, and the leads that follow. */
export class ModelRecorder {
  readonly #evidence: EvidenceSearch;
  readonly #profile: Uint8Array;
  readonly added = { media: 0, faces: 0, vectors: 0, matches: 0, leads: 0 };

  /** @param profile 32 bytes; see embedding_run */
  constructor(evidence: EvidenceSearch, profile: Uint8Array) {
    this.#evidence = evidence;
    this.#profile = profile;
  }

  /** Records a group, whole or not at all; its evidence follows in a transaction of its own, since the search may take its time. */
  async record(group: readonly EmbeddedMedia[]): Promise<void> {
    const { db } = this.#evidence;
    // A file that has changed says nothing about the media it was; it is asked again when it is back.
    const recordable = group.filter(({ embedding }) => embedding.reason?.code !== 'changed');
    const recorded = await retrying(
      async () =>
        await db.transaction(
          async (tx) =>
            await recordEmbeddings(
              tx,
              recordable.map(({ mediaId, embedding }) => ({ mediaId, profile: this.#profile, embedding })),
            ),
        ),
    );
    this.added.media += recorded.runs;
    this.added.faces += recorded.faces;
    this.added.vectors += recorded.vectors;
    await this.match(recordable.map(({ mediaId }) => mediaId));
  }

  /** Looks for what ties these media to the series as they are now. The same again adds nothing. */
  async match(mediaIds: readonly number[]): Promise<void> {
    const { db } = this.#evidence;
    const evidence = await findModelEvidence(this.#evidence, mediaIds);
    await retrying(
      async () =>
        await db.transaction(async (tx) => {
          await recordDevices(tx, mediaIds);
          this.added.matches += await recordModelMatches(tx, PIPELINE_VERSION, evidence);
          const { opened } = await refreshLeads(tx, { mediaIds });
          this.added.leads += opened;
        }),
    );
  }
}
