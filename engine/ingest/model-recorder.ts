import { PIPELINE_VERSION } from '../../schemas/constants.ts';
import { refreshLeads } from '../leads/refresh.ts';
import { type EvidenceSearch, findModelEvidence } from '../match/find-model-evidence.ts';
import { recordDevices } from '../match/model-camera.ts';
import type { ModelEvidence } from '../match/model-evidence.ts';
import { recordModelMatches } from '../match/model-matches.ts';
import { recordEmbeddings } from '../store/queries/record-embeddings.ts';
import { holdSeries, seriesRevision } from '../store/queries/series-turn.ts';
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

  /**
   * Looks for what ties these media to the series as they are when that is recorded. The same again adds nothing. As long as series change
   * during the search it is made again: those are changes that people make, one at a time, and a group that waits for them loses nothing.
   */
  async match(mediaIds: readonly number[]): Promise<void> {
    for (;;) {
      const revision = await seriesRevision(this.#evidence.db);
      const evidence = await findModelEvidence(this.#evidence, mediaIds);
      const added = await this.#recordMatches(mediaIds, evidence, revision);
      if (added === null) continue;
      this.added.matches += added.matches;
      this.added.leads += added.leads;
      return;
    }
  }

  /** Null, and nothing is recorded, where the series are not those any more in which the evidence was found. */
  async #recordMatches(
    mediaIds: readonly number[],
    evidence: readonly ModelEvidence[],
    revision: string,
  ): Promise<{ readonly matches: number; readonly leads: number } | null> {
    return await retrying(
      async () =>
        await this.#evidence.db.transaction(async (tx) => {
          await holdSeries(tx);
          if ((await seriesRevision(tx)) !== revision) return null;
          await recordDevices(tx, mediaIds);
          const matches = await recordModelMatches(tx, PIPELINE_VERSION, evidence);
          const { opened } = await refreshLeads(tx, { mediaIds });
          return { matches, leads: opened };
        }),
    );
  }
}
