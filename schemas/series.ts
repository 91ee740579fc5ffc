import { Type } from 'typebox';
import { BoundedText, Closed, Count, Hex, Nullable, OneOf, type Static } from './closed.ts';

export const SERIES_OUTPUT_VERSION = '1.0';

export const SUBJECT_KINDS = ['victim', 'suspect', 'witness', 'unknown'] as const;
export type SubjectKind = (typeof SUBJECT_KINDS)[number];

/** What a unit says of a series of its own. */
export const VICTIM_IDENTIFIED = ['yes', 'no', 'partly', 'unknown'] as const;
export type VictimIdentified = (typeof VICTIM_IDENTIFIED)[number];

const Id = Count();
const List = <S extends Parameters<typeof Type.Array>[0]>(item: S) => Type.Array(item, { maxItems: 1_000_000 });
/** ISO 8601 in UTC with milliseconds. */
const Time = BoundedText(30);
const Person = BoundedText(200);

/** Series of different sources stay apart: each has what its own source says. */
const SeriesName = Closed({ seriesId: Id, source: BoundedText(200), name: BoundedText(300) });

export const SeriesChangeShown = Closed({
  changeId: Id,
  action: BoundedText(40),
  reason: Nullable(BoundedText(1000)),
  doneBy: Person,
  doneAt: Time,
  undoneBy: Nullable(Person),
  undoneAt: Nullable(Time),
});

/** One element of what `homeward series show --json` prints: one series in each source that uses the name. */
export const SeriesDetail = Closed({
  ...SeriesName.properties,
  /** Null for a series that came with a hash set. */
  createdBy: Nullable(Person),
  mergedInto: Nullable(SeriesName),
  mergedFrom: List(SeriesName),
  /** What this unit says; what the records of hash sets say is in `recordsSay`, and neither takes the place of the other. */
  victimIdentified: Nullable(OneOf(VICTIM_IDENTIFIED)),
  recordsSay: List(
    Closed({
      setName: BoundedText(200),
      setVersion: Count(),
      victimIdentified: Count(),
      victimNotIdentified: Count(),
      notSaid: Count(),
    }),
  ),
  categories: List(
    Closed({
      setName: BoundedText(200),
      setVersion: Count(),
      scheme: BoundedText(60),
      code: Nullable(BoundedText(40)),
      label: Nullable(BoundedText(300)),
      records: Count(),
    }),
  ),
  media: Count(),
  subjects: List(
    Closed({
      subjectId: Id,
      reference: BoundedText(100),
      kind: OneOf(SUBJECT_KINDS),
      faces: Count(),
      pictures: Count(),
    }),
  ),
  places: List(Closed({ placeId: Id, reference: BoundedText(100), pictures: Count() })),
  cameras: List(
    Closed({
      cameraId: Id,
      reference: BoundedText(100),
      make: Nullable(BoundedText(200)),
      model: Nullable(BoundedText(200)),
      bodySerial: Nullable(BoundedText(100)),
      lensSerial: Nullable(BoundedText(100)),
    }),
  ),
  /** Series of other sources that somebody holds to be of the same people or places. */
  links: List(
    Closed({
      linkId: Id,
      other: SeriesName,
      otherVictimIdentified: Nullable(OneOf(VICTIM_IDENTIFIED)),
      reason: BoundedText(1000),
      linkedBy: Person,
      linkedAt: Time,
    }),
  ),
  /** Evidence in force: media of cases, by method. */
  matches: List(Closed({ method: BoundedText(40), media: Count(), batches: Count() })),
  /** The latest first. */
  changes: Type.Array(SeriesChangeShown, { maxItems: 200 }),
});
export type SeriesDetail = Static<typeof SeriesDetail>;

/** What a command that changes a series prints with --json. */
export const SeriesChanged = Closed({
  /** Null where everything was as asked for already, so that nothing was changed. */
  changeId: Nullable(Id),
  seriesId: Id,
  action: BoundedText(40),
  /** The subject, place, camera or link that was made or added to; null for other changes. */
  partId: Nullable(Id),
  /** Whether that part, or the series, was made by this change. */
  created: Type.Boolean(),
  /** Media or faces that were added or moved. */
  changed: Count(),
  /** Media or faces that were there already. */
  unchanged: Count(),
  /** Contents of a batch that are no picture and no video. */
  leftOut: Count(),
  /** Evidence of faces, pictures and cameras that rested on what is not there any more. */
  evidenceWithdrawn: Count(),
});
export type SeriesChanged = Static<typeof SeriesChanged>;

/** Numbers in rising order; a pair stands for all from its first to its last. */
const Ids = List(Type.Union([Id, Type.Tuple([Id, Id])]));

export const CHANGED_TABLES = [
  'series',
  'subject',
  'place',
  'camera',
  'series_link',
  'series_media',
  'subject_face',
  'place_media',
] as const;
export type ChangedTable = (typeof CHANGED_TABLES)[number];

export const CHANGED_COLUMNS = [
  'series_id',
  'subject_id',
  'merged_into',
  'victim_identified',
  'reference',
  'withdrawn_at',
] as const;
export type ChangedColumn = (typeof CHANGED_COLUMNS)[number];

const Rows = { table: OneOf(CHANGED_TABLES), owner: Nullable(Id), ids: Ids } as const;
const Cell = Nullable(Type.Union([Id, BoundedText(100)]));
/** One row as it was, by column. Of tables without serial numbers or anything else that is more than an id, a time or who did it. */
const RemovedRow = Type.Record(Type.String({ maxLength: 40 }), Nullable(Type.Union([Id, BoundedText(200)])));

/**
 * The rows that a change touched, in the order it touched them. `owner` is the series, subject or place that a row of series_media,
 * subject_face or place_media belongs to (after the change), and null for the others.
 */
export const SeriesChangeEntry = Type.Union([
  Closed({ op: Type.Literal('insert'), ...Rows }),
  Closed({ op: Type.Literal('delete'), ...Rows, rows: List(RemovedRow) }),
  Closed({ op: Type.Literal('set'), ...Rows, column: OneOf(CHANGED_COLUMNS), before: Cell, after: Cell }),
]);
export type SeriesChangeEntry = Static<typeof SeriesChangeEntry>;

/** What series_change.details holds. */
export const SeriesChangeDetails = Closed({
  version: Type.Literal(1),
  /** Every series that it concerns. */
  series: Type.Array(Id, { maxItems: 10 }),
  entries: Type.Array(SeriesChangeEntry, { maxItems: 100_000 }),
  /** Rows it took for granted, such as `subject:7`. */
  restsOn: Type.Array(BoundedText(60), { maxItems: 100_000 }),
});
export type SeriesChangeDetails = Static<typeof SeriesChangeDetails>;

/** A face as a person names it: the media, and the face's number in it by falling detection score, from 0. */
export const FaceName = Closed({ sha256: Hex(32), ordinal: Count(63) });
export type FaceName = Static<typeof FaceName>;
