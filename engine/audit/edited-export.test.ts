import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { openTestDb } from '../../test/pglite-template.ts';
import { initAuditKey } from './audit-keys.ts';
import { SigningKey } from './signing-key.ts';
import { addEntries, checkpointOf, exportText, KeyFolder } from './test-signed-audit.ts';
import { canonicalJson } from './verify/canonical-json.ts';
import { entryHash, NO_PREVIOUS_HASH } from './verify/chain.ts';
import { printedCode, readCode } from './verify/printed-code.ts';
import { verifyExport } from './verify/verify-export.ts';

type Line = Record<string, unknown>;
const EDITS = 1_000;
/** Checkpoints after 4, 13 and 20 entries. */
const ENTRIES = [4, 9, 7];

const parsed = (text: string): Line[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line): Line => JSON.parse(line));
const entryOf = (line: Line | undefined): Line | undefined =>
  typeof line?.['entry'] === 'object' && line['entry'] !== null ? { ...line['entry'] } : undefined;

/** Numbers, links and hashes of all entries made anew, as anybody can who has no key. */
function rehashed(lines: readonly Line[], organisation: string): Line[] {
  let [sequence, previousHash] = [0, NO_PREVIOUS_HASH];
  return lines.map((line) => {
    const entry = entryOf(line);
    if (entry === undefined) return line;
    sequence += 1;
    const { hash: _own, ...changed }: Line = { ...entry, organisation, sequence, previousHash };
    previousHash = entryHash(changed);
    return { ...line, entry: { ...changed, hash: previousHash } };
  });
}

/** Closed anew by whoever holds `key`. */
function sealed(lines: readonly Line[], key: SigningKey, organisation: string): string {
  const text = lines.map((line) => `${canonicalJson(line)}\n`).join('');
  const count = (kind: string): number => lines.filter((line) => line['kind'] === kind).length;
  const seal = {
    format: 'homeward-audit-seal/1',
    organisation,
    at: '2026-01-02T03:04:05.678Z',
    entries: count('entry'),
    checkpoints: count('checkpoint'),
    digest: createHash('sha256').update(text).digest('hex'),
    keyId: key.keyId,
  };
  return `${text}${canonicalJson({ kind: 'seal', seal, signature: key.sign(canonicalJson(seal)) })}\n`;
}

describe('an edited export of the audit', () => {
  let folder: KeyFolder;
  let key: SigningKey;
  let text: string;
  before(async () => {
    const db = await openTestDb();
    try {
      folder = await KeyFolder.make();
      key = await initAuditKey(db, folder.keyFile);
      for (const entries of ENTRIES) {
        await addEntries(db, 'unit', entries);
        const made = await checkpointOf(db, 'unit', key);
        text = await exportText(db, made, key);
      }
    } finally {
      await db.close();
    }
  });
  after(async () => await folder[Symbol.asyncDispose]());

  const whole = async (bytes: Uint8Array | string, trusted = true): Promise<string> => {
    const known = { keys: trusted ? [key.publicKey] : null, witnesses: [], codes: [] };
    const verdict = await verifyExport([Buffer.from(bytes)], known);
    return verdict.whole ? 'whole' : verdict.fault;
  };

  it(`S4: is detected ${EDITS} of ${EDITS} times: bytes changed, put in and taken out, lines left out, moved and repeated, the tail cut`, async () => {
    assert.equal(await whole(text), 'whole');
    const honest = Buffer.from(text);
    const lines = text.trimEnd().split('\n');
    let edits = 0;
    const place = fc.nat({ max: honest.length - 1 });
    const line = fc.nat({ max: lines.length - 1 });
    const kinds = fc.constantFrom('change', 'insert', 'remove', 'cut', 'leaveOut', 'exchange', 'repeat', 'cutLines');
    await fc.assert(
      fc.asyncProperty(
        kinds,
        place,
        line,
        line,
        fc.integer({ min: 1, max: 255 }),
        async (kind, at, one, other, byte) => {
          const edited = ((): Buffer => {
            if (kind === 'change') {
              const copy = Buffer.from(honest);
              copy[at] = (copy[at] ?? 0) ^ byte;
              return copy;
            }
            if (kind === 'insert') return Buffer.concat([honest.subarray(0, at), Buffer.of(byte), honest.subarray(at)]);
            if (kind === 'remove') return Buffer.concat([honest.subarray(0, at), honest.subarray(at + 1)]);
            if (kind === 'cut') return honest.subarray(0, at);
            const [first = '', second = ''] = [lines[one], lines[other]];
            const changed =
              kind === 'leaveOut'
                ? lines.toSpliced(one, 1)
                : kind === 'repeat'
                  ? lines.toSpliced(one, 0, first)
                  : kind === 'cutLines'
                    ? lines.slice(0, one)
                    : lines.with(one, second).with(other, first);
            return Buffer.from(changed.map((each) => `${each}\n`).join(''));
          })();
          fc.pre(!edited.equals(honest));
          assert.notEqual(await whole(edited), 'whole');
          edits += 1;
        },
      ),
      { numRuns: EDITS },
    );
    assert.equal(edits, EDITS);
  });

  it('S4: is detected by its checkpoints alone, when every hash was made anew and the file closed anew with the real key', async () => {
    const lines = parsed(text).slice(0, -1);
    const last = lines.length - 1;
    const entries = lines.flatMap((line, at) => (line['kind'] === 'entry' ? [at] : []));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('edit', 'leaveOut', 'insert', 'exchange', 'cutUnderCheckpoint'),
        fc.constantFrom(...entries),
        fc.constantFrom(...entries),
        fc.string({ minLength: 1, maxLength: 20 }),
        async (kind, one, other, actor) => {
          fc.pre(actor.isWellFormed() && (kind !== 'exchange' || one !== other));
          const forged = entryOf(lines[one]) ?? assert.fail();
          const changed =
            kind === 'edit'
              ? lines.with(one, { kind: 'entry', entry: { ...forged, actor: `${actor} ` } })
              : kind === 'leaveOut'
                ? lines.toSpliced(one, 1)
                : kind === 'insert'
                  ? lines.toSpliced(one, 0, { kind: 'entry', entry: { ...forged, actor: `${actor} ` } })
                  : kind === 'exchange'
                    ? lines.with(one, lines[other] ?? {}).with(other, lines[one] ?? {})
                    : lines.toSpliced(Math.min(one, last - 1), last - Math.min(one, last - 1));
          assert.match(await whole(sealed(rehashed(changed, 'unit'), key, 'unit')), /^(checkpoint|follows)$/);
        },
      ),
      { numRuns: 300 },
    );
    // The harness itself: unchanged entries closed anew are whole.
    assert.equal(await whole(sealed(rehashed(lines, 'unit'), key, 'unit')), 'whole');
    const withoutFirst = lines.filter((line) => line !== lines.find((each) => each['kind'] === 'checkpoint'));
    assert.equal(await whole(sealed(withoutFirst, key, 'unit')), 'follows');
  });

  it('S4: is detected when it was signed with another key, wherever the right one is known', async () => {
    const lines = parsed(text).slice(0, -1);
    const stranger = SigningKey.generate();
    assert.equal(await whole(sealed(lines, stranger, 'unit')), 'signature');
    const known = { keys: [stranger.publicKey], witnesses: [], codes: [] };
    const verdict = await verifyExport([Buffer.from(text)], known);
    assert.equal(verdict.whole ? 'whole' : verdict.fault, 'untrusted');
  });

  it('S4: is judged by the verifier alone, copied to another place and run with plain Node', async () => {
    const alone = path.join(folder.path, 'verify');
    await cp(path.join(import.meta.dirname, 'verify'), alone, { recursive: true });
    const [file, forged] = [path.join(folder.path, 'export.ndjson'), path.join(folder.path, 'forged.ndjson')];
    await writeFile(file, text);
    await writeFile(forged, text.replace('A. Examiner', 'B. Examiner'));
    const keyPem = path.join(folder.path, 'public.pem');
    await writeFile(keyPem, key.publicPem());
    const run = (...args: readonly string[]) =>
      spawnSync(process.execPath, [path.join(alone, 'main.ts'), ...args], {
        encoding: 'utf8',
        cwd: folder.path,
        env: {},
      });
    const good = run(file, '--key', keyPem);
    assert.deepEqual([good.status, good.stdout.split(':')[0]], [0, 'WHOLE'], good.stderr);
    const bad = run(forged, '--key', keyPem);
    assert.deepEqual([bad.status, bad.stdout.slice(0, 17)], [4, 'BROKEN at line 3:']);
    // A private key given by mistake is refused, not used.
    for (const args of [[], [file, '--code', 'nonsense'], [file, '--key', folder.keyFile]])
      assert.equal(run(...args).status, 2);
  });

  it('is read in chunks cut anywhere', async () => {
    const bytes = Buffer.from(text);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 5_000 }), async (size) => {
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
          bytes.subarray(at * size, (at + 1) * size),
        );
        assert.equal((await verifyExport(chunks, { keys: null, witnesses: [], codes: [] })).whole, true);
      }),
      { numRuns: 20 },
    );
  });
});

describe('the printed code of a checkpoint', () => {
  const digests = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'));

  it('is read back in any case, with O for 0 and L for 1, and with or without hyphens', () => {
    fc.assert(
      fc.property(digests, (digest) => {
        const code = printedCode(digest);
        assert.match(code, /^([0-9A-HJKMNP-TV-Z]{4}-){6}[0-9A-HJKMNP-TV-Z]$/);
        assert.equal(readCode(code.toLowerCase().replaceAll('0', 'o').replaceAll('1', 'l').replaceAll('-', ' ')), code);
      }),
    );
  });

  it('is refused with any one character wrong, and with any two exchanged', () => {
    fc.assert(
      fc.property(
        digests,
        fc.nat({ max: 24 }),
        fc.nat({ max: 24 }),
        fc.integer({ min: 1, max: 31 }),
        (digest, a, b, by) => {
          const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
          const characters = [...printedCode(digest).replaceAll('-', '')];
          const [first = '', second = ''] = [characters[a], characters[b]];
          const wrong = alphabet[(alphabet.indexOf(first) + by) % 32] ?? '';
          assert.equal(readCode(characters.with(a, wrong).join('')), null);
          if (first !== second) assert.equal(readCode(characters.with(a, second).with(b, first).join('')), null);
        },
      ),
    );
  });
});
