import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fleet } from './fleet.ts';
import { hostsOf, isAlive, TestFleet, until } from './test-kit.ts';

const SIGNALS = ['SIGSEGV', 'SIGABRT', 'SIGKILL'] as const;
const KILLS = 100;
const BACK_MS = 2000;
/** Numbers from a seed (Park and Miller), so that a failing run can be run again. */
function* randomFractions(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (state * 48_271) % 2_147_483_647;
    yield state / 2_147_483_647;
  }
}
const onlyPosix = { skip: process.platform === 'win32' ? 'Windows has no such signals' : false };

describe('R4: hosts that die', onlyPosix, () => {
  let kit: TestFleet;
  let fleet: Fleet;
  before(async () => {
    // A hundred hosts have to start: without namespaces each of them takes 0.1 s less.
    kit = await TestFleet.start({ hosts: 2, namespaces: false });
    fleet = kit.fleet;
    // Otherwise the others would start with the first file.
    await fleet.decoders();
  });
  after(() => kit[Symbol.asyncDispose]());
  const allUp = () =>
    until('all hosts are up', () => hostsOf(fleet, 'picture').filter((host) => host.ready).length === 3, 60_000);

  test('R4: when a host at work is killed, its files are done and two hosts can take files again within 2 s', async () => {
    const pictures = kit.pictures(40);
    for (const signal of SIGNALS) {
      await allUp();
      const examinations = Promise.all(pictures.map((picture) => fleet.examine(picture, { mode: 'exact' })));
      await until('a host has a file', () => hostsOf(fleet, 'picture').some((host) => host.inFlight > 0), 10_000);
      const victim = hostsOf(fleet, 'picture').find((host) => host.inFlight > 0)?.processId;
      assert.ok(victim !== undefined);
      process.kill(victim, signal);
      await until('it is gone', () => !hostsOf(fleet, 'picture').some((host) => host.processId === victim), 10_000);
      const backMs = await until(
        'two hosts are ready',
        () => hostsOf(fleet, 'picture').filter((host) => host.ready).length >= 2,
        BACK_MS,
      );
      assert.ok(backMs <= BACK_MS);
      assert.deepEqual(
        new Set((await examinations).map((examination) => examination.outcome)),
        new Set(['done']),
        signal,
      );
    }
    assert.equal(fleet.stats().hostsCrashed, SIGNALS.length);
  });

  test('R4: a file whose host dies again with that file alone has failed, and the next one is done', async () => {
    await allUp();
    const poison = kit.picture('poison', 5000, 4000);
    const others = kit.pictures(4);
    const stop = new AbortController();
    let kills = 0;
    // Kills whatever works while only the poison is in flight: its host, its isolation host, and the one that reads its digests.
    const killer = (async () => {
      while (!stop.signal.aborted) {
        for (const host of hostsOf(fleet, 'picture', 'isolation')) {
          if (host.inFlight > 0 && host.processId !== undefined) {
            kills += 1;
            process.kill(host.processId, 'SIGKILL');
          }
        }
        await sleep(1);
      }
    })();
    const examination = await fleet.examine(poison, { mode: 'exact' });
    stop.abort();
    await killer;
    assert.equal(`${examination.outcome} ${examination.reason?.code}`, 'failed hostCrashed');
    assert.match(examination.reason?.detail ?? '', /SIGKILL/);
    assert.ok(kills >= 3);
    for (const other of others) assert.equal((await fleet.examine(other, { mode: 'exact' })).outcome, 'done');
  });

  test(`R4: ${KILLS} kills of hosts at any moment of their lives: every file has an outcome`, async () => {
    const random = randomFractions(20_261_124);
    const pictures = kit.pictures(150);
    const outcomes = new Map<string, number>();
    let results = 0;
    let kills = 0;
    let killsAtWork = 0;
    let failure: unknown = null;
    // Round and round the same files until the last kill, so that there is always something to interrupt.
    const work = async () => {
      for (let at = 0; kills < KILLS || at < pictures.length; at += 1) {
        const picture = pictures[at % pictures.length];
        if (picture === undefined) break;
        const { outcome, reason } = await fleet.examine(picture, { mode: 'exact' });
        const key = `${outcome} ${reason?.code ?? ''}`.trim();
        outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
        results += 1;
      }
    };
    const working = Promise.all([work(), work(), work(), work()]).catch((error: unknown) => {
      failure = error;
    });
    while (kills < KILLS && failure === null) {
      const hosts = hostsOf(fleet, 'picture', 'isolation');
      const alive = hosts.flatMap((host) => host.processId ?? []).filter(isAlive);
      const victim = alive[Math.floor(random.next().value * alive.length)];
      const signal = SIGNALS[Math.floor(random.next().value * SIGNALS.length)];
      // While none is up, killing those that start would only measure how fast this machine starts them.
      if (victim !== undefined && signal !== undefined && hosts.some((host) => host.ready)) {
        if (hosts.some((host) => host.processId === victim && host.inFlight > 0)) killsAtWork += 1;
        process.kill(victim, signal);
        kills += 1;
      }
      await sleep(random.next().value * 40);
    }
    await working;
    assert.equal(failure, null);
    assert.ok(killsAtWork > 0, 'no host was killed at work');
    assert.ok(results >= 4 * pictures.length, `${results} results`);
    for (const outcome of outcomes.keys()) assert.match(outcome, /^(done|failed hostCrashed)$/);
    assert.equal(fleet.stats().inFlight + fleet.stats().queued, 0);
  });
});
