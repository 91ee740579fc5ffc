import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readFile } from './file-reader.ts';

const LIMIT_BYTES = 2 ** 32;
let folder: string;
before(() => {
  folder = fs.mkdtempSync(path.join(tmpdir(), 'homeward-read-'));
});
after(() => fs.rmSync(folder, { recursive: true }));

const place = (name: string | Buffer) => Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name)]);
const put = (name: string | Buffer, content: Buffer | string) => {
  const where = place(name);
  fs.writeFileSync(where, content);
  return where;
};
const refusal = (where: Buffer, limitBytes = LIMIT_BYTES) => {
  const read = readFile(where, limitBytes);
  assert.equal(read.kind, 'refused');
  return read.kind === 'refused' ? read.reason.code : '';
};
const onUnix = { skip: process.platform === 'win32' ? 'Windows has no such files' : false };
/** Part of every Unix; Node has no call for it. */
const MAKE_FIFO = 'mkfifo';
const JPEG_HEAD = Buffer.from('ffd8ffe0', 'hex');

describe('reading a file', () => {
  it('gives the digests of the whole, and the bytes of a picture', () => {
    const content = Buffer.concat([JPEG_HEAD, randomBytes(700_000)]);
    const where = put('picture', content);
    const read = readFile(where, LIMIT_BYTES);
    assert.ok(read.kind === 'read');
    for (const algorithm of ['md5', 'sha1', 'sha256'] as const)
      assert.equal(read.digests[algorithm], createHash(algorithm).update(content).digest('hex'));
    assert.deepEqual(read.bytes, content);
  });

  it('keeps no bytes of what is not decoded, and of a picture that is too large for memory, but digests them', () => {
    const video = put('video', Buffer.concat([Buffer.from('RIFF\0\0\0\0AVI '), randomBytes(1_000_000)]));
    const large = put('large', Buffer.concat([JPEG_HEAD, randomBytes(300_000)]));
    for (const [where, bufferLimit] of [
      [video, LIMIT_BYTES],
      [large, 100_000],
    ] as const) {
      const read = readFile(where, LIMIT_BYTES, bufferLimit);
      assert.ok(read.kind === 'read');
      assert.equal(read.bytes, null);
      assert.equal(read.digests.sha256, createHash('sha256').update(fs.readFileSync(where)).digest('hex'));
    }
  });

  it('carries a name that is not UTF-8 to the file system as it is', () => {
    const read = readFile(put(Buffer.from('6c6174696e312de9ff2e6a7067', 'hex'), JPEG_HEAD), LIMIT_BYTES);
    assert.ok(read.kind === 'read');
    assert.equal(read.type.mediaType, 'image/jpeg');
  });

  it('finds a type that signs at its end in a file that is streamed', () => {
    const read = readFile(
      put('old.tga', Buffer.concat([Buffer.alloc(400_000), Buffer.from('TRUEVISION-XFILE.\0')])),
      LIMIT_BYTES,
    );
    assert.ok(read.kind === 'read');
    assert.equal(read.type.mediaType, 'image/x-tga');
  });

  it('reads an empty file as one of 0 bytes', () => {
    const read = readFile(put('empty', ''), LIMIT_BYTES);
    assert.ok(read.kind === 'read');
    assert.equal(read.sizeBytes, 0);
    assert.equal(read.digests.md5, 'd41d8cd98f00b204e9800998ecf8427e');
  });
});

describe('what is not read', () => {
  it('a file beyond the size limit is refused at once, without reading 8 GiB', () => {
    const where = put('sparse', '');
    fs.truncateSync(where, 8 * 2 ** 30);
    const started = performance.now();
    assert.equal(refusal(where), 'tooLarge');
    assert.ok(performance.now() - started < 500);
  });

  it('a symbolic link is not followed, wherever it leads', () => {
    put('target', JPEG_HEAD);
    for (const [name, target] of [
      ['link', 'target'],
      ['dangling', 'nowhere'],
      ['loop', 'loop'],
    ] as const) {
      fs.symlinkSync(target, place(name));
      assert.equal(refusal(place(name)), 'symbolicLink');
    }
  });

  it('a FIFO without a writer does not block', onUnix, () => {
    execFileSync(MAKE_FIFO, [place('fifo').toString()]);
    assert.equal(refusal(place('fifo')), 'specialFile');
  });

  it('folders and devices are recorded as special files', onUnix, () => {
    fs.mkdirSync(place('folder.jpg'));
    assert.equal(refusal(place('folder.jpg')), 'specialFile');
    assert.equal(refusal(Buffer.from('/dev/zero')), 'specialFile');
  });

  it('a file that is not there is unreadable, and the reason does not repeat its name', () => {
    const read = readFile(place('absent'), LIMIT_BYTES);
    assert.ok(read.kind === 'refused');
    assert.deepEqual(read.reason, { code: 'unreadable', detail: 'lstat: ENOENT' });
  });

  it('a file whose size is not what it says has changed', {
    skip: fs.existsSync('/proc/self/status') ? false : 'needs /proc',
  }, () => {
    assert.equal(refusal(Buffer.from('/proc/self/status')), 'changedWhileRead');
  });

  it('a file without permission is recorded so', {
    skip: process.getuid?.() === 0 ? 'root may read everything' : false,
  }, () => {
    const where = put('secret', JPEG_HEAD);
    fs.chmodSync(where, 0);
    assert.equal(refusal(where), 'permission');
  });
});
