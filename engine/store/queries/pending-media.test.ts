import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { openTestBatch } from '../../../test/batch-kit.ts';
import { addSet } from '../../../test/known-set-kit.ts';
import { STORE_ENGINES } from '../../../test/store-engines.ts';
import { addMedia, embeddingWith } from '../../../test/vector-kit.ts';
import type { Db } from '../db.ts';
import { integer, row } from '../row-shape.ts';
import { countPending, mediaLookedAt, type PendingQuery, pendingAt } from './pending-media.ts';
import { recordEmbeddings } from './record-embeddings.ts';

const PROFILE = Buffer.alloc(32, 1);
const NEW_PROFILE = Buffer.alloc(32, 2);
const keyOf = (name: string): Buffer => createHash('sha256').update(`path of ${name}`).digest();

for (const engine of STORE_ENGINES) {
  describe(`what the models still have to look at on ${engine.name}`, engine.options, () => {
    let db: Db;
    let query: PendingQuery;
    const names = ['never', 'faceless', 'faces', 'failed', 'text'] as const;
    const pending = async (changes: Partial<PendingQuery> = {}): Promise<string[]> => {
      const asked = { ...query, ...changes };
      const found = await pendingAt(db, asked, names.map(keyOf));
      assert.equal(await countPending(db, asked), found.size);
      return names.filter((name) => found.has(keyOf(name).toString('hex')));
    };

    before(async () => {
      db = await engine.open();
      const batchId = await openTestBatch(db);
      query = {
        batchId,
        mode: 'exact',
        pipelineVersion: 'test',
        profile: PROFILE,
        skipKnown: false,
        lookedAt: null,
      };
      const ids = new Map<string, number>();
      for (const name of names) {
        const [mediaId = 0] = await addMedia(db, [name]);
        ids.set(name, mediaId);
        await db.execute(
          `insert into item (batch_id, path_key, path, media_id, type, outcome) values ($1, $2, $3, $4, 'image/jpeg', 'done')`,
          [batchId, keyOf(name), Buffer.from(name), mediaId],
        );
        await db.execute(
          `insert into fingerprint (media_id, pipeline_version, mode, outcome, width_pixels) values ($1, 'test', 'exact', $2, $3)`,
          [mediaId, name === 'text' ? 'notExamined' : 'done', name === 'text' ? null : 600],
        );
      }
      const run = (name: string, embedding: Parameters<typeof embeddingWith>[0]) => ({
        mediaId: ids.get(name) ?? 0,
        profile: PROFILE,
        embedding: embeddingWith(embedding),
      });
      await db.transaction(
        async (tx) =>
          await recordEmbeddings(tx, [
            run('faceless', {}),
            run('faces', { facesFound: 0 }),
            run('failed', { outcome: 'failed' }),
          ]),
      );
    });
    after(async () => await db.close());

    it('is every picture that was not gone through by these models, or failed', async () => {
      assert.deepEqual(await pending(), ['never', 'failed']);
      assert.deepEqual(await pending({ profile: NEW_PROFILE }), ['never', 'faceless', 'faces', 'failed']);
    });

    it('of another batch, mode or pipeline is none of it', async () => {
      assert.deepEqual(await pending({ mode: 'fast' }), []);
      assert.deepEqual(await pending({ pipelineVersion: 'another' }), []);
    });

    it('is, where models look again, only what they looked at before', async () => {
      assert.deepEqual(await pending({ profile: NEW_PROFILE, lookedAt: 'any' }), ['faceless', 'faces', 'failed']);
    });

    it('is, where faces are looked for again, only what was searched for faces before, found or not', async () => {
      assert.deepEqual(await pending({ profile: NEW_PROFILE, lookedAt: 'faces' }), ['faces']);
      assert.deepEqual(await pending({ profile: NEW_PROFILE, lookedAt: 'noFaces' }), ['faceless', 'failed']);
    });

    it('is, where what is known is left out, nothing that is known-good, unless it is near known material', async () => {
      const skipping = { profile: NEW_PROFILE, skipKnown: true };
      const [set] = await db.read(
        row({ setId: integer }),
        `insert into hash_set (source, name, version, content_sha256, format, category_scheme, state, imported_by, purpose)
         values ('test', 'good', 1, $1, 'nsrl', 'unspecified', 'active', 'tester', 'good') returning set_id`,
        [PROFILE],
      );
      for (const [at, name] of ['never', 'faces'].entries())
        await db.execute(
          `insert into media_good (media_id, set_id, record_id, method) select media_id, $1, $2, 'md5' from item where path_key = $3`,
          [set?.setId ?? 0, at, keyOf(name)],
        );
      assert.deepEqual(await pending(skipping), ['faceless', 'failed']);
      assert.deepEqual(await pending({ profile: NEW_PROFILE }), ['never', 'faceless', 'faces', 'failed']);
      const known = await addSet(db);
      await db.execute(
        `insert into match (media_id, set_id, record_id, method, algorithm, mode, pipeline_version, distance_bits, threshold_bits)
         select media_id, $1, 1, 'pdq', 'pdq-512/1', 'exact', 'test', 8, 31 from item where path_key = $2`,
        [known, keyOf('faces')],
      );
      assert.deepEqual(await pending(skipping), ['faceless', 'faces', 'failed']);
    });

    it('leaves what was looked at to be matched anew without being read', async () => {
      assert.equal((await mediaLookedAt(db, query)).length, 2);
      assert.deepEqual(await mediaLookedAt(db, { ...query, profile: NEW_PROFILE }), []);
    });
  });
}
