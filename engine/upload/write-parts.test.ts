import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isCode } from '../access/test-access-kit.ts';
import { writeParts } from './write-parts.ts';

describe('a write of which the disk takes a part only', () => {
  const parts = [Buffer.alloc(10), Buffer.alloc(20)];
  const disk = (bytesWritten: number) => ({
    writev: async <T extends readonly NodeJS.ArrayBufferView[]>(buffers: T) => ({ bytesWritten, buffers }),
  });

  it('is refused, since the system calls it no error', async () => {
    await assert.rejects(writeParts(disk(29), parts, 0), isCode('HW_UPLOAD_BUDGET'));
  });

  it('is none where it took all', async () => {
    await writeParts(disk(30), parts, 0);
  });
});
