import { CaptureMetadata } from '../../schemas/fingerprint.ts';
import { pathAsText } from '../../schemas/path-text.ts';
import { parseCaptureTime } from '../candidates/capture-time.ts';
import type { Db, SqlParam } from '../store/db.ts';
import { bytes, integer, json, nullable, real, row, text } from '../store/row-shape.ts';
import { type Clue, type ClueName, cluesOf, scoreOf } from './clues.ts';
import { LATEST_FINGERPRINT, type Scope, scopeParams, UNMATCHED } from './unmatched.ts';

const PAGE = 5_000;

const FACTS = row({
  mediaId: integer,
  widthPixels: integer,
  heightPixels: integer,
  capture: nullable(json(CaptureMetadata)),
  faces: integer,
  bestFaceQuality: nullable(integer),
  keypoints: nullable(integer),
  classifierScore: nullable(real),
});

const FACTS_SQL = `
select m.media_id, f.width_pixels, f.height_pixels, f.capture, e.faces, e.best_face_quality,
       (select max(k.count) from picture_keypoints k where k.media_id = m.media_id) as keypoints,
       (select max(s.score) from picture_score s where s.media_id = m.media_id and s.pack_id = any($4::text[])) as classifier_score
  from media m ${LATEST_FINGERPRINT}
 cross join lateral (select count(*) as faces, max(quality) as best_face_quality from face where media_id = m.media_id offset 0) e
 where m.media_id > $3 and ${UNMATCHED}
 order by m.media_id limit ${PAGE}`;

export interface UnseenMedia {
  /** 1 is the richest in clues. */
  readonly rank: number;
  readonly mediaId: number;
  readonly score: number;
  readonly clues: readonly Clue[];
  readonly capturedAt: string | null;
  readonly widthPixels: number;
  readonly heightPixels: number;
  readonly sha256: string;
  /** Its first item: where the unit's own viewer finds it. */
  readonly caseRef: string | null;
  readonly exhibitRef: string | null;
  readonly path: string | null;
}

export interface UnseenList {
  /** All media of the scope that match nothing known, however many are shown. */
  readonly total: number;
  readonly media: readonly UnseenMedia[];
}

export interface UnseenOptions {
  readonly limit: number;
  /** How many of the first are left out: the page before. */
  readonly offset?: number;
  /** Ids of the operator's classifiers whose scores count: they order and never filter. */
  readonly classifiers?: readonly string[];
  /** Clues that do not count, to see what each of them does. */
  readonly without?: ReadonlySet<ClueName>;
}

interface Ranked extends Omit<UnseenMedia, 'rank' | 'sha256' | 'caseRef' | 'exhibitRef' | 'path'> {
  readonly timeMs: number;
}

/**
 * Media that match nothing known, the richest in clues first; of equal ones the one taken first, then the one recorded first. Memory
 * grows with what is shown, not with the scope.
 * @throws HomewardError HW_BATCH_NOT_FOUND
 */
export async function listUnseen(db: Db, scope: Scope, options: UnseenOptions): Promise<UnseenList> {
  const { offset = 0, limit } = options;
  const { total, first } = await rankUnseen(db, await scopeParams(db, scope), offset + limit, options);
  const shown = first.slice(offset);
  const found = new Map((await itemsOf(db, shown)).map((item) => [item.mediaId, item]));
  return {
    total,
    media: shown.map(({ timeMs: _, ...one }, at) => {
      const item = found.get(one.mediaId);
      return {
        rank: offset + at + 1,
        ...one,
        sha256: item?.sha256.toString('hex') ?? '',
        caseRef: item?.caseRef ?? null,
        exhibitRef: item?.exhibitRef ?? null,
        path: item?.path ? pathAsText(item.path).path : null,
      };
    }),
  };
}

async function rankUnseen(
  db: Db,
  scope: readonly [SqlParam, SqlParam],
  wanted: number,
  { classifiers = [], without }: UnseenOptions,
): Promise<{ total: number; first: Ranked[] }> {
  let first: Ranked[] = [];
  let total = 0;
  for (let after = 0; ; ) {
    const page = await db.read(FACTS, FACTS_SQL, [...scope, after, classifiers]);
    total += page.length;
    for (const { mediaId, capture, ...facts } of page) {
      const clues = cluesOf({ ...facts, capture }, without);
      const capturedAt = capture?.capturedAt ?? null;
      const { widthPixels, heightPixels } = facts;
      const timeMs = parseCaptureTime(capturedAt)?.timeMs ?? Number.POSITIVE_INFINITY;
      first.push({ mediaId, score: scoreOf(clues), clues, capturedAt, widthPixels, heightPixels, timeMs });
    }
    first = first.sort(byClues).slice(0, wanted);
    after = page.at(-1)?.mediaId ?? after;
    if (page.length < PAGE) return { total, first };
  }
}

function byClues(a: Ranked, b: Ranked): number {
  if (a.score !== b.score) return b.score - a.score;
  // Of two without a time the difference is no number.
  if (a.timeMs !== b.timeMs) return a.timeMs < b.timeMs ? -1 : 1;
  return a.mediaId - b.mediaId;
}

async function itemsOf(db: Db, shown: readonly Ranked[]) {
  return await db.read(
    row({
      mediaId: integer,
      sha256: bytes,
      caseRef: nullable(text),
      exhibitRef: nullable(text),
      path: nullable(bytes),
    }),
    `select m.media_id, m.sha256, i.case_ref, i.exhibit_ref, i.path
       from unnest($1::bigint[]) as w(media_id) join media m on m.media_id = w.media_id
       left join lateral (select b.case_ref, b.exhibit_ref, i.path from item i join batch b on b.batch_id = i.batch_id
                           where i.media_id = m.media_id order by i.item_id limit 1) i on true`,
    [shown.map(({ mediaId }) => mediaId)],
  );
}
