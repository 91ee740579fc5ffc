import type { PackInput } from '../../schemas/model-pack.ts';

/** For tests: a square input that takes the values of a picture as they are, 0 to 255, RGB in planes. */
export function plainInput(sidePixels: number, changes: Partial<PackInput> = {}): PackInput {
  return {
    name: 'input',
    widthPixels: sidePixels,
    heightPixels: sidePixels,
    layout: 'nchw',
    channelOrder: 'rgb',
    scale: 1,
    mean: [0, 0, 0],
    std: [1, 1, 1],
    resize: 'stretch',
    cropFromSidePixels: null,
    filter: 'bilinear',
    lowPassSidePixels: null,
    ...changes,
  };
}
