import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PageRowSelector } from './page-rows.ts';
import { sampleItem } from './sample-report.ts';

function select(
  kinds: ReadonlyArray<readonly [standing: 'known' | 'nearDuplicate' | 'unseen', count: number]>,
  limit: number,
): Map<string, number> {
  const selector = new PageRowSelector(limit);
  for (const [standing, count] of kinds) {
    for (let index = 0; index < count; index += 1) selector.offer({ ...sampleItem(0), outcome: 'done', standing });
  }
  const found = new Map<string, number>();
  for (const { item } of selector.select().rows)
    found.set(String(item.standing), (found.get(String(item.standing)) ?? 0) + 1);
  return found;
}

describe('the rows of a page', () => {
  it('are known first, but never only known when there is anything else', () => {
    assert.deepEqual(
      [
        ...select(
          [
            ['unseen', 5_000],
            ['known', 5_000],
            ['nearDuplicate', 30],
          ],
          2_000,
        ),
      ],
      [
        ['known', 1_870],
        ['nearDuplicate', 30],
        ['unseen', 100],
      ],
    );
  });

  it('are all there are when they fit', () => {
    assert.deepEqual(
      [
        ...select(
          [
            ['unseen', 10],
            ['known', 3],
          ],
          2_000,
        ),
      ],
      [
        ['known', 3],
        ['unseen', 10],
      ],
    );
  });

  it('are never more than the limit', () => {
    assert.deepEqual(
      [
        ...select(
          [
            ['unseen', 10],
            ['known', 30],
            ['nearDuplicate', 30],
          ],
          5,
        ),
      ],
      [['known', 5]],
    );
  });
});
