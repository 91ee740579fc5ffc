import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import type { Member } from '../../schemas/access.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import type { Db } from '../store/db.ts';
import { integer, row } from '../store/row-shape.ts';
import { PROBE_TABLES, placesOf, sampledBits } from './probe-buckets.ts';
import { acknowledgeProbeAlert, openProbeAlerts, watchProbes } from './probe-watch.ts';
import { decideReview, isDrawn, ReviewDraw, waitingReviews } from './review-draw.ts';
import { isCode, seedKey, seedOrganisation, seedPurpose, TERMS } from './test-access-kit.ts';

const HOUR_MS = 60 * 60_000;
/** Goal S6. */
const MOST_PROBES = 100;

/** mulberry32: the same numbers from the same seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const stranger = (random: () => number): Uint8Array =>
  Uint8Array.from({ length: 32 }, () => Math.floor(random() * 256));

/** Another hash `bits` bits away. */
function near(hash: Uint8Array, bits: number, random: () => number): Uint8Array {
  const moved = Uint8Array.from(hash);
  const chosen = new Set<number>();
  while (chosen.size < bits) chosen.add(Math.floor(random() * 256));
  for (const bit of chosen) moved[bit >> 3] = (moved[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return moved;
}

for (const engine of STORE_ENGINES) {
  describe(`watch over probes on ${engine.name}`, engine.options, () => {
    let db: Db;
    before(async () => {
      db = await engine.open();
      await seedPurpose(db);
    });
    after(async () => await db.close());

    async function callers(count: number): Promise<Member[]> {
      const { organisationId, agreementId } = await seedOrganisation(db);
      const members: Member[] = [];
      for (let made = 0; made < count; made += 1) {
        const { principalId } = await seedKey(db, organisationId);
        members.push({
          principalId,
          kind: 'key',
          label: 'x',
          organisationId,
          roles: ['lab'],
          agreement: { ...TERMS, agreementId: agreementId ?? '' },
          standingReason: null,
        });
      }
      return members;
    }

    for (const stepBits of [1, 8, 20]) {
      it(`S6: sliding by ${stepBits} bits, one probe an hour over five keys, raises an alert within 100 probes`, async () => {
        const members = await callers(5);
        const random = randomOf(stepBits);
        const startMs = Date.parse('2030-01-01T00:00:00Z');
        let hash = stranger(random);
        let probes = 0;
        for (let raised = 0; raised === 0; probes += 1) {
          assert.ok(probes < MOST_PROBES, 'no alert within 100 probes');
          const member = members[probes % members.length];
          assert.ok(member !== undefined);
          raised = await watchProbes(db, member, [hash], new Date(startMs + probes * HOUR_MS));
          hash = near(hash, stepBits, random);
        }
        const [alert] = (await openProbeAlerts(db)).filter(
          ({ organisationId }) => organisationId === members[0]?.organisationId,
        );
        assert.ok(alert !== undefined);
        assert.equal(await acknowledgeProbeAlert(db, alert.alertId, 'supervisor'), true);
        assert.equal(await acknowledgeProbeAlert(db, alert.alertId, 'supervisor'), false);
      });
    }

    it('S6: raises none for strangers, variants of some pictures, and the same hash asked for again', async () => {
      const [member] = await callers(1);
      assert.ok(member !== undefined);
      const random = randomOf(99);
      const originals = Array.from({ length: 40 }, () => stranger(random));
      const asked = originals.flatMap((one) => [one, near(one, 4, random), near(one, 8, random), one]);
      const again = Array.from({ length: 60 }, () => originals[0] ?? new Uint8Array(32));
      assert.equal(await watchProbes(db, member, [...asked, ...again]), 0);
    });

    it('S6: keeps nothing of a probe after 30 days, and never the hash', async () => {
      const [member] = await callers(1);
      assert.ok(member !== undefined);
      const random = randomOf(7);
      const at = new Date('2030-01-01T00:00:00Z');
      await watchProbes(db, member, [stranger(random)], at);
      const kept = async () =>
        (
          await db.read(
            row({ rows: integer }),
            'select count(*) as rows from probe_bucket where organisation_id = $1',
            [member.organisationId],
          )
        )[0]?.rows;
      assert.equal(await kept(), PROBE_TABLES);
      await watchProbes(db, member, [stranger(random)], new Date(at.getTime() + 31 * 24 * HOUR_MS));
      assert.equal(await kept(), PROBE_TABLES);
    });

    it('S6: puts a drawn look-up before a supervisor, who does not decide on his own', async () => {
      const [member, supervisor] = await callers(2);
      assert.ok(member !== undefined && supervisor !== undefined);
      const draw = new ReviewDraw(db);
      let drawn = '';
      for (let sequence = 1; drawn === ''; sequence += 1) {
        const reference = `${member.organisationId}/${sequence}`;
        if (await draw.draw(member, reference)) drawn = reference;
        assert.ok(sequence < 2000, 'none drawn of 2,000');
      }
      const waiting = (await waitingReviews(db)).find(({ reference }) => reference === drawn);
      assert.ok(waiting !== undefined);
      await assert.rejects(decideReview(db, waiting.reviewId, 'inOrder', member), isCode('HW_ACCESS_RULE'));
      assert.equal(await decideReview(db, waiting.reviewId, 'inOrder', supervisor), true);
      assert.equal(await decideReview(db, waiting.reviewId, 'inOrder', supervisor), false);
    });
  });
}

describe('where a probe falls', () => {
  const key = Buffer.alloc(32, 1);
  const sampled = sampledBits(key);

  it('S6: is the same for the same hash, and another place under another key', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (hash) => {
        const places = placesOf(key, sampled, hash);
        const other = Buffer.alloc(32, 2);
        assert.deepEqual(placesOf(key, sampled, Uint8Array.from(hash)), places);
        assert.notDeepEqual(placesOf(other, sampledBits(other), hash), places);
      }),
      { numRuns: 50 },
    );
  });

  it('S6: changes in each table exactly when a bit that it looks at changes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.integer({ min: 0, max: 255 }), (hash, bit) => {
        const moved = Uint8Array.from(hash);
        moved[bit >> 3] = (moved[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const [one, other] = [placesOf(key, sampled, hash), placesOf(key, sampled, moved)];
        assert.notEqual(one.tag, other.tag);
        for (const [table, bits] of sampled.entries())
          assert.equal(one.buckets[table] === other.buckets[table], !bits.includes(bit));
      }),
      { numRuns: 100 },
    );
  });

  it('S6: draws 2 in 100 look-ups for review, the same ones each time', () => {
    const drawn = Array.from({ length: 20_000 }, (_none, sequence) => `unit/${sequence}`).filter((one) =>
      isDrawn(key, one),
    );
    // 400 expected; six standard deviations are 119.
    assert.ok(drawn.length > 281 && drawn.length < 519, String(drawn.length));
    assert.ok(drawn.every((one) => isDrawn(key, one)));
  });
});
