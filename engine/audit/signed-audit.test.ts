import assert from 'node:assert/strict';
import { chmod, readdir, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import type { Db } from '../store/db.ts';
import { openAuditAlarms } from './alarms.ts';
import { appendAudit } from './append.ts';
import { changeAuditKey, initAuditKey, listAuditKeys, signingKeyInUse } from './audit-keys.ts';
import { listCheckpoints, makeCheckpoint, organisationsToSign } from './checkpoint.ts';
import { CheckpointSchedule } from './checkpoint-schedule.ts';
import { dropCheckpoints } from './drop-folder.ts';
import { proveEntry } from './prove-entry.ts';
import { SigningKey } from './signing-key.ts';
import { actOf, addEntries, checkpointOf, exportText, KeyFolder } from './test-signed-audit.ts';
import { canonicalJson } from './verify/canonical-json.ts';
import { entryHash } from './verify/chain.ts';
import { printedCode, readCode } from './verify/printed-code.ts';
import type { WitnessLine } from './verify/records.ts';
import { type ExportVerdict, type KnownFromElsewhere, verifyExport } from './verify/verify-export.ts';
import { verifyInclusionLine } from './verify/verify-inclusion.ts';
import { readWitnessLines } from './verify/verify-witness.ts';
import { findByCode, keepCopies, keptLines } from './witness.ts';
import { witnessLines } from './witness-line.ts';

const NOTHING: KnownFromElsewhere = { keys: null, witnesses: [], codes: [] };
const verify = async (text: string, known: Partial<KnownFromElsewhere> = {}): Promise<ExportVerdict> =>
  await verifyExport([Buffer.from(text)], { ...NOTHING, ...known });
const faultOf = (verdict: ExportVerdict): string => (verdict.whole ? 'none' : verdict.fault);

/** Rewrites an entry and every hash after it, as whoever holds the database can. */
async function rewriteHistory(db: Db, organisation: string, sequence: number): Promise<void> {
  const rows = await db.query<{ entry: Record<string, unknown> }>(
    'select entry from audit_entry where organisation = $1 and sequence >= $2 order by sequence',
    [organisation, sequence],
  );
  let previousHash = '';
  for (const { entry } of rows) {
    const changed = previousHash === '' ? { ...entry, actor: 'nobody' } : { ...entry, previousHash };
    previousHash = entryHash(changed);
    const { hash: _own, ...hashed }: Record<string, unknown> = changed;
    await db.execute(
      'update audit_entry set entry = $3::jsonb, canonical = $4, hash = $5 where organisation = $1 and sequence = $2',
      [
        organisation,
        Number(entry['sequence']),
        JSON.stringify({ ...hashed, hash: previousHash }),
        canonicalJson(hashed),
        Buffer.from(previousHash, 'hex'),
      ],
    );
  }
}

for (const engine of STORE_ENGINES) {
  describe(`signed audit on ${engine.name}`, engine.options, () => {
    let db: Db;
    let folder: KeyFolder;
    let key: SigningKey;
    before(async () => {
      db = await engine.open();
      folder = await KeyFolder.make();
      await assert.rejects(signingKeyInUse(db, folder.keyFile), { code: 'HW_AUDIT_KEY' });
      await assert.rejects(changeAuditKey(db, folder.keyFile), { code: 'HW_AUDIT_KEY' });
      await SigningKey.generate().store(folder.keyFile);
      await assert.rejects(initAuditKey(db, folder.keyFile), { code: 'HW_AUDIT_KEY' });
      await rm(folder.keyFile);
      key = await initAuditKey(db, folder.keyFile);
    });
    after(async () => {
      await db.close();
      await folder[Symbol.asyncDispose]();
    });

    it('keeps its key where only the owner reads it, makes one only once, and refuses one that is open to others', async () => {
      assert.equal((await stat(folder.keyFile)).mode & 0o777, 0o600);
      await assert.rejects(initAuditKey(db, folder.keyFile), { code: 'HW_AUDIT_KEY' });
      await chmod(folder.keyFile, 0o644);
      await assert.rejects(signingKeyInUse(db, folder.keyFile), { code: 'HW_AUDIT_KEY' });
      await chmod(folder.keyFile, 0o600);
      assert.equal((await signingKeyInUse(db, folder.keyFile)).keyId, key.keyId);
    });

    it('signs what was added since the last checkpoint, and nothing twice', async () => {
      await addEntries(db, 'grows', 5);
      assert.equal((await checkpointOf(db, 'grows', key)).checkpoint.previousSequence, 0);
      assert.equal(await makeCheckpoint(db, 'grows', key), null);
      for (const entries of [1, 7, 16]) {
        await addEntries(db, 'grows', entries);
        assert.ok((await organisationsToSign(db)).includes('grows'));
        const made = await checkpointOf(db, 'grows', key);
        // Made from the frontier, and the same as over all entries: the verifier builds it anew from the first one.
        const verdict = await verify(await exportText(db, made, key), { codes: [printedCode(made.digest)] });
        assert.ok(verdict.whole);
        assert.equal(verdict.entries, made.checkpoint.sequence);
        assert.equal(verdict.checkpoints, (await listCheckpoints(db, 'grows')).length);
      }
      assert.ok(!(await organisationsToSign(db)).includes('grows'));
    });

    it('S4: signs nothing over a chain that was changed in the database, before or after the last checkpoint', async () => {
      await addEntries(db, 'signed-over', 6);
      await checkpointOf(db, 'signed-over', key);
      await addEntries(db, 'signed-over', 2);
      await rewriteHistory(db, 'signed-over', 3);
      await assert.rejects(makeCheckpoint(db, 'signed-over', key), { code: 'HW_AUDIT_BROKEN' });
      await addEntries(db, 'cut', 4);
      await db.execute(`delete from audit_entry where organisation = 'cut' and sequence = 2`);
      await assert.rejects(makeCheckpoint(db, 'cut', key), { code: 'HW_AUDIT_BROKEN' });
      await addEntries(db, 'subtrees', 3);
      await checkpointOf(db, 'subtrees', key);
      await addEntries(db, 'subtrees', 1);
      await db.execute(
        `update audit_checkpoint set frontier = sha256(frontier) || sha256('x') where organisation = 'subtrees'`,
      );
      await assert.rejects(makeCheckpoint(db, 'subtrees', key), { code: 'HW_AUDIT_BROKEN' });
    });

    it('S4: detects whoever holds database and signing key and rewrites history, by a copy, a file or a code from elsewhere', async () => {
      await addEntries(db, 'rewritten', 10);
      const honest = await checkpointOf(db, 'rewritten', key);
      const [copy = ''] = await witnessLines(db, [honest]);
      const elsewhere = { witnesses: readWitnessLines(copy) };
      const codes = { codes: [printedCode(honest.digest)] };
      assert.equal(faultOf(await verify(await exportText(db, honest, key), { ...elsewhere, ...codes })), 'none');
      assert.deepEqual(
        (await keepCopies(db, copy)).map((one) => one.verdict),
        ['first'],
      );

      // Entries, hashes, checkpoints: all made anew with the real key, and longer than before.
      await rewriteHistory(db, 'rewritten', 4);
      await db.execute(`delete from audit_checkpoint where organisation = 'rewritten'`);
      await addEntries(db, 'rewritten', 3);
      const forged = await checkpointOf(db, 'rewritten', key);
      const text = await exportText(db, forged, key);
      assert.equal(faultOf(await verify(text, { keys: [key.publicKey] })), 'none');
      assert.equal(faultOf(await verify(text, elsewhere)), 'witness');
      assert.equal(faultOf(await verify(text, codes)), 'witness');
      assert.equal(await findByCode(db, printedCode(forged.digest)).then((found) => found?.from), 'ours');
      // The second organisation, given the next checkpoint, cannot link it to its copy; given one of the same length, it sees two histories.
      const forgedLines = await witnessLines(db, [forged]);
      assert.deepEqual(
        (await keepCopies(db, forgedLines.join('\n'))).map((one) => one.verdict),
        ['unlinked'],
      );
      await db.execute(`delete from audit_checkpoint where organisation = 'rewritten'`);
      await db.execute(`delete from audit_entry where organisation = 'rewritten' and sequence > 10`);
      const [same = ''] = await witnessLines(db, [await checkpointOf(db, 'rewritten', key)]);
      assert.deepEqual(
        (await keepCopies(db, same)).map((one) => one.verdict),
        ['conflict'],
      );
      assert.ok((await openAuditAlarms(db)).some((alarm) => alarm.kind === 'witnessConflict'));
      assert.equal((await keptLines(db, 'rewritten')).length, 3);
      // A tail that was cut off is missed as well.
      await db.execute(`delete from audit_checkpoint where organisation = 'rewritten'`);
      await db.execute(`delete from audit_entry where organisation = 'rewritten' and sequence > 2`);
      const cut = await exportText(db, await checkpointOf(db, 'rewritten', key), key);
      assert.equal(faultOf(await verify(cut)), 'none');
      assert.equal(faultOf(await verify(cut, elsewhere)), 'witness');
    });

    it('S4: a copy that follows the older one is told from one that is known and from one that contradicts it', async () => {
      await addEntries(db, 'followed', 3);
      await checkpointOf(db, 'followed', key);
      await addEntries(db, 'followed', 10);
      await checkpointOf(db, 'followed', key);
      const lines = await witnessLines(db, await listCheckpoints(db, 'followed'));
      assert.deepEqual(
        (await keepCopies(db, lines.join('\n'))).map((one) => [one.verdict, one.keyChanged]),
        [
          ['first', false],
          ['follows', false],
        ],
      );
      assert.deepEqual(
        (await keepCopies(db, lines[1] ?? '')).map((one) => one.verdict),
        ['known'],
      );
      await assert.rejects(keepCopies(db, (lines[1] ?? '').replace('"sequence":13', '"sequence":14')), {
        code: 'HW_AUDIT_WITNESS',
      });
      await assert.rejects(keepCopies(db, ''), { code: 'HW_AUDIT_WITNESS' });
      const hostile: WitnessLine = JSON.parse(lines[1] ?? '');
      const checkpoint = { ...hostile.checkpoint, organisation: 'a\0b' };
      const signature = key.sign(canonicalJson(checkpoint));
      await assert.rejects(keepCopies(db, canonicalJson({ ...hostile, checkpoint, signature })), {
        code: 'HW_AUDIT_WITNESS',
      });
      const code = readCode(printedCode((await listCheckpoints(db, 'followed'))[1]?.digest ?? ''));
      assert.equal((await findByCode(db, code ?? ''))?.sequence, 13);
      assert.equal(await findByCode(db, printedCode('00'.repeat(32))), null);
    });

    it('S4: shows one entry to be in the audit without the others, and nothing that was changed', async () => {
      await addEntries(db, 'proved', 11);
      const signed = await checkpointOf(db, 'proved', key);
      for (const sequence of [1, 8, 9, 11]) {
        const line = await proveEntry(db, sequence, signed);
        const verdict = verifyInclusionLine(`${line}\n`, [key.publicKey]);
        assert.deepEqual(verdict, { whole: true, checkpoint: signed.checkpoint, sequence });
        assert.doesNotMatch(line.replace(`act ${sequence - 1}"`, ''), /act \d/);
        const inclusion = JSON.parse(line);
        const edited = { ...inclusion.entry, actor: 'nobody' };
        const faults = [
          [{ ...inclusion, entry: edited }, 'entry'],
          [{ ...inclusion, entry: { ...edited, hash: entryHash(edited) } }, 'proof'],
          [{ ...inclusion, inclusionProof: inclusion.inclusionProof.slice(1) }, 'proof'],
          [{ ...inclusion, checkpoint: { ...signed.checkpoint, sequence: 12 } }, 'signature'],
          [{ ...inclusion, more: 1 }, 'format'],
        ];
        for (const [changed, fault] of faults)
          assert.deepEqual(verifyInclusionLine(canonicalJson(changed), null), { whole: false, fault });
        assert.deepEqual(verifyInclusionLine(line, ['MCowBQ==']), { whole: false, fault: 'untrusted' });
      }
      await assert.rejects(proveEntry(db, 12, signed), { code: 'HW_USAGE' });
    });

    it('writes each checkpoint into the drop folder once, whole, and again where it failed', async () => {
      await addEntries(db, 'Unit "7" / north', 2);
      await checkpointOf(db, 'Unit "7" / north', key);
      const missing = path.join(folder.path, 'not there');
      await assert.rejects(dropCheckpoints(db, 'Unit "7" / north', missing), { code: 'HW_OUTPUT_UNWRITABLE' });
      const [file = ''] = await dropCheckpoints(db, 'Unit "7" / north', folder.path);
      assert.match(path.basename(file), /^audit-[0-9a-f]{16}-000000000002-[0-9a-f]{12}\.json$/);
      assert.equal(readWitnessLines(await readFile(file, 'utf8'))[0]?.checkpoint.sequence, 2);
      assert.deepEqual(await dropCheckpoints(db, 'Unit "7" / north', folder.path), []);
      assert.ok(!(await readdir(folder.path)).some((name) => name.endsWith('.part')));
    });

    it('makes checkpoints on a schedule, and alarms where it cannot', async () => {
      await addEntries(db, 'scheduled', 2);
      const troubles: unknown[] = [];
      const made: string[] = [];
      const options = {
        keyFile: folder.keyFile,
        dropFolder: null,
        intervalMs: 20,
        onAlarm: (_error: unknown, organisation: string | null) => troubles.push(organisation),
        onCheckpoint: ({ checkpoint }: { checkpoint: { organisation: string } }) => made.push(checkpoint.organisation),
      };
      {
        await using schedule = new CheckpointSchedule(db, options);
        schedule.start();
        schedule.start();
        const untilMs = Date.now() + 30_000;
        while (!made.includes('scheduled') && Date.now() < untilMs) await new Promise((wake) => setTimeout(wake, 10));
      }
      assert.equal(made.filter((organisation) => organisation === 'scheduled').length, 1);
      // The chains that the tests above damaged.
      assert.ok(troubles.includes('cut'));
      assert.ok(
        (await openAuditAlarms(db)).some((alarm) => alarm.kind === 'checkpointFailed' && alarm.organisation === 'cut'),
      );
    });

    it('S4: a changed key is vouched for by the one before; one that was lost, and a stranger, are not', async () => {
      await addEntries(db, 'keys', 2);
      await checkpointOf(db, 'keys', key);
      const changed = await changeAuditKey(db, folder.keyFile);
      assert.equal(changed.endorsed, true);
      await appendAudit(db, actOf('keys'));
      const first = await exportText(db, await checkpointOf(db, 'keys', changed.key), changed.key);
      assert.equal(faultOf(await verify(first, { keys: [key.publicKey] })), 'none');
      assert.equal(faultOf(await verify(first, { keys: [changed.key.publicKey] })), 'untrusted');
      await rm(folder.keyFile);
      const lost = await changeAuditKey(db, folder.keyFile);
      assert.equal(lost.endorsed, false);
      await appendAudit(db, actOf('keys'));
      const second = await exportText(db, await checkpointOf(db, 'keys', lost.key), lost.key);
      assert.equal(faultOf(await verify(second, { keys: [key.publicKey] })), 'untrusted');
      assert.equal(faultOf(await verify(second, { keys: [key.publicKey, lost.key.publicKey] })), 'none');
      const keys = await listAuditKeys(db);
      assert.deepEqual(
        keys.map((one) => [one.record.keyId, one.lastAt === null]),
        [
          [key.keyId, false],
          [changed.key.keyId, false],
          [lost.key.keyId, true],
        ],
      );
    });
  });
}
