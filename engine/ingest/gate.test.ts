import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { Gate } from './gate.ts';

test('a gate never lets more tasks run than it is wide, and runs them all', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 30 }),
      async (width, turns) => {
        const gate = new Gate(width);
        let running = 0;
        let most = 0;
        let ended = 0;
        for (const turnsToTake of turns) {
          await gate.run(async () => {
            running += 1;
            most = Math.max(most, running);
            for (let turn = 0; turn < turnsToTake; turn += 1) await nextTurn();
            running -= 1;
            ended += 1;
          });
        }
        await gate.drained();
        assert.equal(ended, turns.length);
        assert.ok(most <= width, `${most} ran at once in a gate of ${width}`);
      },
    ),
    { numRuns: 50 },
  );
});

test('a failed task stops the next one and is told by drained', async () => {
  const gate = new Gate(1);
  await gate.run(async () => {
    throw new Error('the disk is gone');
  });
  await nextTurn();
  await assert.rejects(
    gate.run(async () => undefined),
    /the disk is gone/,
  );
  await assert.rejects(gate.drained(), /the disk is gone/);
});
