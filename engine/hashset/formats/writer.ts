import type { KnownRecord } from '../../../schemas/known-record.ts';
import { writeCsv } from './csv/writer.ts';
import { writeNdjson } from './ndjson/writer.ts';
import { writeVics } from './vics/writer.ts';

/** Formats that sets are exported to. */
export const EXPORT_FORMATS = ['vics', 'csv', 'ndjson'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/**
 * Writes records in one of the export formats, streaming: memory does not grow with the set.
 * `ndjson` loses nothing; what `vics` and `csv` cannot say stands in their writers. `categoryScheme` is that of the codes, such as `vic-us`.
 */
export function writeSet(
  format: ExportFormat,
  records: AsyncIterable<KnownRecord>,
  categoryScheme: string,
): AsyncGenerator<Buffer, void, undefined> {
  switch (format) {
    case 'vics':
      return writeVics(records, categoryScheme);
    case 'csv':
      return writeCsv(records, categoryScheme);
    case 'ndjson':
      return writeNdjson(records, categoryScheme);
  }
}
