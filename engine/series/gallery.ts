import type { Transaction } from '../store/db.ts';
import { setFaceInGallery, setMediaInGallery } from '../store/queries/gallery.ts';
import { bool, integer, row } from '../store/row-shape.ts';

const STANDING = row({ id: integer, known: bool });

/**
 * Sets what a search looks through to what the tables say now of these faces and media: a face that belongs to a subject, a picture that
 * belongs to a series or a place.
 */
export async function followGallery(
  tx: Transaction,
  faceIds: readonly number[],
  mediaIds: readonly number[],
): Promise<void> {
  if (faceIds.length > 0) {
    const faces = await tx.read(
      STANDING,
      `select id, exists (select from subject_face where face_id = id) as known from unnest($1::bigint[]) as given(id)`,
      [faceIds],
    );
    for (const known of [true, false]) await setFaceInGallery(tx, idsOf(faces, known), known);
  }
  if (mediaIds.length > 0) {
    const media = await tx.read(
      STANDING,
      `select id, exists (select from series_media where media_id = id) or exists (select from place_media where media_id = id) as known
         from unnest($1::bigint[]) as given(id)`,
      [mediaIds],
    );
    for (const known of [true, false]) await setMediaInGallery(tx, idsOf(media, known), known);
  }
}

function idsOf(standing: readonly { readonly id: number; readonly known: boolean }[], known: boolean): number[] {
  return standing.filter((one) => one.known === known).map((one) => one.id);
}
