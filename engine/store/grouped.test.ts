import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Grouped } from './grouped.ts';
import { SqlError } from './sqlstate.ts';

/** Work that ends when it is let go, and what it was given. */
function heldWork(fault: (asks: readonly number[]) => Error | null = () => null) {
  const groups: number[][] = [];
  const gate = Promise.withResolvers<void>();
  const work = async (asks: readonly number[]): Promise<string[]> => {
    groups.push([...asks]);
    await gate.promise;
    const error = fault(asks);
    if (error !== null) throw error;
    return asks.map((one) => `answer ${one}`);
  };
  return { groups, work, letGo: gate.resolve };
}

describe('what many ask at once', () => {
  it('is worked on together while the first is under way, and each gets its own answer', async () => {
    const { groups, work, letGo } = heldWork();
    const grouped = new Grouped({ most: 3, work });
    const asked = [1, 2, 3, 4, 5].map(async (one) => await grouped.ask(one));
    assert.equal(grouped.waiting, 4);
    letGo();
    assert.deepEqual(await Promise.all(asked), ['answer 1', 'answer 2', 'answer 3', 'answer 4', 'answer 5']);
    assert.deepEqual(groups, [[1], [2, 3, 4], [5]]);
  });

  it('fits by its size, and what is larger than a group by itself goes alone', async () => {
    const { groups, work, letGo } = heldWork();
    const grouped = new Grouped({ most: 10, sizeOf: (one) => one, work });
    const asked = [1, 6, 4, 20, 3].map(async (one) => await grouped.ask(one));
    letGo();
    await Promise.all(asked);
    assert.deepEqual(groups, [[1], [6, 4], [20], [3]]);
  });

  it('is tried one by one where a value of one of them was at fault', async () => {
    const { work, letGo } = heldWork((asks) => (asks.includes(3) ? new SqlError('23503', 'no such row') : null));
    const grouped = new Grouped({ most: 10, work });
    const asked = [1, 2, 3, 4].map(async (one) => await grouped.ask(one));
    letGo();
    const found = await Promise.allSettled(asked);
    assert.deepEqual(
      found.map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
    );
  });

  it('is refused together where the database is away, and worked on again later', async () => {
    let away = true;
    const { groups, work, letGo } = heldWork(() => (away ? new SqlError('08006', 'cut off') : null));
    const grouped = new Grouped({ most: 10, work });
    const asked = [1, 2, 3].map(async (one) => await grouped.ask(one));
    letGo();
    assert.ok((await Promise.allSettled(asked)).every(({ status }) => status === 'rejected'));
    assert.equal(groups.length, 2);
    away = false;
    assert.equal(await grouped.ask(7), 'answer 7');
  });

  it('is all answered once it has settled', async () => {
    const { work, letGo } = heldWork();
    const grouped = new Grouped({ most: 1, work });
    let answered = 0;
    for (const one of [1, 2, 3]) void grouped.ask(one).then(() => (answered += 1));
    setTimeout(letGo, 5);
    await grouped.settled();
    assert.equal(answered, 3);
  });
});
