import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import type { AuditAct, AuditEntry } from '../../schemas/audit.ts';
import { HomewardError } from '../../schemas/error.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import type { Db } from '../store/db.ts';
import { clearAuditAlarms, clockSteppedBack, openAuditAlarms } from './alarms.ts';
import { appendAudit } from './append.ts';
import { AuditWriter } from './audit-writer.ts';
import { listAudit } from './list.ts';
import { canonicalJson } from './verify/canonical-json.ts';
import { entryHash, NO_PREVIOUS_HASH, verifyChain } from './verify/chain.ts';
import { type PlannedAct, withAudit } from './with-audit.ts';

const plan = (organisation: string, objects: readonly string[] = []): PlannedAct => ({
  operation: 'collection',
  action: 'scan',
  actor: 'A. Examiner',
  organisation,
  purpose: null,
  justification: null,
  caseRef: '24-017',
  recipient: null,
  objects: [...objects],
});

function chainOf(actions: readonly string[]): AuditEntry[] {
  const entries: AuditEntry[] = [];
  for (const action of actions) {
    const unhashed = {
      ...plan('unit'),
      action,
      outcome: 'done' as const,
      sequence: entries.length + 1,
      at: '2026-01-02T03:04:05.678Z',
      node: 'machine',
      previousHash: entries.at(-1)?.hash ?? NO_PREVIOUS_HASH,
    };
    entries.push({ ...unhashed, hash: entryHash(unhashed) });
  }
  return entries;
}

describe('audit chain', () => {
  const chains = fc.array(fc.string(), { minLength: 2, maxLength: 12 }).map(chainOf);

  it('S4: is whole as written, and any one edit, deletion, insertion or exchange breaks it', async () => {
    await fc.assert(
      fc.asyncProperty(
        chains,
        fc.nat(),
        fc.nat(),
        fc.constantFrom('edit', 'rehash', 'delete', 'repeat', 'exchange'),
        async (entries, first, second, what) => {
          assert.deepEqual(await verifyChain(entries), {
            whole: true,
            entries: entries.length,
            headHash: entries.at(-1)?.hash,
          });
          // Not the last one: what becomes of the tail only a known head can tell.
          const at = first % (entries.length - 1);
          const other = second % entries.length;
          const changed = structuredClone(entries);
          const [victim, partner] = [changed[at], changed[other]];
          assert.ok(victim !== undefined && partner !== undefined);
          if (what === 'edit' || what === 'rehash') victim.actor = `${victim.actor} `;
          if (what === 'rehash') victim.hash = entryHash(victim);
          if (what === 'delete') changed.splice(at, 1);
          if (what === 'repeat') changed.splice(at, 0, victim);
          if (what === 'exchange') {
            if (at === other) return;
            [changed[at], changed[other]] = [partner, victim];
          }
          assert.equal((await verifyChain(changed)).whole, false);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('S4: a cut tail passes unless the head is known from elsewhere, and then it does not', async () => {
    const entries = chainOf(['a', 'b', 'c', 'd']);
    const head = { sequence: 4, hash: entries[3]?.hash ?? '' };
    assert.equal((await verifyChain(entries.slice(0, 2))).whole, true);
    assert.deepEqual(await verifyChain(entries.slice(0, 2), head), {
      whole: false,
      entries: 2,
      fault: 'head',
      atSequence: 3,
    });
    assert.equal((await verifyChain(entries, head)).whole, true);
  });

  it('has one canonical text for one value, whatever the order of its keys', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string(),
          fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.array(fc.string())),
        ),
        (value) => {
          const turned = Object.fromEntries(Object.entries(value).reverse());
          assert.equal(canonicalJson(turned), canonicalJson(value));
          assert.deepEqual(JSON.parse(canonicalJson(value)), { ...value });
        },
      ),
    );
    assert.throws(() => canonicalJson({ share: 0.5 }), TypeError);
    assert.throws(() => canonicalJson({ gone: undefined }), TypeError);
  });
});

for (const engine of STORE_ENGINES) {
  describe(`audit on ${engine.name}`, engine.options, () => {
    let db: Db;
    before(async () => {
      db = await engine.open();
    });
    after(async () => await db.close());

    const entriesOf = async (organisation: string): Promise<AuditEntry[]> =>
      await Array.fromAsync(listAudit(db, organisation));
    const act = (organisation: string): AuditAct => ({ ...plan(organisation), outcome: 'done' });

    it('chains entries that are appended at once, each organisation by itself, and reads them back as they were hashed', async () => {
      await Promise.all(
        Array.from({ length: 24 }, (_, at) =>
          appendAudit(db, { ...act(at % 2 === 0 ? 'even' : 'odd'), justification: 'ä\0"\ud800' }),
        ),
      );
      for (const organisation of ['even', 'odd']) {
        const entries = await entriesOf(organisation);
        assert.equal(entries.length, 12);
        assert.equal((await verifyChain(entries)).whole, true);
      }
    });

    it('records an act before and after, with what became known by doing it', async () => {
      const result = await withAudit(db, plan('done', ['plan 1']), async () => ({ result: 42, objects: ['batch 1'] }));
      assert.equal(result, 42);
      const entries = await entriesOf('done');
      assert.deepEqual(
        entries.map((entry) => [entry.outcome, entry.objects]),
        [
          ['started', ['plan 1']],
          ['done', ['plan 1', 'batch 1']],
        ],
      );
    });

    it('records a failure as failed, a refusal as refused and an interruption as interrupted', async () => {
      await assert.rejects(
        withAudit(db, plan('ends'), async () => Promise.reject(new Error('broke'))),
        /broke/,
      );
      await assert.rejects(
        withAudit(db, plan('ends'), async () =>
          Promise.reject(new HomewardError('HW_PURPOSE_REQUIRED', 'not allowed')),
        ),
        /not allowed/,
      );
      await withAudit(db, plan('ends'), async () => ({ result: null, outcome: 'interrupted' }));
      assert.deepEqual(
        (await entriesOf('ends')).map((entry) => entry.outcome),
        ['started', 'failed', 'started', 'refused', 'started', 'interrupted'],
      );
    });

    it('writes what comes at once in groups, in the order it came, each organisation by itself', async () => {
      await using writer = new AuditWriter(db);
      const entries = await Promise.all(
        Array.from({ length: 600 }, (_, at) =>
          writer.append({ ...act(at % 3 === 0 ? 'group-a' : 'group-b'), objects: [`act ${at}`] }),
        ),
      );
      for (const organisation of ['group-a', 'group-b']) {
        const recorded = await entriesOf(organisation);
        assert.equal((await verifyChain(recorded)).whole, true);
        assert.deepEqual(
          recorded,
          entries.filter((entry) => entry.organisation === organisation),
        );
      }
    });

    it('S4: stays one chain under several writers that each go on from what they know', async () => {
      await using one = new AuditWriter(db);
      await using other = new AuditWriter(db);
      for (let round = 0; round < 5; round += 1) {
        await one.append(act('shared'));
        await Promise.all([one, other, other, one].map(async (writer) => await writer.append(act('shared'))));
      }
      await appendAudit(db, act('shared'));
      await one.append(act('shared'));
      const recorded = await entriesOf('shared');
      assert.deepEqual([recorded.length, (await verifyChain(recorded)).whole], [27, true]);
    });

    it('goes on from what is there after the database was set back to an earlier moment', async () => {
      await using writer = new AuditWriter(db);
      for (let entry = 0; entry < 5; entry += 1) await writer.append(act('restored'));
      await db.execute("delete from audit_entry where organisation = 'restored' and sequence > 3");
      assert.equal((await writer.append(act('restored'))).sequence, 4);
      assert.equal((await verifyChain(await entriesOf('restored'))).whole, true);
    });

    it('S3: refuses the one act that the database does not take, and records those around it', async () => {
      await db.execute(
        `create function refuse_one() returns trigger language plpgsql as $$
         begin if new.entry->'objects' ? 'bad' then raise exception 'no'; end if; return new; end $$`,
      );
      await db.execute(
        'create trigger refuse_one before insert on audit_entry for each row execute function refuse_one()',
      );
      try {
        await using writer = new AuditWriter(db);
        const outcomes = await Promise.allSettled(
          ['good 1', 'good 2', 'bad', 'good 3'].map((object) => writer.append({ ...act('mixed'), objects: [object] })),
        );
        assert.deepEqual(
          outcomes.map((outcome) => outcome.status),
          ['fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
        );
        assert.deepEqual(
          (await entriesOf('mixed')).map((entry) => entry.objects[0]),
          ['good 1', 'good 2', 'good 3'],
        );
      } finally {
        await db.execute('drop trigger refuse_one on audit_entry');
      }
    });

    it('S3: a writer that was closed refuses', async () => {
      const writer = new AuditWriter(db);
      await writer[Symbol.asyncDispose]();
      await assert.rejects(
        withAudit(writer, plan('late'), async () => ({ result: null })),
        { code: 'HW_AUDIT_UNWRITABLE' },
      );
      assert.deepEqual(await entriesOf('late'), []);
    });

    it('cuts what is longer than an entry may be, so that the trail can be read back', async () => {
      const long = {
        ...act('long'),
        justification: 'ä'.repeat(3_000),
        objects: Array.from({ length: 1_200 }, () => 'o'),
      };
      await appendAudit(db, long);
      const [entry] = await entriesOf('long');
      assert.equal(entry?.justification?.length, 2_000);
      assert.equal(entry?.objects.at(-1), '\u2026 and 201 more');
    });

    it('keeps its order when the clock steps back, raises an alarm, and says so until a person clears it', async () => {
      const clock = { ms: Date.UTC(2026, 0, 1) };
      const steps: unknown[] = [];
      const options = { now: () => clock.ms, onClockStep: (step: unknown) => steps.push(step) };
      await using writer = new AuditWriter(db, options);
      await writer.append(act('clock'));
      clock.ms -= 5_000;
      await writer.append(act('clock'));
      assert.deepEqual([steps, await clockSteppedBack(db)], [[], false]);
      clock.ms -= 5_001;
      await Promise.all([writer.append(act('clock')), writer.append(act('clock'))]);
      assert.deepEqual(steps, [{ organisation: 'clock', sequence: 3, backMs: 5_001 }]);
      assert.equal(await clockSteppedBack(db), true);
      clock.ms -= 60_000;
      await writer.append(act('clock'));
      assert.deepEqual([steps.length, (await openAuditAlarms(db)).length], [2, 1]);
      assert.equal((await verifyChain(await entriesOf('clock'))).whole, true);
      const [alarm] = await openAuditAlarms(db);
      assert.deepEqual([alarm?.kind, alarm?.organisation, alarm?.sequence], ['clockSteppedBack', 'clock', 3]);
      const cleared = { by: 'supervisor', justification: 'the clock was set by hand' };
      assert.equal(await clearAuditAlarms(db, { ...cleared, upTo: (alarm?.alarmId ?? 0) - 1 }), 0);
      assert.equal(await clearAuditAlarms(db, { ...cleared, upTo: alarm?.alarmId ?? 0 }), 1);
      assert.equal(await clockSteppedBack(db), false);
    });

    it('S3: with the audit unwritable 100 of 100 acts are refused and nothing is done', async () => {
      await db.execute(
        "create function refuse_audit() returns trigger language plpgsql as $$ begin raise exception 'audit is closed'; end $$",
      );
      await db.execute(
        'create trigger refuse_audit before insert on audit_entry for each row execute function refuse_audit()',
      );
      let done = 0;
      let refused = 0;
      try {
        for (let attempt = 0; attempt < 100; attempt += 1) {
          try {
            await withAudit(db, plan('closed'), async () => {
              done += 1;
              return { result: null };
            });
          } catch (error) {
            if (error instanceof HomewardError && error.code === 'HW_AUDIT_UNWRITABLE') refused += 1;
          }
        }
      } finally {
        await db.execute('drop trigger refuse_audit on audit_entry');
      }
      assert.deepEqual({ done, refused }, { done: 0, refused: 100 });
    });
  });
}
