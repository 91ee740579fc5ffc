import type { ChangeBatch, ChangeReader } from '../reader.ts';
import { readNsrlDelta } from './delta.ts';

/** A delta of NSRL RDS 3, read as data, as changes to the set that it belongs to. */
export function openNsrlChanges(chunks: AsyncIterable<Uint8Array>): ChangeReader {
  const deltas = readNsrlDelta(chunks);
  return {
    description: { format: 'nsrl', formatVersion: 'RDS 3 delta', categoryScheme: 'unspecified', documentKind: null },
    async *batches(): AsyncGenerator<ChangeBatch, void, undefined> {
      for await (const { kind, batch } of deltas) yield { kind, records: batch };
    },
    close: async () => {
      await deltas.return();
    },
  };
}
