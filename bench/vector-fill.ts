import { CopyEncoder } from '../engine/store/binary-copy.ts';
import type { Db } from '../engine/store/db.ts';
import type { EmbeddingSpace } from '../engine/store/queries/embedding-spaces.ts';
import { vectorToBinary } from '../engine/store/queries/vector-values.ts';

/** Media of numbers 1 to `count`, as vectors of pictures belong to. */
export async function addNumberedMedia(db: Db, count: number): Promise<void> {
  await db.execute(
    `insert into media (media_id, sha256, sha1, md5, size_bytes, type) overriding system value
     select n, sha256(n::text::bytea), substr(sha256(n::text::bytea), 1, 20), substr(sha256(n::text::bytea), 1, 16), 1, 'image/jpeg'
       from generate_series(1, $1::bigint) n`,
    [count],
  );
}

/** Loads a gallery of a space by binary COPY: the first vector belongs to media 1, the next to media 2, and so on. */
export async function fillGallery(db: Db, space: EmbeddingSpace, vectors: Iterable<Float32Array>): Promise<void> {
  function* rows(): Generator<Uint8Array> {
    const encoder = new CopyEncoder();
    let mediaId = 0;
    for (const vector of vectors) {
      mediaId += 1;
      encoder.beginRow(4);
      encoder.int8(mediaId);
      encoder.int2(space.spaceRef);
      encoder.bytes(vectorToBinary(vector));
      encoder.bool(true);
      if (encoder.sizeBytes > 1 << 20) yield encoder.take();
    }
    yield encoder.take();
  }
  const columns = ['media_id', 'space_ref', 'embedding', 'in_gallery'];
  await db.transaction(async (tx) => await tx.copyIn({ table: 'picture_vector', columns }, rows()));
  await db.execute('vacuum analyze picture_vector');
}
