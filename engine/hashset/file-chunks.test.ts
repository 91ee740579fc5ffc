import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { fileChunks } from './file-chunks.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'homeward-chunks-'));
after(() => rmSync(folder, { recursive: true }));

function fileOf(name: string, content: Buffer): string {
  const file = path.join(folder, name);
  writeFileSync(file, content);
  return file;
}

describe('the chunks of a file', () => {
  for (const sizeBytes of [0, 1, 1024 * 1024, 3 * 1024 * 1024 + 7]) {
    it(`are its ${sizeBytes} bytes in order, each good until the next one is asked for`, async () => {
      const content = Buffer.from(Array.from({ length: sizeBytes }, (_, at) => (at * 31 + (at >> 12)) & 255));
      const parts: Buffer[] = [];
      for await (const chunk of fileChunks(fileOf(`of-${sizeBytes}`, content))) parts.push(Buffer.from(chunk));
      assert.ok(Buffer.concat(parts).equals(content));
    });
  }

  it('fail where there is no file', async () => {
    await assert.rejects(fileChunks(path.join(folder, 'missing')).next(), { code: 'ENOENT' });
  });

  it('leave no file open when they are left before their end', {
    skip: process.platform === 'linux' ? false : 'reads /proc',
  }, async () => {
    const file = fileOf('left', Buffer.alloc(3 * 1024 * 1024));
    for await (const chunk of fileChunks(file)) {
      assert.ok(chunk.length > 0);
      break;
    }
    const open = readdirSync('/proc/self/fd').flatMap((descriptor) => {
      try {
        return [readlinkSync(`/proc/self/fd/${descriptor}`)];
      } catch {
        return []; // the one that listed the folder
      }
    });
    assert.equal(open.includes(file), false);
  });
});
