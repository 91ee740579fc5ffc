import type { DEMO_SCENES, DEMO_VARIANTS, DemoOrder, DemoPicture } from '../../schemas/demo.ts';
import type { OUTCOMES, REASONS } from '../../schemas/outcome.ts';
import type { STANDINGS } from '../../schemas/report.ts';

/**
 * What the demo shows and what each of its files is expected to show. Everything in it is rendered by code: rooms, landscapes and
 * objects, no people. The folder has two sides: `known/`, the unit's own earlier cases, and `seized/`, the batch to be scanned.
 */

type Scene = (typeof DEMO_SCENES)[number];
type Variant = (typeof DEMO_VARIANTS)[number];

export interface DemoSeries {
  readonly series: string;
  /** Where its pictures are, relative to the demo's folder. */
  readonly folder: string;
  readonly scenes: readonly Scene[];
}

export interface DemoExpectation {
  /** Relative to the demo's folder; an archive entry as `seized/backup.zip!/name`. */
  readonly path: string;
  /** Group of the explanation that it belongs to. */
  readonly shows: DemoGroup;
  readonly outcome: (typeof OUTCOMES)[number];
  readonly reason: (typeof REASONS)[number] | null;
  readonly standing: (typeof STANDINGS)[number];
}

export const DEMO_GROUPS = [
  'copy',
  'reencoded',
  'resized',
  'captioned',
  'mirrored',
  'rotated',
  'cropped',
  'new',
  'archive',
  'truncated',
  'text',
] as const;
export type DemoGroup = (typeof DEMO_GROUPS)[number];

export interface DemoPlan {
  readonly knownFolder: string;
  readonly seizedFolder: string;
  readonly source: string;
  readonly setName: string;
  readonly series: readonly DemoSeries[];
  readonly order: DemoOrder;
  readonly expected: readonly DemoExpectation[];
}

const KNOWN_FOLDER = 'known';
const SEIZED_FOLDER = 'seized';
const SERIES: readonly DemoSeries[] = [
  { series: 'Demo: one house', folder: `${KNOWN_FOLDER}/house`, scenes: ['living-room', 'kitchen', 'study'] },
  { series: 'Demo: one table', folder: `${KNOWN_FOLDER}/table`, scenes: ['fruit', 'chess'] },
];
const NEW_SCENES: readonly Scene[] = [
  'hallway',
  'mountain-lake',
  'coast',
  'winter-wood',
  'city-night',
  'bottles',
  'blocks',
];

/** Made of every known scene; PDQ finds the first five again, and not a crop of 30 %. */
const VARIANTS: ReadonlyArray<readonly [variant: Variant, group: DemoGroup, standing: DemoExpectation['standing']]> = [
  ['original', 'copy', 'known'],
  ['reencoded', 'reencoded', 'nearDuplicate'],
  ['resized', 'resized', 'nearDuplicate'],
  ['captioned', 'captioned', 'nearDuplicate'],
  ['mirrored', 'mirrored', 'nearDuplicate'],
  ['rotated', 'rotated', 'nearDuplicate'],
  ['cropped', 'cropped', 'unseen'],
];

const NOTES =
  'This file is part of the Homeward demo. It is no picture, and the report says so: nothing is skipped in silence.\n';

/** The demo: what to render, what is known, and what the scan is expected to say of each file. */
export function demoPlan(): DemoPlan {
  const pictures: DemoPicture[] = [];
  const expected: DemoExpectation[] = [];
  let number = 0;
  const seize = (
    scene: Scene,
    variant: Variant,
    group: DemoGroup,
    rest: Omit<DemoExpectation, 'path' | 'shows'>,
  ): void => {
    number += 1;
    const file = `${SEIZED_FOLDER}/phone/img-${String(number).padStart(4, '0')}.jpg`;
    pictures.push({ file, scene, variant });
    expected.push({ path: file, shows: group, ...rest });
  };

  for (const { folder, scenes } of SERIES) {
    for (const scene of scenes) pictures.push({ file: `${folder}/${scene}.jpg`, scene, variant: 'original' });
  }
  for (const scene of SERIES.flatMap((series) => series.scenes)) {
    for (const [variant, group, standing] of VARIANTS)
      seize(scene, variant, group, { outcome: 'done', reason: null, standing });
  }
  for (const scene of NEW_SCENES)
    seize(scene, 'original', 'new', { outcome: 'done', reason: null, standing: 'unseen' });
  seize('study', 'truncated', 'truncated', { outcome: 'partial', reason: 'truncated', standing: 'unknown' });

  const text = { file: `${SEIZED_FOLDER}/notes.txt`, text: NOTES };
  expected.push({ path: text.file, shows: 'text', outcome: 'notExamined', reason: 'text', standing: 'none' });
  const archive = {
    file: `${SEIZED_FOLDER}/backup.zip`,
    entries: [`${KNOWN_FOLDER}/table/chess.jpg`, `${KNOWN_FOLDER}/house/kitchen.jpg`],
  };
  expected.push({ path: archive.file, shows: 'archive', outcome: 'done', reason: null, standing: 'none' });
  for (const entry of archive.entries) {
    const name = entry.slice(entry.lastIndexOf('/') + 1);
    expected.push({
      path: `${archive.file}!/${name}`,
      shows: 'archive',
      outcome: 'done',
      reason: null,
      standing: 'known',
    });
  }

  return {
    knownFolder: KNOWN_FOLDER,
    seizedFolder: SEIZED_FOLDER,
    source: 'Demo unit',
    setName: 'demo',
    series: SERIES,
    order: { pictures, texts: [text], archives: [archive] },
    expected,
  };
}
