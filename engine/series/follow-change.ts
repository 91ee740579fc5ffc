import type { ChangedColumn, SeriesChangeEntry } from '../../schemas/series.ts';
import { refreshLeads } from '../leads/refresh.ts';
import type { Transaction } from '../store/db.ts';
import { integer, row } from '../store/row-shape.ts';
import { unpackIds } from './change-rows.ts';
import { followGallery } from './gallery.ts';
import { withdrawModelEvidence } from './model-evidence.ts';
import { refuseTwoFacesOfOnePicture } from './subject-faces.ts';

export interface FollowedChange {
  readonly evidenceWithdrawn: number;
}

/**
 * What follows from rows that were changed, whether by doing or by undoing: the rule of faces is checked, the flags of the gallery are
 * set, evidence and leads go where what they rest on went.
 * @throws HomewardError HW_SERIES_FACES
 */
export async function followChange(
  tx: Transaction,
  seriesIds: readonly number[],
  entries: readonly SeriesChangeEntry[],
  direction: 'done' | 'undone',
): Promise<FollowedChange> {
  const faces: number[] = [];
  const media: number[] = [];
  const subjects: number[] = [];
  for (const entry of entries) {
    if (entry.table === 'subject_face') {
      faces.push(...unpackIds(entry.ids));
      subjects.push(...ownersOf(entry));
    }
    if (entry.table === 'series_media' || entry.table === 'place_media') media.push(...unpackIds(entry.ids));
  }
  await refuseTwoFacesOfOnePicture(tx, subjects);
  await followGallery(tx, faces, media);
  if (!entries.some((entry) => takesAway(entry, direction))) {
    await refreshLeadsOf(tx, media);
    return { evidenceWithdrawn: 0 };
  }
  const { withdrawn } = await withdrawModelEvidence(tx, seriesIds);
  return { evidenceWithdrawn: withdrawn };
}

function ownersOf(entry: SeriesChangeEntry): number[] {
  const owners = entry.op === 'set' ? [entry.before, entry.after] : [entry.owner];
  return owners.filter((owner) => typeof owner === 'number');
}

/** What a series holds itself is no news: a lead of media that were added to it may have nothing left to say. */
async function refreshLeadsOf(tx: Transaction, mediaIds: readonly number[]): Promise<void> {
  if (mediaIds.length === 0) return;
  const led = await tx.read(
    row({ mediaId: integer }),
    'select distinct media_id from lead where media_id = any($1::bigint[])',
    [mediaIds],
  );
  if (led.length > 0) await refreshLeads(tx, { mediaIds: led.map((one) => one.mediaId) });
}

/** What is only added cannot leave evidence without what it rests on. */
function takesAway(entry: SeriesChangeEntry, direction: 'done' | 'undone'): boolean {
  if (entry.op === 'set') return MOVING.includes(entry.column);
  return entry.op === (direction === 'done' ? 'delete' : 'insert');
}

const MOVING: readonly ChangedColumn[] = ['series_id', 'subject_id', 'merged_into'];
