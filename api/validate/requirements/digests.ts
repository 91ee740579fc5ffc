import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type CaseToRun, type RequirementToRun, same } from '../case.ts';

export interface DigestVector {
  readonly id: string;
  readonly of: string;
  readonly bytes: () => Buffer;
  readonly md5?: string;
  readonly sha1?: string;
  readonly sha256?: string;
}

/** RFC 1321 A.5 for MD5; FIPS 180-4 examples and NIST's long vectors for SHA-1 and SHA-256. */
export const DIGEST_VECTORS: readonly DigestVector[] = [
  {
    id: 'empty',
    of: 'the empty file',
    bytes: () => Buffer.alloc(0),
    md5: 'd41d8cd98f00b204e9800998ecf8427e',
    sha1: 'da39a3ee5e6b4b0d3255bfef95601890afd80709',
    sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  },
  {
    id: 'abc',
    of: 'abc',
    bytes: () => Buffer.from('abc'),
    md5: '900150983cd24fb0d6963f7d28e17f72',
    sha1: 'a9993e364706816aba3e25717850c26c9cd0d89d',
    sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  },
  {
    id: 'alphabet',
    of: 'the 26 lower-case letters',
    bytes: () => Buffer.from('abcdefghijklmnopqrstuvwxyz'),
    md5: 'c3fcd3d76192e4007dfb496cca67e13b',
  },
  {
    id: '448-bits',
    of: 'the example of two blocks',
    bytes: () => Buffer.from('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq'),
    sha1: '84983e441c3bd26ebaae4aa1f95129e5e54670f1',
    sha256: '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  },
  {
    id: 'million-a',
    of: 'a million times a',
    bytes: () => Buffer.alloc(1_000_000, 'a'),
    sha1: '34aa973cd4c4daa4f61eeb2bdbad27316534016f',
    sha256: 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0',
  },
];

export function digestCase(vector: DigestVector): CaseToRun {
  return {
    id: vector.id,
    assertion: `The digests of ${vector.of} are the published ones.`,
    check: async (ground) => {
      const file = path.join(ground.picturesFolder, `digest-${vector.id}`);
      await writeFile(file, vector.bytes());
      const { digests } = await ground.hosts.examine(Buffer.from(file), { mode: 'exact' });
      const names = (['md5', 'sha1', 'sha256'] as const).filter((name) => vector[name] !== undefined);
      const text = (from: { readonly md5?: string; readonly sha1?: string; readonly sha256?: string } | null) =>
        names.map((name) => `${name} ${from?.[name] ?? 'none'}`).join(', ');
      return same(text(vector), text(digests));
    },
  };
}

export const digests: RequirementToRun = {
  id: 'digests',
  goals: ['R5'],
  requirement: 'MD5, SHA-1 and SHA-256 of a file are the published functions of its bytes.',
  cases: DIGEST_VECTORS.map(digestCase),
};
