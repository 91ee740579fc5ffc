import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { STORE_ENGINES } from '../../../test/store-engines.ts';
import { addMedia, embeddingWith, faceWith, packVector, spaceKey, unitVector } from '../../../test/vector-kit.ts';
import type { Db } from '../db.ts';
import { type EmbeddingSpace, listSpaces, openSpaces, type SpaceKey } from './embedding-spaces.ts';
import { countVectors, gallerySize, setFaceInGallery, setMediaInGallery } from './gallery.ts';
import { type NewEmbedding, recordEmbeddings } from './record-embeddings.ts';
import { activateSpaces, dropSpace, reembedProgress } from './reembed.ts';
import { buildVectorIndex, hasVectorIndex } from './vector-indexes.ts';

for (const engine of STORE_ENGINES) {
  describe(`a new version of a pack on ${engine.name}`, engine.options, () => {
    let db: Db;
    const vector = unitVector([1, 2, 3, 4, 5, 6, 7, 8]);
    const before1 = Buffer.alloc(32, 1);
    const profile = Buffer.alloc(32, 2);
    before(async () => {
      db = await engine.open();
    });
    after(async () => await db.close());

    const open = async (key: SpaceKey): Promise<EmbeddingSpace> => (await openSpaces(db, [key]))[0] ?? assert.fail();
    const stateOf = async (space: EmbeddingSpace): Promise<string | undefined> =>
      (await listSpaces(db)).find((one) => one.spaceRef === space.spaceRef)?.state;
    const record = async (rows: readonly NewEmbedding[]) =>
      await db.transaction(async (tx) => await recordEmbeddings(tx, rows));
    const picture = (mediaId: number, key: SpaceKey, of: Buffer): NewEmbedding => ({
      mediaId,
      profile: of,
      embedding: embeddingWith({ vectors: [packVector(key, vector)] }),
    });

    it('is filled beside the one in use, goes on after an interruption, and takes its place with its gallery', async () => {
      const old = spaceKey({ packId: 'swap' });
      const fresh = spaceKey({ packId: 'swap', packVersion: '2.0.0' });
      const first = await open(old);
      assert.equal(first.state, 'active');
      const media = await addMedia(db, ['a', 'b', 'c', 'd']);
      const [a = 0, b = 0, c = 0, d = 0] = media;
      await record(media.map((mediaId) => picture(mediaId, old, before1)));
      await db.transaction(async (tx) => await setMediaInGallery(tx, [a, b], true));
      const second = await open(fresh);
      assert.equal(second.state, 'building');
      await record([picture(a, fresh, profile)]);
      // Gone through, and there was no vector to be had; and one that failed, which is tried again.
      await record([{ mediaId: c, profile, embedding: embeddingWith({ outcome: 'rejected' }) }]);
      await record([{ mediaId: d, profile, embedding: embeddingWith({ outcome: 'failed' }) }]);
      assert.deepEqual(await reembedProgress(db, second, [profile]), { media: 4, mediaDone: 2, galleryMissing: 1 });
      assert.deepEqual(await activateSpaces(db, [second]), { activated: false, galleryMissing: 1 });
      assert.equal(await stateOf(first), 'active');
      await record([picture(b, fresh, profile), picture(d, fresh, profile)]);
      // Came into the gallery and went out of it while the new space was being filled.
      await db.execute('update picture_vector set in_gallery = (media_id = $2) where space_ref = $1', [
        first.spaceRef,
        d,
      ]);
      assert.deepEqual(await activateSpaces(db, [second]), { activated: true, retired: [first.spaceRef] });
      assert.deepEqual([await stateOf(first), await stateOf(second)], ['retired', 'active']);
      assert.equal(await gallerySize(db, second), 1);
    });

    it('is activated without what it cannot have only when that is accepted', async () => {
      const old = spaceKey({ packId: 'lossy', kind: 'faceEmbedding' });
      const fresh = spaceKey({ packId: 'lossy', kind: 'faceEmbedding', packVersion: '2.0.0' });
      const first = await open(old);
      const [mediaId = 0] = await addMedia(db, ['lossy']);
      await record([
        { mediaId, profile: before1, embedding: embeddingWith({ faces: [faceWith([packVector(old, vector)])] }) },
      ]);
      const faces = await db.query<{ id: number }>('select face_id as id from face where media_id = $1', [mediaId]);
      await db.transaction(
        async (tx) =>
          await setFaceInGallery(
            tx,
            faces.map((one) => one.id),
            true,
          ),
      );
      const second = await open(fresh);
      assert.deepEqual(await reembedProgress(db, second, [profile]), { media: 1, mediaDone: 0, galleryMissing: 1 });
      assert.deepEqual(await activateSpaces(db, [second]), { activated: false, galleryMissing: 1 });
      assert.deepEqual(await activateSpaces(db, [second], { acceptMissing: true }), {
        activated: true,
        retired: [first.spaceRef],
      });
    });

    it('takes the known person of a face along: the new vector is in the gallery from the start', async () => {
      const old = spaceKey({ packId: 'along', kind: 'faceEmbedding' });
      const fresh = spaceKey({ packId: 'along', kind: 'faceEmbedding', packVersion: '2.0.0' });
      await open(old);
      const [mediaId = 0] = await addMedia(db, ['along']);
      const embedding = (key: SpaceKey) => embeddingWith({ faces: [faceWith([packVector(key, vector)])] });
      await record([{ mediaId, profile: before1, embedding: embedding(old) }]);
      const faces = await db.query<{ id: number }>('select face_id as id from face where media_id = $1', [mediaId]);
      await db.transaction(
        async (tx) =>
          await setFaceInGallery(
            tx,
            faces.map((one) => one.id),
            true,
          ),
      );
      const second = await open(fresh);
      await record([{ mediaId, profile, embedding: embedding(fresh) }]);
      assert.equal(await gallerySize(db, second), 1);
      assert.deepEqual(await reembedProgress(db, second, [profile]), { media: 1, mediaDone: 1, galleryMissing: 0 });
    });

    it('can be dropped with its vectors and indexes, but not while it is searched', async () => {
      const old = spaceKey({ packId: 'dropped' });
      const first = await open(old);
      const media = await addMedia(db, ['e', 'f']);
      await record(media.map((mediaId) => picture(mediaId, old, before1)));
      await buildVectorIndex(db, first, 'all', { links: 8, breadth: 32 });
      await assert.rejects(dropSpace(db, first), RangeError);
      assert.equal(await countVectors(db, first, 'all'), 2);
      const second = await open(spaceKey({ packId: 'dropped', packVersion: '2.0.0' }));
      await activateSpaces(db, [second]);
      assert.equal(await hasVectorIndex(db, first, 'all'), true);
      await dropSpace(db, first);
      assert.equal(await hasVectorIndex(db, first, 'all'), false);
      assert.equal(await countVectors(db, first, 'all'), 0);
      assert.equal(await stateOf(first), undefined);
    });

    it('is refused under the same version with other dimensions', async () => {
      await open(spaceKey({ packId: 'changed' }));
      await assert.rejects(open(spaceKey({ packId: 'changed', dimensions: 9 })), RangeError);
    });

    it('that was retired is built up again when it is asked for', async () => {
      const old = spaceKey({ packId: 'back' });
      const first = await open(old);
      const second = await open(spaceKey({ packId: 'back', packVersion: '2.0.0' }));
      await activateSpaces(db, [second]);
      assert.equal((await open(old)).state, 'building');
      assert.equal((await open(old)).spaceRef, first.spaceRef);
    });
  });
}
