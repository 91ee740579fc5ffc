import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { placeOfFile } from './place.ts';
import { type ItemRow, RowWriter } from './row-writer.ts';

function row(name: string): ItemRow {
  return {
    ...placeOfFile(Buffer.from(name)),
    modifiedAt: null,
    examination: {
      outcome: 'rejected',
      reason: { code: 'empty', detail: '' },
      type: 'application/octet-stream',
      sizeBytes: 0,
      digests: null,
      trailingBytes: null,
      picture: null,
      capture: null,
    },
  };
}

test('every row is recorded once and in order, however slow the database is', async () => {
  const recorded: string[] = [];
  const writer = new RowWriter<ItemRow>(async (rows) => {
    await delay(1);
    recorded.push(...rows.map((one) => one.path.toString()));
  });
  const names = Array.from({ length: 1_234 }, (_, at) => `file ${at}`);
  for (const name of names) await writer.add(row(name));
  await writer.finish();
  assert.deepEqual(recorded, names);
});

test('a lone row is recorded within a second or so, without waiting for more', async () => {
  const recorded = Promise.withResolvers<void>();
  const writer = new RowWriter<ItemRow>(async () => recorded.resolve());
  await writer.add(row('alone'));
  await Promise.race([recorded.promise, delay(3_000).then(() => assert.fail('not recorded within 3 s'))]);
  await writer.finish();
});

test('one who adds waits while the database is behind', async () => {
  const release = Promise.withResolvers<void>();
  const writer = new RowWriter<ItemRow>(() => release.promise);
  let added = 0;
  const adding = (async () => {
    for (; added < 5_000; added += 1) await writer.add(row(`file ${added}`));
  })();
  await delay(50);
  assert.ok(added < 1_100, `${added} rows were taken while nothing was recorded`);
  release.resolve();
  await adding;
  await writer.finish();
});

test('a failure to record is told to the one who adds next', async () => {
  const writer = new RowWriter<ItemRow>(async () => {
    throw new Error('database gone');
  });
  await writer.add(row('first'));
  await assert.rejects(writer.finish(), /database gone/);
  await assert.rejects(writer.add(row('second')), /database gone/);
});
