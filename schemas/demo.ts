import { Type } from 'typebox';
import { BoundedText, Closed, Count, Nullable, OneOf, type Static } from './closed.ts';

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

/** What was done to a scene before it was written. original: nothing; its bytes are the same wherever it is asked for. */
export const DEMO_VARIANTS = [
  'original',
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

/** Relative to the demo's folder, with forward slashes, and unable to leave it. */
const DemoFile = Type.String({ pattern: '^(?:[a-z0-9][a-z0-9-]*/)*[a-z0-9][a-z0-9-]*\\.[a-z0-9]+$', maxLength: 200 });

export const DemoPicture = Closed({ file: DemoFile, scene: DemoScene, variant: DemoVariant });
export type DemoPicture = Static<typeof DemoPicture>;

/** What the renderer is told to make, as JSON on its standard input. */
export const DemoOrder = Closed({
  pictures: Type.Array(DemoPicture, { maxItems: 200 }),
  texts: Type.Array(Closed({ file: DemoFile, text: BoundedText(2_000) }), { maxItems: 10 }),
  /** Zip archives of pictures named above, under their own names. */
  archives: Type.Array(Closed({ file: DemoFile, entries: Type.Array(DemoFile, { maxItems: 20 }) }), { maxItems: 10 }),
});
export type DemoOrder = Static<typeof DemoOrder>;

/** What the renderer wrote, as JSON on its standard output. */
export const DemoManifest = Closed({
  files: Type.Array(
    Closed({ file: DemoFile, sizeBytes: Count(), scene: Nullable(DemoScene), variant: Nullable(DemoVariant) }),
    { maxItems: 220 },
  ),
});
export type DemoManifest = Static<typeof DemoManifest>;
