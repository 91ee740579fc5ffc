import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { TestFleet } from './test-kit.ts';

/** What test-liar-host.ts can say, and what is recorded of it. */
const LIES: Readonly<Record<string, RegExp>> = {
  thumbnail: /outside the protocol at \/examination/,
  longText: /outside the protocol at \/examination\/type/,
  noNumber: /outside the protocol at \/examination\/sizeBytes/,
  otherTask: /out of turn: examined/,
  unasked: /out of turn: unpacked/,
  unknownKind: /outside the protocol/,
  noObject: /outside the protocol/,
};

describe('S1: a host whose answer breaks the protocol is ended', () => {
  let kit: TestFleet;
  before(async () => {
    kit = await TestFleet.start({
      hosts: 1,
      hostEntry: fileURLToPath(new URL('./test-liar-host.ts', import.meta.url)),
    });
  });
  after(() => kit[Symbol.asyncDispose]());

  for (const [lie, recorded] of Object.entries(LIES)) {
    test(`S1: ${lie}: nothing of the answer is kept, the file is tried alone and has failed`, async () => {
      const crashed = kit.fleet.stats().hostsCrashed;
      const examination = await kit.fleet.examine(Buffer.from(lie), { mode: 'exact' });
      assert.equal(`${examination.outcome} ${examination.reason?.code}`, 'failed hostCrashed');
      assert.match(examination.reason?.detail ?? '', recorded);
      // Among others, alone, and once more for its digests.
      assert.equal(kit.fleet.stats().hostsCrashed, crashed + 3);
    });
  }

  test('an honest answer of the same host is taken', async () => {
    assert.equal((await kit.fleet.examine(Buffer.from('honest'), { mode: 'exact' })).outcome, 'done');
  });
});

test('a fleet whose hosts cannot start says so, with what the host said', async () => {
  const starting = TestFleet.start({ hosts: 1, hostEntry: path.join(import.meta.dirname, 'no-such-host.ts') });
  await assert.rejects(starting, { code: 'HW_WORKER_START', message: /no-such-host/ });
});
