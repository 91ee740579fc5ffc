import { CaptureMetadata } from '../../schemas/fingerprint.ts';
import { pathAsText } from '../../schemas/path-text.ts';
import type { UnknownReason } from '../../schemas/report.ts';
import { parseCaptureTime } from '../candidates/capture-time.ts';
import { unknownReasonOf } from '../match/standing.ts';
import type { Db, SqlParam } from '../store/db.ts';
import { pendingRematch } from '../store/queries/rematch-pass.ts';
import { bool, bytes, integer, json, nullable, oneOf, real, row, text } from '../store/row-shape.ts';
import { type Clue, type ClueName, cluesOf, scoreOf } from './clues.ts';
import { LATEST_FINGERPRINT, type Scope, scopeParams, UNMATCHED } from './unmatched.ts';

const PAGE = 5_000;

const FACTS = row({
  mediaId: integer,
  outcome: oneOf(['done', 'partial'] as const),
  pdq512Quality: nullable(integer),
  pdqFullQuality: nullable(integer),
  hasBlockhash: bool,
  searchedChangeId: nullable(integer),
  widthPixels: integer,
  heightPixels: integer,
  capture: nullable(json(CaptureMetadata)),
  faces: integer,
  bestFaceQuality: nullable(integer),
  keypoints: nullable(integer),
  classifierScore: nullable(real),
});

const FACTS_SQL = `
select m.media_id, f.outcome, f.pdq_512_quality as pdq512_quality, f.pdq_full_quality, f.blockhash is not null as has_blockhash,
       f.searched_change_id, f.width_pixels, f.height_pixels, f.capture, e.faces, e.best_face_quality,
       (select max(k.count) from picture_keypoints k where k.media_id = m.media_id) as keypoints,
       (select max(s.score) from picture_score s where s.media_id = m.media_id and s.pack_id = any($4::text[])) as classifier_score
  from media m ${LATEST_FINGERPRINT}
 cross join lateral (select count(*) as faces, max(quality) as best_face_quality from face where media_id = m.media_id offset 0) e
 where m.media_id > $3 and ${UNMATCHED}
 order by m.media_id limit ${PAGE}`;

export interface UnseenMedia {
  /** 1 is the richest in clues of its list. */
  readonly rank: number;
  /** Why it is not known whether it is known; null where it was compared whole. */
  readonly unknownFor: UnknownReason | null;
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

export interface RankedMedia {
  /** All such media of the scope, however many are shown. */
  readonly total: number;
  readonly media: readonly UnseenMedia[];
}

/** Media that were compared whole and match nothing known. */
export interface UnseenList extends RankedMedia {
  /** Media that match nothing known and were not compared whole: a child may be in them as in the others, so they are ranked alike. */
  readonly unknown: RankedMedia;
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
  const { unseen, unknown } = await rankUnseen(db, await scopeParams(db, scope), options);
  return { ...(await shown(db, unseen, options)), unknown: await shown(db, unknown, options) };
}

async function shown(db: Db, ranking: Ranking, { offset = 0, limit }: UnseenOptions): Promise<RankedMedia> {
  const first = ranking.first.slice(offset, offset + limit);
  const found = new Map((await itemsOf(db, first)).map((item) => [item.mediaId, item]));
  return {
    total: ranking.total,
    media: first.map(({ timeMs: _, ...one }, at) => {
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

interface Ranking {
  total: number;
  first: Ranked[];
}

async function rankUnseen(
  db: Db,
  scope: readonly [SqlParam, SqlParam],
  { classifiers = [], without, offset = 0, limit }: UnseenOptions,
): Promise<{ readonly unseen: Ranking; readonly unknown: Ranking }> {
  const lists = { unseen: { total: 0, first: [] as Ranked[] }, unknown: { total: 0, first: [] as Ranked[] } };
  const awaitsChangeId = (await pendingRematch(db))?.lastChangeId ?? 0;
  for (let after = 0; ; ) {
    const page = await db.read(FACTS, FACTS_SQL, [...scope, after, classifiers]);
    for (const { mediaId, capture, ...facts } of page) {
      const clues = cluesOf({ ...facts, capture }, without);
      const capturedAt = capture?.capturedAt ?? null;
      const { widthPixels, heightPixels } = facts;
      const unknownFor = unknownReasonOf({
        outcome: facts.outcome,
        hashes: facts,
        awaitsRematch: (facts.searchedChangeId ?? 0) < awaitsChangeId,
      });
      const timeMs = parseCaptureTime(capturedAt)?.timeMs ?? Number.POSITIVE_INFINITY;
      const list = lists[unknownFor === null ? 'unseen' : 'unknown'];
      list.total += 1;
      list.first.push({
        mediaId,
        unknownFor,
        score: scoreOf(clues),
        clues,
        capturedAt,
        widthPixels,
        heightPixels,
        timeMs,
      });
    }
    for (const list of Object.values(lists)) list.first = list.first.sort(byClues).slice(0, offset + limit);
    after = page.at(-1)?.mediaId ?? after;
    if (page.length < PAGE) return lists;
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
