/**
 * Radius search over ten million hashes: exactness, time, memory, growth, restart, and the whole matching of a batch, beside pgvector and
 * usearch. A bench of `npm run bench`; --quick is the small profile.
 */
import type { Bench, BenchOptions, BenchResult } from './harness.ts';
import { matchStageFigures } from './match-stage.ts';
import { memoryFigures } from './radius-memory.ts';
import { peerFigures } from './radius-peers.ts';
import { realHashes } from './radius-sets.ts';
import { storeFigures } from './radius-store.ts';
import { withServerDatabase } from './real-server.ts';

async function run(options: BenchOptions): Promise<BenchResult> {
  const { quick, say } = options;
  const real = await realHashes(quick ? 20 : 400, say);
  const memory = await memoryFigures(real, options);
  const { words, queries, queriesPerSecond } = memory;
  return await withServerDatabase(options.databaseUrl, async (url) => {
    const store = await storeFigures(url, words, queries, queriesPerSecond, options);
    const stage = await matchStageFigures(url, words, options);
    const peers = await peerFigures(url, words, queries, queriesPerSecond, options);
    return {
      measures: [...memory.measures, ...store.measures, ...stage, ...peers.measures],
      tables: [
        {
          title: 'The index over random hashes, as it grows',
          columns: [
            'hashes',
            'bands',
            'median ms',
            'mean ms',
            'p99 ms',
            'queries/s, two threads',
            'scan ms',
            'build s',
            'bytes a hash',
          ],
          rows: memory.growth,
        },
        {
          title: 'What peers find of all that is within 31 bits',
          columns: ['search', 'hashes', 'recall, one copy', 'recall, cluster of 500', 'queries/s', 'threads'],
          rows: peers.rows,
        },
      ],
      parameters: {
        realPictureHashes: real.hashes.length,
        realEdits: real.pairs.length,
        nearFlatHashes: real.flat.length,
        seed: 7,
      },
      notes: [
        'recall is of all hits within 31 bits, against a comparison with every hash that shares no code with the index.',
        'pgvector HNSW and usearch were built over fewer hashes than ours searches; more hashes make them slower.',
        'The server and the client share two cores.',
      ],
    };
  });
}

export const bench: Bench = { name: 'radius-search', run };
