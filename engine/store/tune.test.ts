import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { needsServer, openTestServerDb } from '../../test/store-engines.ts';
import { readServerSettings, storedAmounts } from './queries/tune-facts.ts';
import { type Advice, adviseServer, type ServerSetting, type StoredAmounts } from './tune.ts';

const NOTHING: StoredAmounts = { hashes: 0, indexBuildMb: 0, largestIndex: null };
const setting = (name: string, value: string, unit: string | null, choices: string[] = []): ServerSetting => ({
  name,
  value,
  unit,
  choices,
});
const named = (advice: readonly Advice[], name: string): Advice =>
  advice.find((one) => one.setting === name) ?? assert.fail(`no advice on ${name}`);

describe('what to set on a server', () => {
  it('reads values in the unit of the server and says which differ', () => {
    const advice = adviseServer({ memoryMb: 16_384, cores: 8 }, NOTHING, [
      setting('shared_buffers', '16384', '8kB'),
      setting('checkpoint_timeout', '900', 's'),
      setting('max_wal_size', '1024', 'MB'),
      setting('jit', 'on', null),
    ]);
    const told = ['shared_buffers', 'checkpoint_timeout', 'max_wal_size', 'jit'].map((name) => {
      const { now, advised, differs } = named(advice, name);
      return [name, now, advised, differs];
    });
    assert.deepEqual(told, [
      ['shared_buffers', '128MB', '4GB', true],
      ['checkpoint_timeout', '15min', '15min', false],
      ['max_wal_size', '1GB', '4GB', true],
      ['jit', 'on', 'off', true],
    ]);
  });

  it('names lz4 only where the server was built with it', () => {
    const asked = (choices: string[]) =>
      named(
        adviseServer({ memoryMb: 8192, cores: 4 }, NOTHING, [setting('wal_compression', 'off', null, choices)]),
        'wal_compression',
      ).advised;
    assert.deepEqual([asked(['pglz', 'lz4', 'on', 'off']), asked(['pglz', 'on', 'off'])], ['lz4', 'on']);
  });

  it('says that an index is too large for the machine instead of promising it memory', () => {
    const stored = { hashes: 0, indexBuildMb: 30_000, largestIndex: 'places@1/embedding' };
    const small = named(adviseServer({ memoryMb: 16_384, cores: 4 }, stored, []), 'maintenance_work_mem');
    const large = named(adviseServer({ memoryMb: 131_072, cores: 4 }, stored, []), 'maintenance_work_mem');
    assert.match(small.reason, /on disk/);
    assert.doesNotMatch(large.reason, /on disk/);
    assert.equal(large.advised, '32GB');
  });

  it('never gives the shared cache and a build more than two thirds of the memory', () => {
    const megabytes = (text: string): number => Number.parseInt(text, 10) * (text.endsWith('GB') ? 1024 : 1);
    fc.assert(
      fc.property(
        fc.integer({ min: 1024, max: 4_000_000 }),
        fc.integer({ min: 1, max: 512 }),
        fc.integer({ min: 0, max: 4_000_000 }),
        (memoryMb, cores, indexBuildMb) => {
          const advice = adviseServer({ memoryMb, cores }, { hashes: 0, indexBuildMb, largestIndex: 'x' }, []);
          const taken = ['shared_buffers', 'maintenance_work_mem'].reduce(
            (sum, name) => sum + megabytes(named(advice, name).advised),
            0,
          );
          assert.ok(taken <= (memoryMb * 2) / 3, `${taken} of ${memoryMb} MB`);
        },
      ),
    );
  });

  it('knows every setting that it advises on by the name a server has for it', needsServer, async () => {
    const { db } = await openTestServerDb();
    try {
      const stored = await storedAmounts(db, { links: 24, breadth: 100 }, 20_000);
      const advice = adviseServer({ memoryMb: 8192, cores: 4 }, stored, await readServerSettings(db));
      assert.deepEqual(
        advice.filter((one) => one.now === null),
        [],
      );
      assert.deepEqual(stored, NOTHING);
    } finally {
      await db.close();
    }
  });
});
