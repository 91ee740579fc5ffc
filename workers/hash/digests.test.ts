import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { digestsOf, FileDigests } from './digests.ts';

const oneShot = (bytes: Uint8Array) => {
  const digest = (algorithm: string) => createHash(algorithm).update(bytes).digest('hex');
  return { md5: digest('md5'), sha1: digest('sha1'), sha256: digest('sha256') };
};

describe('digests of a file', () => {
  it('do not depend on how its bytes were cut into chunks', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 }), (chunks) => {
        const digests = new FileDigests();
        for (const chunk of chunks) digests.update(chunk);
        assert.deepEqual(digests.finish(), oneShot(Buffer.concat(chunks)));
      }),
    );
  });

  it('are the published ones of the empty file', () => {
    assert.deepEqual(digestsOf(new Uint8Array()), {
      md5: 'd41d8cd98f00b204e9800998ecf8427e',
      sha1: 'da39a3ee5e6b4b0d3255bfef95601890afd80709',
      sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    });
  });
});
