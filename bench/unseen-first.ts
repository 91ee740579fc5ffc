import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openEmbedded } from '../engine/store/adapters/pglite.ts';
import type { Db } from '../engine/store/db.ts';
import { openBatch } from '../engine/store/queries/batch.ts';
import { recordItems } from '../engine/store/queries/record-items.ts';
import { CLUES, type ClueName } from '../engine/unseen/clues.ts';
import { listUnseen } from '../engine/unseen/rank.ts';
import { type CaptureMetadata, type Examination, PIPELINE_VERSION } from '../schemas/fingerprint.ts';
import { type Bench, type BenchOptions, type BenchResult, figure, judged, median } from './harness.ts';
import { type Random, seededRandom } from './random.ts';

const SEED = 20_261_124;
const TARGETS = 50;
const CAMERA_PICTURES = 5_000;
const MANY = 100_000;
const GROUP = 500;

/** How often a picture of a kind carries each clue; the kinds a seizure is made of, as shares of it. */
interface Kind {
  readonly share: number;
  /** Came through a messenger or a network: reduced, and its metadata gone but for the time. */
  readonly sentOn: boolean;
  readonly edited: number;
  readonly gps: number;
  readonly bodySerial: number;
  readonly face: number;
  readonly place: number;
  readonly thumbnail: number;
}

/** Of 100 camera pictures in the background. Rates are assumptions, stated so that others can put their own in their place. */
const BACKGROUND: readonly Kind[] = [
  { share: 0.45, sentOn: true, edited: 0, gps: 0, bodySerial: 0, face: 0.4, place: 0.4, thumbnail: 0 },
  { share: 0.15, sentOn: false, edited: 1, gps: 0.1, bodySerial: 0.1, face: 0.4, place: 0.4, thumbnail: 0.3 },
  { share: 0.4, sentOn: false, edited: 0, gps: 0.25, bodySerial: 0.15, face: 0.3, place: 0.4, thumbnail: 0.6 },
];
/** What a series is made of: straight from a camera, somebody in a room. Not all carry a position or a serial number. */
const TARGET: Kind = {
  share: 1,
  sentOn: false,
  edited: 0,
  gps: 0.4,
  bodySerial: 0.5,
  face: 0.9,
  place: 0.9,
  thumbnail: 0.6,
};
/** The harder case: all of the background straight from cameras, and devices alike; what is shown alone tells them apart. */
const ALL_ORIGINALS: readonly Kind[] = [
  { share: 1, sentOn: false, edited: 0, gps: 0.4, bodySerial: 0.5, face: 0.3, place: 0.4, thumbnail: 0.6 },
];

async function run({ quick, say }: BenchOptions): Promise<BenchResult> {
  const mixed = await withDb(async (db) => await ranksOf(db, BACKGROUND, say));
  const originals = await withDb(async (db) => await ranksOf(db, ALL_ORIGINALS, say));
  const many = quick ? 20_000 : MANY;
  const seconds = await withDb(async (db) => await secondsFor(db, many, say));
  const whole = mixed.withAll;
  return {
    measures: [
      judged('capture-time order / unseen first, median rank of the targets', mixed.byTime / whole, '', '>=', 5),
      figure('median rank of the targets, unseen first', whole, ''),
      figure('median rank of the targets, capture-time order', mixed.byTime, ''),
      figure(
        'the same ratio where all of the background is straight from cameras',
        originals.byTime / originals.withAll,
        '',
      ),
      figure(`first page of ${many} unmatched media, embedded`, seconds, 's'),
    ],
    tables: [
      {
        title: `Median rank of ${TARGETS} targets among ${CAMERA_PICTURES} pictures, with each clue left out and alone`,
        columns: ['clue', 'without it', 'alone'],
        rows: mixed.byClue.map(({ clue, without, alone }) => [clue, without, alone]),
      },
    ],
    parameters: { targets: TARGETS, cameraPictures: CAMERA_PICTURES, seed: SEED, many },
    notes: [
      'Rows as a scan records them, through the same statements; no picture is behind them. Every one, targets too, has a camera time drawn evenly from four years, so that capture-time order says nothing of them by itself.',
      'Background: 45 % sent on (reduced to a usual size, no camera name), 15 % saved by an editor, 40 % straight from a camera (position 25 %, serial number 15 %, thumbnail 60 %); a face in 30 to 40 %, a recognisable place in 40 %. Targets: straight from a camera, position 40 %, serial number 50 %, face and place 90 %.',
      'The rates are assumptions. In the harder case the background has the same camera traces as the targets, and only faces and places tell them apart.',
    ],
  };
}

interface Ranks {
  readonly withAll: number;
  readonly byTime: number;
  readonly byClue: readonly { readonly clue: ClueName; readonly without: number; readonly alone: number }[];
}

async function ranksOf(db: Db, background: readonly Kind[], say: (text: string) => void): Promise<Ranks> {
  const random = seededRandom(SEED);
  const kinds = [
    ...Array.from({ length: CAMERA_PICTURES }, () => ({ kind: drawn(background, random), target: false })),
    ...Array.from({ length: TARGETS }, () => ({ kind: TARGET, target: true })),
  ];
  // Where they lie among the others must not help them: equal scores are ordered by time and number.
  const shuffled = kinds.map((one) => ({ one, at: random.next() })).sort((a, b) => a.at - b.at);
  const targets = await record(
    db,
    shuffled.map(({ one }) => one),
    random,
  );
  const all = new Set(CLUES);
  const medianRank = async (without: ReadonlySet<ClueName>): Promise<number> => {
    const { total, media } = await listUnseen(db, {}, { limit: kinds.length, without });
    if (total !== kinds.length) throw new Error(`expected ${kinds.length} unmatched media, received ${total}`);
    return median(media.filter(({ mediaId }) => targets.has(mediaId)).map(({ rank }) => rank));
  };
  const byClue = [];
  for (const clue of CLUES.filter((one) => one !== 'classifier' && one !== 'generated' && one !== 'lensSerial')) {
    say(`with and without ${clue}`);
    const alone = await medianRank(all.difference(new Set([clue])));
    byClue.push({ clue, without: await medianRank(new Set([clue])), alone });
  }
  // Without any clue the order is by capture time.
  return { withAll: await medianRank(new Set()), byTime: await medianRank(all), byClue };
}

async function secondsFor(db: Db, count: number, say: (text: string) => void): Promise<number> {
  say(`recording ${count} media`);
  const random = seededRandom(SEED);
  await record(
    db,
    Array.from({ length: count }, () => ({ kind: drawn(BACKGROUND, random), target: false })),
    random,
  );
  const seconds: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const started = performance.now();
    const { total } = await listUnseen(db, {}, { limit: 50 });
    if (total !== count) throw new Error(`expected ${count} unmatched media, received ${total}`);
    seconds.push((performance.now() - started) / 1000);
  }
  return median(seconds);
}

function drawn(kinds: readonly Kind[], random: Random): Kind {
  let left = random.next();
  for (const kind of kinds) {
    left -= kind.share;
    if (left < 0) return kind;
  }
  return kinds.at(-1) ?? TARGET;
}

/** @returns media numbers of the targets */
async function record(
  db: Db,
  pictures: readonly { readonly kind: Kind; readonly target: boolean }[],
  random: Random,
): Promise<Set<number>> {
  const { batchId } = await openBatch(db, {
    identity: Buffer.alloc(32, 1),
    caseRef: 'bench',
    exhibitRef: '',
    organisation: 'bench',
    actor: 'bench',
    mode: 'exact',
    roots: ['made'],
    pipelineVersion: PIPELINE_VERSION,
    startedAt: new Date().toISOString(),
  });
  const targets = new Set<number>();
  for (let at = 0; at < pictures.length; at += GROUP) {
    const group = pictures.slice(at, at + GROUP).map((one, place) => ({
      ...one,
      examination: examinationOf(one.kind, at + place, random),
      faceQuality: random.next() < one.kind.face ? random.integer(20, 100) : null,
      keypoints: random.next() < one.kind.place ? random.integer(40, 400) : random.integer(0, 39),
    }));
    await db.transaction(async (tx) => {
      const { mediaIds } = await recordItems(
        tx,
        batchId,
        { mode: 'exact', searchedChangeId: 0 },
        group.map(({ examination }, place) => ({
          pathKey: digest('sha256', `path ${at + place}`),
          path: Buffer.from(`/made/${at + place}.jpg`),
          containerPathKey: null,
          modifiedAt: null,
          examination,
        })),
      );
      const known = group.flatMap((one, place) => {
        const mediaId = mediaIds[place] ?? null;
        if (mediaId !== null && one.target) targets.add(mediaId);
        return mediaId === null ? [] : [{ ...one, mediaId }];
      });
      await tx.execute(
        `insert into face (media_id, detector, detector_version, ordinal, box_x, box_y, box_width, box_height, detection_score,
                           eye_distance_pixels, sharpness, yaw_degrees, pitch_degrees, roll_degrees, quality)
         select media_id, 'made', '1.0.0', 0, 0, 0, 100, 100, 0.9, 40, 90, 0, 0, 0, quality
           from unnest($1::bigint[], $2::smallint[]) as t(media_id, quality) where quality is not null`,
        [known.map(({ mediaId }) => mediaId), known.map(({ faceQuality }) => faceQuality)],
      );
      await tx.execute(
        `insert into picture_keypoints (media_id, algorithm, count, data)
         select media_id, 'rootsift/1', count, decode(repeat('00', count * 134), 'hex') from unnest($1::bigint[], $2::smallint[]) as t(media_id, count)`,
        [known.map(({ mediaId }) => mediaId), known.map(({ keypoints }) => keypoints)],
      );
    });
  }
  return targets;
}

function examinationOf(kind: Kind, number: number, random: Random): Examination {
  const chance = (rate: number): boolean => random.next() < rate;
  const takenAt = new Date(Date.UTC(2020, 0, 1) + random.integer(0, 4 * 365 * 24 * 3600) * 1000);
  const edited = chance(kind.edited);
  const capture: CaptureMetadata = {
    make: kind.sentOn ? null : 'Maker',
    model: kind.sentOn ? null : `Model ${random.integer(1, 40)}`,
    bodySerialNumber: chance(kind.bodySerial) ? String(random.integer(1_000_000, 9_999_999)) : null,
    lensModel: null,
    lensSerialNumber: null,
    software: edited ? 'Editor' : null,
    capturedAt: takenAt.toISOString().slice(0, 19),
    gps: chance(kind.gps) ? { latitudeDegrees: 1, longitudeDegrees: 2, altitudeMetres: null } : null,
    exifOrientation: 1,
    thumbnailMismatch: chance(kind.thumbnail) ? false : null,
    syntheticTraces: edited ? [{ kind: 'editingSoftware', detail: 'EXIF Software: Editor' }] : [],
  };
  const [widthPixels, heightPixels] = kind.sentOn
    ? [random.pick([960, 1280, 1600, 2048]), 900]
    : random.pick([
        [4032, 3024],
        [3264, 2448],
        [2592, 1944],
        [1920, 1080],
      ] as const);
  return {
    outcome: 'done',
    reason: null,
    type: 'image/jpeg',
    sizeBytes: 1000,
    digests: {
      md5: digest('md5', `${number}`).toString('hex'),
      sha1: digest('sha1', `${number}`).toString('hex'),
      sha256: digest('sha256', `${number}`).toString('hex'),
    },
    trailingBytes: 0,
    picture: {
      widthPixels,
      heightPixels,
      decoder: 'made',
      mode: 'exact',
      reductionFactor: 1,
      frames: 1,
      pdq: [],
      blockhash: null,
    },
    capture,
  };
}

const digest = (algorithm: string, text: string): Buffer => createHash(algorithm).update(text).digest();

async function withDb<T>(work: (db: Db) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), 'hw-bench-'));
  try {
    const db = await openEmbedded({ dataFolder: folder });
    try {
      return await work(db);
    } finally {
      await db.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const bench: Bench = { name: 'unseen-first', run };
