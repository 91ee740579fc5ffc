import { Type } from 'typebox';
import { BoundedText, Closed, OneOf, type Static } from './closed.ts';

/** What the demo shows: scenes rendered by code, so that nobody needs material at hand to see the engine work. */
export const DEMO_SCENES = [
  'living-room',
  'kitchen',
  'study',
  'hallway',
  'mountain-lake',
  'coast',
  'winter-wood',
  'city-night',
  'fruit',
  'bottles',
  'blocks',
  'chess',
] as const;
export const DemoScene = OneOf(DEMO_SCENES);
export type DemoScene = Static<typeof DemoScene>;

/** What was done to a scene: original is the known file itself, copy the same bytes under another name. */
export const DEMO_VARIANTS = [
  'original',
  'copy',
  'reencoded',
  'resized',
  'mirrored',
  'rotated',
  'captioned',
  'cropped',
  'truncated',
] as const;
export const DemoVariant = OneOf(DEMO_VARIANTS);
export type DemoVariant = Static<typeof DemoVariant>;

/** A file to be made: the path is relative to the demo's folder, with forward slashes. */
export const DemoPicture = Closed({
  file: Type.String({ pattern: '^[a-z0-9][a-z0-9./-]{0,100}$' }),
  scene: DemoScene,
  variant: DemoVariant,
});
export type DemoPicture = Static<typeof DemoPicture>;

export const DemoOrder = Closed({
  pictures: Type.Array(DemoPicture, { maxItems: 200 }),
  /** A text file among the pictures. */
  text: Closed({ file: DemoPicture.properties.file, text: BoundedText(2_000) }),
  /** A zip archive with files of the list in it. */
  archive: Closed({
    file: DemoPicture.properties.file,
    entries: Type.Array(DemoPicture.properties.file, { maxItems: 20 }),
  }),
});
export type DemoOrder = Static<typeof DemoOrder>;
