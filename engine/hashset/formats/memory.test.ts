import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type GeneratedFormat, generateSet } from '../../../bench/set-generator.ts';
import { openSet } from './reader.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

function heldBytes(): number {
  collectGarbage();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + Math.max(external, arrayBuffers);
}

const MEASUREMENTS = 12;

/**
 * From the first third of the file to its last. The least of each third is taken: how many chunks are between two places when the
 * memory is looked at swings by megabytes, while what is kept for good is in every look.
 */
async function growth(format: GeneratedFormat, sizeBytes: number): Promise<{ rows: number; grownBytes: number }> {
  const reader = await openSet(generateSet({ format, bytes: sizeBytes, seed: 7 }), { format: 'auto', name: format });
  let rows = 0;
  let measuredAt = 0;
  const held: number[] = [];
  for await (const batch of reader.batches()) {
    rows += batch.rowCount;
    if (batch.bytesRead - measuredAt < sizeBytes / MEASUREMENTS) continue;
    measuredAt = batch.bytesRead;
    held.push(heldBytes());
  }
  const third = Math.floor(held.length / 3);
  assert.ok(third >= 2, `${held.length} looks at the memory`);
  return { rows, grownBytes: Math.min(...held.slice(-third)) - Math.min(...held.slice(0, third)) };
}

describe('memory', () => {
  for (const [format, sizeBytes, minimumRows] of [
    ['vics', 100e6, 450_000],
    ['csv', 10e6, 100_000],
    ['md5', 10e6, 300_000],
  ] as const) {
    it(`does not grow with the file: ${format}, ${sizeBytes / 1e6} MB`, async () => {
      const { rows, grownBytes } = await growth(format, sizeBytes);
      assert.ok(rows > minimumRows, `${rows} rows`);
      assert.ok(grownBytes < 8e6, `grew by ${grownBytes} bytes from the first third to the last`);
    });
  }
});
