import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_ARCHIVE_BUDGET } from '../../schemas/host-protocol.ts';
import { SCRATCH_KEY_BYTES } from '../read/scratch-cipher.ts';
import { makeZip } from '../unpack/test-kit.ts';
import type { Fleet } from './fleet.ts';
import { hostsOf, TestFleet } from './test-kit.ts';

const ENTRIES = 300;
/** What unpack-host.ts lets wait, and the one it may be writing. */
const MOST_AHEAD = 64 + 1;
const budget = DEFAULT_ARCHIVE_BUDGET;

describe('archives in a host of their own', () => {
  let kit: TestFleet;
  let fleet: Fleet;
  let archive: Buffer;
  before(async () => {
    kit = await TestFleet.start({ hosts: 1, spareHosts: 0 });
    fleet = kit.fleet;
    const file = path.join(kit.folder, 'evidence', 'archive.zip');
    writeFileSync(file, await makeZip(Array.from({ length: ENTRIES }, (_, n) => [`${n}`, Buffer.from(`entry ${n}`)])));
    archive = Buffer.from(file);
  });
  after(() => kit[Symbol.asyncDispose]());

  const killUnpackHost = (): void => {
    for (const { processId } of hostsOf(fleet, 'unpack'))
      if (processId !== undefined) process.kill(processId, 'SIGKILL');
  };

  test('R10: entries come one at a time and in order, and the host writes only a little ahead', async () => {
    const scratchFolder = kit.scratch('ordered');
    const contents: string[] = [];
    let mostAhead = 0;
    let running = 0;
    const result = await fleet.unpack(archive, { scratchFolder, budget }, async (entry) => {
      running += 1;
      assert.equal(running, 1);
      if (entry.index % 100 === 0) await sleep(150);
      mostAhead = Math.max(mostAhead, readdirSync(scratchFolder).length - entry.index);
      contents.push(readFileSync(path.join(scratchFolder, String(entry.scratchFile)), 'utf8'));
      running -= 1;
    });
    assert.deepEqual(
      contents,
      Array.from({ length: ENTRIES }, (_, n) => `entry ${n}`),
    );
    assert.deepEqual([result.outcome, result.entries], ['done', ENTRIES]);
    assert.ok(mostAhead > 1 && mostAhead <= MOST_AHEAD, `${mostAhead} entries waited`);
  });

  test('R4: when the host is killed on the way, another goes on where it stopped', async () => {
    const scratchFolder = kit.scratch('killed-once');
    const indices: number[] = [];
    const result = await fleet.unpack(archive, { scratchFolder, budget }, (entry) => {
      indices.push(entry.index);
      assert.equal(readFileSync(path.join(scratchFolder, String(entry.scratchFile)), 'utf8'), `entry ${entry.index}`);
      if (entry.index === 100) killUnpackHost();
    });
    assert.deepEqual(
      indices,
      Array.from({ length: ENTRIES }, (_, n) => n),
    );
    assert.equal(result.outcome, 'done');
  });

  test('R4: an archive that costs two hosts has failed, with every entry before that, and the next one is unpacked', async () => {
    let told = 0;
    let goneAt = 0;
    const killing = await fleet.unpack(
      archive,
      { scratchFolder: kit.scratch('killed-twice'), budget },
      async (entry) => {
        told += 1;
        if (entry.index === 100 || entry.index === 200) {
          // Long enough for the host to write a little ahead, and to hear of its end while that waits.
          await sleep(50);
          killUnpackHost();
          await sleep(50);
          goneAt = entry.index;
        }
      },
    );
    assert.equal(`${killing.outcome} ${killing.reason?.code}`, 'failed hostCrashed');
    assert.equal(killing.entries, told);
    assert.ok(told > goneAt + 1, `${told} entries handed on, the host was gone at number ${goneAt}`);
    const next = await fleet.unpack(archive, { scratchFolder: kit.scratch('next'), budget }, () => undefined);
    assert.equal(next.outcome, 'done');
  });

  test('R10: an archive that takes too long or too much memory is ended', async () => {
    const slow = await fleet.unpack(
      archive,
      { scratchFolder: kit.scratch('slow'), budget: { ...budget, wallTimeMs: 1500 } },
      () => sleep(100),
    );
    assert.equal(`${slow.outcome} ${slow.reason?.code}`, 'failed timeLimit');
    const large = await fleet.unpack(
      archive,
      { scratchFolder: kit.scratch('large'), budget: { ...budget, memoryBytes: 30_000_000 } },
      () => sleep(100),
    );
    assert.equal(`${large.outcome} ${large.reason?.code}`, 'failed memoryLimit');
  });

  test('an abort ends unpacking, and what its consumer throws comes back to the caller', async () => {
    const abort = new AbortController();
    let told = 0;
    const aborted = await fleet.unpack(
      archive,
      { scratchFolder: kit.scratch('aborted'), budget, signal: abort.signal },
      (entry) => {
        told += 1;
        if (entry.index === 10) abort.abort();
      },
    );
    assert.equal(aborted.outcome, 'failed');
    assert.ok(told < ENTRIES);
    const throwing = fleet.unpack(archive, { scratchFolder: kit.scratch('throwing'), budget }, () => {
      throw new TypeError('of the consumer');
    });
    await assert.rejects(throwing, new TypeError('of the consumer'));
  });

  test('a scratch folder outside the one the fleet was given is refused', async () => {
    const outside = fleet.unpack(
      archive,
      { scratchFolder: path.join(kit.folder, 'evidence'), budget },
      () => undefined,
    );
    await assert.rejects(outside, /expected a scratch folder inside/);
  });
});

describe('archives whose entries are encrypted while they wait', () => {
  test('S1: are examined as what they hold, archives within archives too, and lie nowhere in the clear', async () => {
    await using kit = await TestFleet.start({
      hosts: 1,
      spareHosts: 0,
      scratchKey: randomBytes(SCRATCH_KEY_BYTES).toString('base64'),
    });
    const picture = readFileSync(kit.picture('picture', 96, 72).toString());
    const inner = await makeZip([['picture.bmp', picture]]);
    const file = path.join(kit.folder, 'evidence', 'outer.zip');
    writeFileSync(
      file,
      await makeZip([
        ['inner.zip', inner],
        ['a.bmp', picture],
      ]),
    );
    const found: string[] = [];
    const go = async (archive: Buffer, name: string): Promise<void> => {
      const scratchFolder = kit.scratch(name);
      const entries: Buffer[] = [];
      const { outcome } = await kit.fleet.unpack(archive, { scratchFolder, budget }, (entry) => {
        const written = path.join(scratchFolder, String(entry.scratchFile));
        for (const plain of [picture, inner]) assert.ok(!readFileSync(written).includes(plain.subarray(0, 32)));
        entries.push(Buffer.from(written));
      });
      assert.equal(outcome, 'done');
      for (const entry of entries) {
        const { type, digests, sizeBytes } = await kit.fleet.examine(entry, { mode: 'exact' });
        found.push(`${type} ${sizeBytes} ${digests?.sha256}`);
        if (type === 'application/zip') await go(entry, 'inner');
      }
    };
    await go(Buffer.from(file), 'outer');
    const told = (type: string, content: Buffer): string =>
      `${type} ${content.length} ${createHash('sha256').update(content).digest('hex')}`;
    assert.deepEqual(found, [told('application/zip', inner), told('image/bmp', picture), told('image/bmp', picture)]);
  });
});
