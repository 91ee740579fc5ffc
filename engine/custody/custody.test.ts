import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { openTestBatch } from '../../test/batch-kit.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import type { Db } from '../store/db.ts';
import { integer, row } from '../store/row-shape.ts';
import { custodyHash, type StoredEvent, verifyCustody } from './chain.ts';
import { addCustodyEvent, custodyOf, type HandOver } from './events.ts';
import { manifestDigest, manifestLine } from './manifest.ts';

function chainOf(reasons: readonly string[]): StoredEvent[] {
  const stored: StoredEvent[] = [];
  for (const reason of reasons) {
    const hashed = {
      organisation: 'unit',
      caseRef: '24-017',
      sequence: stored.length + 1,
      exhibitRef: '7',
      batchId: null,
      from: 'store',
      to: 'lab',
      place: 'room 14',
      at: '2026-11-24T09:30:00.000Z',
      reason,
      digestOf: 'file' as const,
      sha256Before: null,
      sha256After: 'ab'.repeat(32),
      tool: 'imager',
      toolVersion: '1',
      recordedBy: 'tester',
      recordedAt: '2026-11-24T09:31:00.000Z',
      previousHash: stored.at(-1)?.event.hash ?? '0'.repeat(64),
    };
    const saltHex = randomBytes(16).toString('hex');
    stored.push({ event: { ...hashed, changed: false, hash: custodyHash(hashed, saltHex), erasedAt: null }, saltHex });
  }
  return stored;
}

describe('chain of custody', () => {
  it('is whole as written, and any one edit, deletion, repetition or exchange breaks it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme', maxLength: 20 }), { minLength: 2, maxLength: 8 }),
        fc.nat(),
        fc.constantFrom('edit', 'digest', 'delete', 'repeat', 'exchange'),
        (reasons, pick, what) => {
          const whole = chainOf(reasons);
          assert.deepEqual(verifyCustody(whole), { whole: true, events: whole.length, erased: 0 });
          // Not the last one: a cut tail shows only against a head known from elsewhere.
          const at = pick % (whole.length - 1);
          const changed = structuredClone(whole);
          const [victim, next] = [changed[at], changed[at + 1]];
          assert.ok(victim !== undefined && next !== undefined);
          if (what === 'edit') victim.event.reason += ' ';
          if (what === 'digest') victim.event.sha256After = 'ac'.repeat(32);
          if (what === 'delete') changed.splice(at, 1);
          if (what === 'repeat') changed.splice(at, 0, victim);
          if (what === 'exchange') [changed[at], changed[at + 1]] = [next, victim];
          assert.equal(verifyCustody(changed).whole, false);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('takes an event without its salt for whole only where it was erased', () => {
    const [first, second] = chainOf(['a', 'b']);
    assert.ok(first !== undefined && second !== undefined);
    assert.equal(verifyCustody([{ ...first, saltHex: null }, second]).whole, false);
    const erased = {
      event: { ...first.event, sha256After: null, erasedAt: '2026-12-01T00:00:00.000Z' },
      saltHex: null,
    };
    assert.deepEqual(verifyCustody([erased, second]), { whole: true, events: 2, erased: 1 });
  });
});

for (const engine of STORE_ENGINES) {
  describe(`custody on ${engine.name}`, engine.options, () => {
    let db: Db;
    before(async () => {
      db = await engine.open();
    });
    after(async () => await db.close());

    const handOver = (caseRef: string, changes: Partial<HandOver> = {}): HandOver => ({
      organisation: 'unit',
      caseRef,
      exhibitRef: '7',
      batchId: null,
      from: 'store',
      to: 'lab',
      place: 'room 14',
      at: '2026-11-24T10:30:00+01:00',
      reason: 'imaging \0 ä',
      digestOf: 'file',
      sha256After: 'ab'.repeat(32),
      tool: 'imager',
      toolVersion: '1',
      recordedBy: 'tester',
      sourceKey: null,
      ...changes,
    });

    it('chains events that are added at once, and reads them back as they were hashed', async () => {
      await Promise.all(
        Array.from({ length: 8 }, (_, at) => addCustodyEvent(db, handOver('many', { exhibitRef: `${at % 2}` }))),
      );
      const found = await custodyOf(db, { organisation: 'unit', caseRef: 'many' });
      assert.deepEqual(found.chain, { whole: true, events: 8, erased: 0, brokenAt: null });
      assert.equal((await custodyOf(db, { organisation: 'unit', caseRef: 'many', exhibitRef: '0' })).events.length, 4);
      assert.equal((await custodyOf(db, { organisation: 'other', caseRef: 'many' })).events.length, 0);
    });

    it('shows a digest that is not the one recorded last of the exhibit', async () => {
      const key = (of: string): Buffer => createHash('sha256').update(of).digest();
      await addCustodyEvent(db, handOver('moved'));
      const same = await addCustodyEvent(db, handOver('moved', { from: null, sourceKey: key('a') }));
      assert.deepEqual([same.sha256Before, same.changed, same.from], ['ab'.repeat(32), false, 'lab']);
      const other = await addCustodyEvent(db, handOver('moved', { sha256After: 'cd'.repeat(32), sourceKey: key('a') }));
      assert.deepEqual([other.sha256Before, other.changed], ['ab'.repeat(32), true]);
      const list = await addCustodyEvent(
        db,
        handOver('moved', { digestOf: 'manifest', sha256After: 'ef'.repeat(32), sourceKey: key('b') }),
      );
      assert.deepEqual([list.sha256Before, list.changed], [null, false], 'a list of files is no file');
      const roots = await addCustodyEvent(
        db,
        handOver('moved', { digestOf: 'manifest', sha256After: '01'.repeat(32), sourceKey: key('c') }),
      );
      assert.equal(roots.sha256Before, null, 'other roots');
      assert.equal((await custodyOf(db, { organisation: 'unit', caseRef: 'moved' })).changed, 1);
    });

    it('lets nobody change, delete or empty what is recorded, except the digests all at once', async () => {
      await addCustodyEvent(db, handOver('kept'));
      for (const sql of [
        `update custody_event set reason = 'x' where case_ref = 'kept'`,
        `update custody_event set erased_at = now(), salt = null, sha256_before = null, sha256_after = null, source_key = null, reason = 'x' where case_ref = 'kept'`,
        `update custody_event set sha256_after = null where case_ref = 'kept'`,
        `delete from custody_event where case_ref = 'kept'`,
        'truncate custody_event',
      ])
        await assert.rejects(db.execute(sql), sql);
      const found = await custodyOf(db, { organisation: 'unit', caseRef: 'kept' });
      assert.equal(found.events[0]?.sha256After, 'ab'.repeat(32));
    });

    it('makes the digest of a source of what was seen, in whatever order, and of nothing that is gone', async () => {
      const batchId = await openTestBatch(db);
      const paths = ['/e/b', '/e/a', '/e/link', '/e/gone'];
      const digest = (of: string): Buffer => createHash('sha256').update(of).digest();
      for (const path of paths) {
        const [media] =
          path === '/e/link'
            ? []
            : await db.read(
                row({ mediaId: integer }),
                `insert into media (sha256, sha1, md5, size_bytes, type) values ($1, $2, $3, 5, 'x') returning media_id`,
                [digest(`c ${path}`), randomBytes(20), randomBytes(16)],
              );
        await db.execute(
          `insert into item (batch_id, path_key, path, media_id, size_bytes, type, outcome, seen_at)
           values ($1, $2, $3, $4, $5, 'x', 'done', $6)`,
          [
            batchId,
            digest(path),
            Buffer.from(path),
            media?.mediaId ?? null,
            media === undefined ? null : 5,
            path === '/e/gone' ? '2026-01-01T00:00:00Z' : '2026-01-03T00:00:00Z',
          ],
        );
      }
      await db.execute(
        `insert into item (batch_id, path_key, path, container_path_key, type, outcome) values ($1, $2, 'in', $3, 'x', 'done')`,
        [batchId, digest('in'), digest('/e/a')],
      );
      const lines = ['/e/a', '/e/b', '/e/link'].map((path) =>
        manifestLine({
          pathKey: digest(path),
          sizeBytes: path === '/e/link' ? null : 5,
          sha256: path === '/e/link' ? null : digest(`c ${path}`),
        }),
      );
      const expected = createHash('sha256').update(lines.sort().join('')).digest('hex');
      const found = await manifestDigest(db, batchId, '2026-01-02T00:00:00.000Z');
      assert.deepEqual([found.sha256.toString('hex'), found.entries], [expected, 3]);
    });
  });
}
