import { HomewardError } from '../../schemas/error.ts';
import type { SeriesChanged, VictimIdentified } from '../../schemas/series.ts';
import { VICTIM_IDENTIFIED } from '../../schemas/series.ts';
import { type Db, storableText } from '../store/db.ts';
import { integer, nullable, oneOf, row } from '../store/row-shape.ts';
import { type ChangedBy, changeSeries, type SeriesDraft } from './change.ts';
import { type SeriesName, seriesToChange } from './find-series.ts';

const LONGEST_NAME = 300;
const LONGEST_SOURCE = 200;

/**
 * Makes a series; its source is the unit itself unless another is named (something told by a partner without a hash set).
 * @throws HomewardError HW_SERIES_EXISTS, HW_USAGE
 */
export async function createSeries(db: Db, by: ChangedBy, series: SeriesName): Promise<SeriesChanged> {
  return await changeSeries(db, by, 'create', async (draft) => {
    await insertSeries(draft, series.name, series.source ?? by.organisation);
    return { created: true };
  });
}

/** Makes a series within a change. @returns its number */
export async function insertSeries(draft: SeriesDraft, name: string, source: string): Promise<number> {
  for (const [what, value, longest] of [
    ['name', name, LONGEST_NAME],
    ['source', source, LONGEST_SOURCE],
  ] as const) {
    if (value.trim() === '' || value.length > longest) {
      throw new HomewardError(
        'HW_USAGE',
        `expected a ${what} of 1 to ${longest} characters for a series, received ${value.length === 0 ? 'none' : `${value.length} characters`}; choose another`,
      );
    }
  }
  const [there] = await draft.tx.read(
    row({ seriesId: integer }),
    'select series_id from series where source = $1 and name = $2',
    [storableText(source), storableText(name)],
  );
  if (there !== undefined) {
    throw new HomewardError(
      'HW_SERIES_EXISTS',
      `expected a name that ${JSON.stringify(source)} does not use yet, received ${JSON.stringify(name)}, which is series ${there.seriesId}; add to it, or choose another name`,
    );
  }
  const seriesId = await draft.insert('series', {
    source: storableText(source),
    name: storableText(name),
    created_by: storableText(draft.by.actor),
  });
  draft.concerns(seriesId);
  return seriesId;
}

/** Says whether the victim of a series is identified, as far as this unit knows; what others say stays beside it. */
export async function setVictimIdentified(
  db: Db,
  by: ChangedBy,
  asked: SeriesName,
  identified: VictimIdentified,
): Promise<SeriesChanged> {
  return await changeSeries(db, by, 'identified', async (draft) => {
    const { seriesId } = await seriesToChange(draft.tx, asked, by.organisation);
    draft.concerns(seriesId);
    const [said] = await draft.tx.read(
      row({ victimIdentified: nullable(oneOf(VICTIM_IDENTIFIED)) }),
      'select victim_identified from series where series_id = $1',
      [seriesId],
    );
    const before = said?.victimIdentified ?? null;
    if (before !== identified)
      await draft.set('series', [seriesId], 'victim_identified', { before, after: identified });
    return {};
  });
}
