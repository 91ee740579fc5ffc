import type { CaptureMetadata } from '../../schemas/fingerprint.ts';

/** What is known of a media that matches nothing, as far as it may help to find out where and by whom it was made. */
export interface UnseenFacts {
  readonly capture: CaptureMetadata | null;
  readonly widthPixels: number;
  readonly heightPixels: number;
  /** Faces described; 0 where none were looked for. */
  readonly faces: number;
  /** Of the best face, 0 to 100; null where there is none. */
  readonly bestFaceQuality: number | null;
  /** Local features, by which the place can be recognised in another picture; null where they were not computed. */
  readonly keypoints: number | null;
  /** Of an operator's own classifier pack, 0 to 1; null where there is none. It orders and never filters. */
  readonly classifierScore: number | null;
}

/** In the order in which reasons of the same weight are told. */
export const CLUES = [
  'gps',
  'bodySerial',
  'lensSerial',
  'face',
  'place',
  'camera',
  'resolution',
  'thumbnail',
  'captureTime',
  'classifier',
  'sentOn',
  'edited',
  'generated',
] as const;
export type ClueName = (typeof CLUES)[number];

export interface Clue {
  readonly clue: ClueName;
  /** Above 0 it moves the media forward, below 0 back. */
  readonly points: number;
  /** In words; nothing of the file itself. */
  readonly text: string;
}

/**
 * Points of each clue, at most. A convention of ours, by what an investigator can do with it: a position names the place, a serial
 * number ties it to a device and its owner, a face or room can be searched for in all other material; that a camera wrote the file
 * itself says it is near its source. No clue and no lack of one takes a media from the list.
 */
export const CLUE_POINTS: Readonly<Record<ClueName, number>> = {
  gps: 6,
  bodySerial: 5,
  lensSerial: 3,
  face: 5,
  place: 3,
  camera: 3,
  resolution: 2,
  thumbnail: 2,
  captureTime: 1,
  classifier: 4,
  sentOn: -2,
  edited: -2,
  generated: -6,
};

/** From so many local features on, a place is described as well as it can be (400 are kept at most). */
const WHOLE_PLACE_KEYPOINTS = 200;
const LEAST_PLACE_KEYPOINTS = 40;
const FINE_PIXELS = 8_000_000;
const FAIR_PIXELS = 2_000_000;
const POOR_PIXELS = 300_000;
/**
 * Longer sides to which widespread services reduce what is sent with them: WhatsApp 1600, Telegram 1280, Facebook 960 and 2048. Only a
 * hint, and only where no camera has left its name.
 */
const SENT_SIDES: ReadonlySet<number> = new Set([960, 1280, 1600, 2048]);
const EDITORS: ReadonlySet<string> = new Set(['editingSoftware']);
const GENERATORS: ReadonlySet<string> = new Set(['generatorText', 'digitalSourceType']);

/** The clues of a media, those of most points first; what is not there is not told. */
export function cluesOf(facts: UnseenFacts, without: ReadonlySet<ClueName> = new Set()): Clue[] {
  const found: Clue[] = [];
  const add = (clue: ClueName, text: string, share = 1): void => {
    if (!without.has(clue)) found.push({ clue, points: round(CLUE_POINTS[clue] * share), text });
  };
  addCaptureClues(facts.capture, add);
  addPictureClues(facts, add);
  const { classifierScore } = facts;
  if (classifierScore !== null)
    add('classifier', "the operator's classifier", Math.min(Math.max(classifierScore, 0), 1));
  return found.sort((a, b) => b.points - a.points || CLUES.indexOf(a.clue) - CLUES.indexOf(b.clue));
}

type Add = (clue: ClueName, text: string, share?: number) => void;

function addCaptureClues(capture: CaptureMetadata | null, add: Add): void {
  if (capture === null) return;
  if (capture.gps !== null) add('gps', 'a position where it was taken');
  if (capture.bodySerialNumber !== null) add('bodySerial', 'the serial number of the camera');
  if (capture.lensSerialNumber !== null) add('lensSerial', 'the serial number of the lens');
  if (capture.make !== null && capture.model !== null) add('camera', 'make and model, as the camera wrote them');
  if (capture.capturedAt !== null) add('captureTime', 'the time it was taken');
  if (capture.thumbnailMismatch === false) add('thumbnail', 'an embedded preview that fits the picture');
  const kinds = capture.syntheticTraces.map(({ kind }) => kind);
  if (capture.thumbnailMismatch === true || kinds.some((kind) => EDITORS.has(kind))) {
    add(
      'edited',
      capture.thumbnailMismatch === true
        ? 'cropped or changed after its preview was made'
        : 'saved by an editing program',
    );
  }
  if (kinds.some((kind) => GENERATORS.has(kind))) add('generated', 'traces of a generator of pictures');
}

function addPictureClues({ capture, widthPixels, heightPixels, ...facts }: UnseenFacts, add: Add): void {
  const { faces, bestFaceQuality, keypoints } = facts;
  if (faces > 0) {
    // Even a poor face says that somebody is there.
    add('face', faces === 1 ? 'a face' : `${faces} faces`, 0.4 + 0.6 * ((bestFaceQuality ?? 0) / 100));
  }
  if (keypoints !== null && keypoints >= LEAST_PLACE_KEYPOINTS) {
    add('place', 'details by which the place can be recognised', Math.min(1, keypoints / WHOLE_PLACE_KEYPOINTS));
  }
  const pixels = widthPixels * heightPixels;
  if (pixels >= FINE_PIXELS) add('resolution', 'high resolution');
  else if (pixels >= FAIR_PIXELS) add('resolution', 'fair resolution', 0.5);
  else if (pixels < POOR_PIXELS) add('resolution', 'low resolution', -0.5);
  if ((capture?.make ?? null) === null && SENT_SIDES.has(Math.max(widthPixels, heightPixels))) {
    add('sentOn', 'reduced to a size that messengers and networks use');
  }
}

export function scoreOf(clues: readonly Clue[]): number {
  return round(clues.reduce((sum, { points }) => sum + points, 0));
}

/** So that sums of the same clues are equal whatever the order of adding. */
const round = (points: number): number => Math.round(points * 100) / 100;
