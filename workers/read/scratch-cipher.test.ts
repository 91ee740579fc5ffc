import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { newScratchHead, SCRATCH_KEY_BYTES, scratchCipher } from './scratch-cipher.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

describe('what lies in the scratch folder', () => {
  it('comes back from any place, however it was written', () => {
    fc.assert(
      fc.property(
        bytes(SCRATCH_KEY_BYTES),
        bytes(16),
        fc.uint8Array({ maxLength: 200 }),
        fc.array(fc.nat(50), { maxLength: 5 }),
        fc.nat(250),
        (key, head, content, cuts, from) => {
          const cipher = scratchCipher(key, head);
          const parts: Buffer[] = [];
          let at = 0;
          for (const cut of [...cuts, content.length]) {
            parts.push(cipher.update(content.subarray(at, at + cut)));
            at = Math.min(content.length, at + cut);
          }
          const file = Buffer.concat(parts);
          const place = Math.min(from, content.length);
          const back = scratchCipher(key, head, place).update(file.subarray(place));
          assert.deepEqual(back, Buffer.from(content.subarray(place)));
        },
      ),
    );
  });

  it('S1: says nothing of its content, and is another file each time', () => {
    const key = randomBytes(SCRATCH_KEY_BYTES);
    const content = Buffer.alloc(4096, 'a');
    const files = Array.from({ length: 20 }, () => scratchCipher(key, newScratchHead()).update(content));
    assert.equal(new Set(files.map((file) => file.toString('hex'))).size, files.length);
    for (const file of files) assert.ok(!file.includes('aaaa'));
  });
});
