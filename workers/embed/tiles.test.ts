import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isCutByTile, tilesOf, withMargin } from './tiles.ts';

const SIDE = 512;
const OVERLAP = 0.25;

describe('tilesOf', () => {
  it('looks at a small picture once', () => {
    assert.equal(tilesOf(512, 300, SIDE, OVERLAP).length, 1);
    assert.equal(tilesOf(5000, 3000, null, OVERLAP).length, 1);
  });

  it('has every face smaller than the overlap whole in one of the tiles', () => {
    const side = fc.integer({ min: 1, max: 2400 });
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(side, side, share, share, fc.integer({ min: 1, max: 100 }), (width, height, atX, atY, face) => {
        const [w, h] = [Math.min(face, width), Math.min(face, height)];
        const box = { x: atX * (width - w), y: atY * (height - h), width: w, height: h };
        const [whole, ...tiles] = tilesOf(width, height, SIDE, OVERLAP);
        const looked = tiles.length > 0 ? tiles : [whole];
        const inside = looked.some(
          (tile) =>
            tile !== undefined &&
            box.x >= tile.x - 1e-6 &&
            box.y >= tile.y - 1e-6 &&
            box.x + w <= tile.x + tile.width + 1e-6 &&
            box.y + h <= tile.y + tile.height + 1e-6 &&
            !isCutByTile(box, tile),
        );
        assert.ok(inside);
      }),
    );
  });

  it('does not look a thousand times at one strip', () => {
    assert.equal(tilesOf(60_000, 1, SIDE, OVERLAP).length, 1);
  });

  it('takes a face at the edge of the picture for whole, one at the edge of a tile for cut', () => {
    const [, first] = tilesOf(1000, 400, SIDE, OVERLAP);
    assert.ok(first !== undefined);
    assert.equal(isCutByTile({ x: 0, y: 0, width: 50, height: 50 }, first), false);
    assert.equal(isCutByTile({ x: 470, y: 100, width: 50, height: 50 }, first), true);
  });
});

describe('withMargin', () => {
  it('has the picture in its middle, half a picture all round', () => {
    const { x, y, width, height } = withMargin(100, 60);
    assert.deepEqual([x, y, width, height], [-50, -30, 200, 120]);
  });
});
