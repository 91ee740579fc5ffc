import { HomewardError } from '../../schemas/error.ts';
import type { SeriesChanged } from '../../schemas/series.ts';
import { type Db, storableText, type Transaction } from '../store/db.ts';
import { integer, row } from '../store/row-shape.ts';
import { type ChangedBy, changeSeries, type SeriesDraft } from './change.ts';
import { findSeries, type SeriesName } from './find-series.ts';
import { notFound } from './not-found.ts';

const MOST_REASON = 1_000;

/**
 * Says that series of two sources belong together, and why. Neither takes anything over from the other: what each says stays beside it.
 * @throws HomewardError HW_SERIES_SOURCES for series of one source, HW_SERIES_EXISTS, HW_USAGE without a reason, HW_SERIES_NOT_FOUND,
 *   HW_SERIES_AMBIGUOUS
 */
export async function linkSeries(
  db: Db,
  by: ChangedBy & { readonly reason: string },
  one: SeriesName,
  other: SeriesName,
): Promise<SeriesChanged> {
  return await changeSeries(db, by, 'link', async (draft) => {
    if (by.reason.trim() === '' || by.reason.length > MOST_REASON) {
      throw new HomewardError(
        'HW_USAGE',
        `expected a reason of 1 to ${MOST_REASON} characters for a link, received ${by.reason.length} characters; say why the two belong together`,
      );
    }
    const [first, second] = await bothSeries(draft, one, other);
    if (first.source === second.source) {
      throw new HomewardError(
        'HW_SERIES_SOURCES',
        `expected series of two sources to link, received two of ${JSON.stringify(first.source)}; merge them with homeward series merge`,
      );
    }
    const there = await linkInForce(draft.tx, first.seriesId, second.seriesId);
    if (there !== undefined) {
      throw new HomewardError(
        'HW_SERIES_EXISTS',
        `expected two series that are not linked yet, received two that are by link ${there}; withdraw it first where its reason is wrong`,
      );
    }
    const linkId = await draft.insert('series_link', {
      series_id: Math.min(first.seriesId, second.seriesId),
      other_series_id: Math.max(first.seriesId, second.seriesId),
      reason: storableText(by.reason),
      linked_by: storableText(by.actor),
    });
    return { partId: linkId, created: true };
  });
}

/**
 * Withdraws a link; who made it and why can still be read.
 * @throws HomewardError HW_SERIES_PART_NOT_FOUND where there is none, HW_SERIES_NOT_FOUND, HW_SERIES_AMBIGUOUS
 */
export async function unlinkSeries(db: Db, by: ChangedBy, one: SeriesName, other: SeriesName): Promise<SeriesChanged> {
  return await changeSeries(db, by, 'unlink', async (draft) => {
    const [first, second] = await bothSeries(draft, one, other);
    const linkId = await linkInForce(draft.tx, first.seriesId, second.seriesId);
    if (linkId === undefined)
      throw notFound('a link of the series', [other.name], 'homeward series show lists its links');
    await draft.set('series_link', [linkId], 'withdrawn_at', { before: null, after: new Date().toISOString() });
    return { partId: linkId };
  });
}

async function bothSeries(draft: SeriesDraft, one: SeriesName, other: SeriesName) {
  const { organisation } = draft.by;
  const first = await findSeries(draft.tx, one, organisation);
  const second = await findSeries(draft.tx, other, organisation);
  draft.concerns(first.seriesId);
  draft.concerns(second.seriesId);
  return [first, second] as const;
}

async function linkInForce(tx: Transaction, one: number, other: number): Promise<number | undefined> {
  const [found] = await tx.read(
    row({ linkId: integer }),
    'select link_id from series_link where series_id = $1 and other_series_id = $2 and withdrawn_at is null',
    [Math.min(one, other), Math.max(one, other)],
  );
  return found?.linkId;
}
