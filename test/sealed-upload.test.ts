import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { SegmentSealer, sealTrailer } from '../engine/upload/seal.ts';
import { SEALED_RECORD_BYTES } from '../schemas/sealed-upload.ts';
import { SealBroken, SealedFile } from '../workers/unpack/sealed-file.ts';
import { makeZip, UnpackKit } from '../workers/unpack/test-kit.ts';

const hosts = generateKeyPairSync('x25519');

/** What a whole upload looks like on disk, its content cut into segments. */
function sealed(
  parts: readonly Buffer[],
  changed: { sha256?: string; verified?: boolean; name?: string; uploadId?: string } = {},
): Buffer {
  const content = Buffer.concat(parts);
  const uploadId = changed.uploadId ?? randomUUID();
  let offsetBytes = 0;
  const segments = parts.map((part, number) => {
    const sealer = new SegmentSealer(hosts.publicKey, { number, uploadId, offsetBytes });
    const records = sealer.add(part);
    offsetBytes += part.length;
    return Buffer.concat([sealer.head, ...records, ...sealer.end()]);
  });
  const trailer = sealTrailer(
    hosts.publicKey,
    { number: parts.length, uploadId, offsetBytes },
    {
      name: changed.name ?? 'disk.bin',
      sizeBytes: content.length,
      sha256: changed.sha256 ?? createHash('sha256').update(content).digest('hex'),
      verified: changed.verified ?? true,
      modifiedAt: null,
    },
  );
  return Buffer.concat([...segments, trailer]);
}

describe('a sealed upload', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'hw-sealed-'));
  });
  after(async () => await rm(folder, { recursive: true, force: true }));

  /** The content as a host reads it, with this key. */
  async function opened(bytes: Buffer, privateKey = hosts.privateKey): Promise<Buffer> {
    const where = path.join(folder, randomUUID());
    await writeFile(where, bytes);
    const file = await open(where);
    try {
      const content = await SealedFile.open(file, bytes.length, privateKey);
      const buffer = Buffer.alloc(content.sizeBytes);
      const { bytesRead } = await content.read(buffer, 0, buffer.length, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
      await rm(where);
    }
  }

  /** What an unpack host makes of it, where it lies under the name of its upload or of another one. */
  async function unpack(
    parts: readonly Buffer[],
    { at, ...changed }: { name?: string; at?: string } = {},
    change = (bytes: Buffer): Buffer => bytes,
  ) {
    using kit = new UnpackKit();
    const uploadId = randomUUID();
    const bytes = change(sealed(parts, { ...changed, uploadId }));
    return await kit.unpack(kit.save(bytes, `${at ?? uploadId}.sealed`), {}, 0, hosts.privateKey);
  }

  const sizes = fc.array(
    fc.constantFrom(
      1,
      7,
      SEALED_RECORD_BYTES - 1,
      SEALED_RECORD_BYTES,
      SEALED_RECORD_BYTES + 1,
      3 * SEALED_RECORD_BYTES,
    ),
    { minLength: 1, maxLength: 4 },
  );

  it('gives back what was sealed, however it was cut', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, async (lengths) => {
        const parts = lengths.map((length) => randomBytes(length));
        assert.deepEqual(await opened(sealed(parts)), Buffer.concat(parts));
      }),
      { numRuns: 30 },
    );
  });

  it('S1: shows none of its content', () => {
    const content = randomBytes(3 * SEALED_RECORD_BYTES);
    const bytes = sealed([content]);
    for (let at = 0; at + 16 <= content.length; at += 4096)
      assert.equal(bytes.indexOf(content.subarray(at, at + 16)), -1);
  });

  it('is refused after any edit, cut, exchange of segments or mixture of two uploads', async () => {
    const parts = [randomBytes(SEALED_RECORD_BYTES + 100), randomBytes(500)];
    const whole = sealed(parts);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('edit', 'cut', 'append', 'remove'),
        fc.nat(whole.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (what, at, value) => {
          const bytes = Buffer.from(whole);
          bytes[at] = (bytes[at] ?? 0) ^ value;
          const changed = {
            edit: bytes,
            cut: whole.subarray(0, at),
            append: Buffer.concat([whole, randomBytes(value)]),
            remove: Buffer.concat([whole.subarray(0, at), whole.subarray(Math.min(whole.length, at + value))]),
          }[what];
          await assert.rejects(opened(changed), SealBroken);
        },
      ),
      { numRuns: 200 },
    );
    const other = sealed(parts);
    const first = 72 + 2 * 20 + SEALED_RECORD_BYTES + 100;
    await assert.rejects(opened(Buffer.concat([other.subarray(0, first), whole.subarray(first)])), SealBroken);
    await assert.rejects(
      opened(
        Buffer.concat([whole.subarray(first, first + 592), whole.subarray(0, first), whole.subarray(first + 592)]),
      ),
      SealBroken,
    );
  });

  it('opens with the private key of the hosts alone', async () => {
    await assert.rejects(opened(sealed([randomBytes(10)]), generateKeyPairSync('x25519').privateKey), SealBroken);
  });

  it('whose digest nobody compared is compared before it is read', async () => {
    const content = randomBytes(100_000);
    assert.deepEqual(await opened(sealed([content], { verified: false })), content);
    await assert.rejects(opened(sealed([content], { verified: false, sha256: '0'.repeat(64) })), SealBroken);
  });

  it('is unpacked as the archive that it holds, or as the one file that it is', async () => {
    const archive = await makeZip([
      ['a.txt', Buffer.from('first')],
      ['b.txt', Buffer.from('second')],
    ]);
    const unpacked = await unpack([archive.subarray(0, 50), archive.subarray(50)]);
    assert.deepEqual([...unpacked.contents.keys()], ['a.txt', 'b.txt']);
    // Where it lay on the machine that it was taken from is no fault of it.
    for (const name of ['c.txt', 'C:\\Users\\x\\c.txt']) {
      const file = await unpack([Buffer.from('text')], { name });
      assert.deepEqual([file.outcome, file.contents.get(name)?.toString()], ['done', 'text']);
    }
  });

  it('that was cut, or lies in the place of another one, is not opened', async () => {
    const text = [Buffer.from('text')];
    for (const broken of [
      await unpack(text, {}, (bytes) => bytes.subarray(0, -5)),
      await unpack(text, { at: randomUUID() }),
    ])
      assert.deepEqual([broken.outcome, broken.reason?.code, broken.contents.size], ['rejected', 'unreadable', 0]);
  });
});
