import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DEFAULT_FILE_BUDGET } from '../../schemas/host-protocol.ts';
import { needsShared, sharedData } from '../../test/shared-data.ts';
import type { Fleet } from './fleet.ts';
import { hostsOf, TestFleet, until, waitedForCoreMs } from './test-kit.ts';

/** 139 bytes that claim 8 x 12,320,776 pixels; let through by a wider budget of sides, decoding takes 36 s and 1.4 GB. */
const BOMB = 'data/hostile/found/png-8x12320776-139bytes.png';
const BOMB_MD5 = '65756e77c1ff59b226fa427e2aa27fa8';
const UNFOLDED = { ...DEFAULT_FILE_BUDGET, sidePixels: 20_000_000 };
const LIGHT = { ...UNFOLDED, memoryBytes: 256 * 1024 * 1024 };
const folder = path.dirname(sharedData(BOMB) ?? import.meta.dirname);
const linuxWithShared =
  process.platform === 'linux' ? needsShared : { skip: 'only Linux lets processor time and memory be watched' };

describe('R3: limits that end a file', linuxWithShared, () => {
  let kit: TestFleet;
  let fleet: Fleet;
  before(async () => {
    kit = await TestFleet.start({ readableRoots: [folder] });
    fleet = kit.fleet;
  });
  after(() => kit[Symbol.asyncDispose]());
  const bomb = Buffer.from(path.join(folder, path.basename(BOMB)));

  test('R3: what a bomb weighs ends it, before it weighs half as much again', async () => {
    const { outcome, reason } = await fleet.examine(bomb, { mode: 'exact', budget: LIGHT });
    assert.equal(`${outcome} ${reason?.code}`, 'failed memoryLimit');
    assert.ok(fleet.stats().peakHostBytes < 1.5 * LIGHT.memoryBytes, `a host reached ${fleet.stats().peakHostBytes}`);
  });

  test('R3: a file that the clock ended is still known by its digest and type', async () => {
    const examination = await fleet.examine(bomb, { mode: 'exact', budget: { ...UNFOLDED, wallTimeMs: 300 } });
    assert.equal(examination.reason?.code, 'timeLimit');
    assert.equal(`${examination.type} ${examination.digests?.md5}`, `image/png ${BOMB_MD5}`);
  });

  test('R3: a bomb ends at the default processor limit within 12 s, and every ordinary file beside it is done before', async () => {
    let ordinaryDone = 0;
    let waitedMs = 0;
    const bombDone = fleet.examine(bomb, { mode: 'exact', budget: UNFOLDED }).then((examination) => ({
      examination,
      endedMs: performance.now(),
      ordinaryBefore: ordinaryDone,
    }));
    const bombHost = () => hostsOf(fleet, 'picture').find((host) => host.inFlight > 0)?.processId;
    await until('a host has the bomb', () => bombHost() !== undefined, 60_000);
    const began = performance.now();
    const bombHostId = bombHost() ?? 0;
    const sampling = setInterval(() => {
      waitedMs = Math.max(waitedMs, waitedForCoreMs(bombHostId));
    }, 50);
    for (const picture of kit.pictures(100)) {
      assert.equal((await fleet.examine(picture, { mode: 'exact' })).outcome, 'done');
      ordinaryDone += 1;
    }
    const { examination, endedMs, ordinaryBefore } = await bombDone;
    clearInterval(sampling);
    const seconds = (endedMs - began - waitedMs) / 1000;
    assert.equal(`${examination.outcome} ${examination.reason?.code}`, 'failed cpuLimit');
    assert.ok(seconds <= 12, `expected the bomb to end within 12 s of having a core, it took ${seconds.toFixed(1)} s`);
    assert.equal(ordinaryBefore, 100, 'ordinary files were held up by the bomb');
  });
});

test('R3: with two threads in a host, the files that shared it with a bomb are done', linuxWithShared, async () => {
  await using kit = await TestFleet.start({ hosts: 1, threadsPerHost: 2, spareHosts: 0, readableRoots: [folder] });
  const bomb = Buffer.from(path.join(folder, path.basename(BOMB)));
  const ended = kit.fleet.examine(bomb, { mode: 'exact', budget: LIGHT });
  const others = await Promise.all(kit.pictures(20).map((picture) => kit.fleet.examine(picture, { mode: 'exact' })));
  assert.equal((await ended).reason?.code, 'memoryLimit');
  assert.deepEqual(new Set(others.map((other) => other.outcome)), new Set(['done']));
});

test('R6: a host is replaced after its number of files, and none is lost over it', async () => {
  await using kit = await TestFleet.start({ hosts: 1, recycleAfterFiles: 20 });
  const pictures = kit.pictures(50);
  const examinations = await Promise.all(pictures.map((picture) => kit.fleet.examine(picture, { mode: 'exact' })));
  assert.deepEqual(new Set(examinations.map((examination) => examination.outcome)), new Set(['done']));
  assert.deepEqual([kit.fleet.stats().hostsRecycled, kit.fleet.stats().retriedAlone], [2, 0]);
});
