import { fileChunks } from '../../engine/hashset/file-chunks.ts';
import { type OpenSetOptions, openSet } from '../../engine/hashset/formats/reader.ts';
import { addCounts, noNotes, noRejections, READ_NOTES } from '../../engine/hashset/formats/record-batch.ts';
import { lookUp, searchedSets } from '../../engine/lookup/look-up.ts';
import type { Db } from '../../engine/store/db.ts';
import type { Config } from '../../schemas/config.ts';
import { REJECTION_REASONS } from '../../schemas/known-record.ts';
import type { LookupOutput } from '../../schemas/lookup.ts';
import { openSearch } from './open-search.ts';

/**
 * Looks every record of a file up, and stores nothing of it.
 * @throws HomewardError HW_SET_FORMAT, HW_SET_DAMAGED: no answers are given of half a file
 */
export async function lookUpFile(
  db: Db,
  config: Config,
  file: { readonly file: string; readonly name: string; readonly format: OpenSetOptions['format'] },
): Promise<LookupOutput> {
  const reader = await openSet(fileChunks(file.file), { format: file.format, name: file.name });
  const search = await openSearch(db, config);
  const rejected = noRejections();
  const notes = noNotes();
  const answers: LookupOutput['answers'] = [];
  try {
    for await (const batch of reader.batches()) {
      addCounts(rejected, batch.rejected);
      addCounts(notes, batch.notes);
      answers.push(...(await lookUp(db, search, batch, answers.length + 1)));
    }
    const counts = { known: 0, variant: 0, no: 0, unknown: 0 };
    for (const { answer } of answers) counts[answer] += 1;
    return {
      file: reader.description,
      sets: await searchedSets(db),
      bitSearch: search.description,
      counts,
      rejected: REJECTION_REASONS.flatMap((reason) =>
        rejected[reason] === 0 ? [] : [{ reason, records: rejected[reason] }],
      ),
      notes: READ_NOTES.flatMap((note) => (notes[note] === 0 ? [] : [{ note, records: notes[note] }])),
      answers,
    };
  } finally {
    await search.close();
    await reader.close();
  }
}
