import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import sharp from 'sharp';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { needsShared, requireShared } from '../../test/shared-data.ts';
import { PictureHasher } from './picture-hasher.ts';

const Vectors = Type.Object({
  vectors: Type.Array(
    Type.Object({
      file: Type.String(),
      pdq_hex: Type.String(),
      quality: Type.Number(),
      dihedral: Type.Array(Type.Array(Type.String())),
      fullres_pdq_hex: Type.String(),
      fullres_quality: Type.Number(),
    }),
  ),
});

interface Hashed {
  readonly file: string;
  readonly expected: { pdq512: unknown; pdqFull: unknown; dihedral512: unknown };
  readonly received: { pdq512: unknown; pdqFull: unknown; dihedral512: unknown };
}

/** What the published hashers gave for a public picture, and what the kernel gives for the pixels sharp decodes from it. */
async function hashAll(): Promise<Hashed[]> {
  const { vectors } = Value.Parse(Vectors, JSON.parse(readFileSync(requireShared('data/pdq/vectors.json'), 'utf8')));
  const hasher = await PictureHasher.load();
  const all: Hashed[] = [];
  for (const vector of vectors) {
    const { data, info } = await sharp(readFileSync(requireShared(`data/pdq/${vector.file}`)), { ignoreIcc: true })
      .toColourspace('srgb')
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    assert.equal(info.channels, 3);
    const [a, b] = hasher.hash(data, info.width, info.height, 3).pdq;
    all.push({
      file: vector.file,
      expected: {
        pdq512: { hex: vector.pdq_hex, quality: vector.quality },
        pdqFull: { hex: vector.fullres_pdq_hex, quality: vector.fullres_quality },
        dihedral512: vector.dihedral.map(([hex]) => hex),
      },
      received: {
        pdq512: { hex: a?.hex, quality: a?.quality },
        pdqFull: { hex: b?.hex, quality: b?.quality },
        dihedral512: a?.dihedral,
      },
    });
  }
  return all;
}

const of = (all: readonly Hashed[], side: 'expected' | 'received', what: keyof Hashed['expected']) =>
  all.map((hashed) => ({ file: hashed.file, [what]: hashed[side][what] }));

describe('PDQ conformance: 26 public pictures against the published hashers, bit for bit', needsShared, () => {
  let all: Hashed[] = [];
  before(async () => {
    all = await hashAll();
  });

  it('covers 26 pictures', () => assert.equal(all.length, 26));

  it('flavour pdq-512: hash and quality', () => {
    assert.deepEqual(of(all, 'received', 'pdq512'), of(all, 'expected', 'pdq512'));
  });

  it('flavour pdq-full: hash and quality', () => {
    assert.deepEqual(of(all, 'received', 'pdqFull'), of(all, 'expected', 'pdqFull'));
  });

  it('flavour pdq-512: all eight orientations', () => {
    assert.deepEqual(of(all, 'received', 'dihedral512'), of(all, 'expected', 'dihedral512'));
  });
});
