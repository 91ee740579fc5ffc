import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { HomewardError } from '../../schemas/error.ts';
import { SUBJECT_KINDS, VICTIM_IDENTIFIED } from '../../schemas/series.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import type { Db } from '../store/db.ts';
import { integer, row, text } from '../store/row-shape.ts';
import { addMedia, addPlace, addSubject } from './add.ts';
import { addCamera } from './add-camera.ts';
import { mergeSeries, splitSeries } from './combine.ts';
import { createSeries, setVictimIdentified } from './create.ts';
import type { SeriesName } from './find-series.ts';
import { linkSeries, unlinkSeries } from './link.ts';
import { addPicture, BY, emptySeries, face, seriesRows, sha256Of } from './test-series-kit.ts';
import { undoChange } from './undo.ts';

const MEDIA = ['m0', 'm1', 'm2', 'm3', 'm4'];
const FACES_IN_EACH = 2;

const series: fc.Arbitrary<SeriesName> = fc.record({
  name: fc.constantFrom('one', 'one', 'two', 'two', 'three', 'part'),
  source: fc.constantFrom('unit', 'unit', 'unit', 'unit', 'partner'),
});
const media = fc.subarray(MEDIA.map(sha256Of), { maxLength: 3 });
const faces = fc.subarray(
  MEDIA.flatMap((name) => [face(name, 0), face(name, 1)]),
  { maxLength: 3 },
);
const reference = fc.constantFrom('V1', 'V2');

/** @param start number of the last change that must not be undone */
type Step = (db: Db, start: number) => Promise<unknown>;

/** Anything a person may ask for; much of it is refused, as it would be. */
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: series.map(
      (one): Step =>
        (db) =>
          createSeries(db, BY, one),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(series, media).map(
      ([one, which]): Step =>
        (db) =>
          addMedia(db, BY, one, which),
    ),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(series, reference, fc.constantFrom(...SUBJECT_KINDS.slice(0, 1), undefined, undefined), faces)
      .map(
        ([one, name, kind, which]): Step =>
          (db) =>
            addSubject(db, BY, one, { reference: name, kind, faces: which }),
      ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(series, reference, media).map(
      ([one, name, which]): Step =>
        (db) =>
          addPlace(db, BY, one, { reference: name, media: which }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(series, reference, fc.constantFrom('AB12345', 'CD67890')).map(
      ([one, name, bodySerial]): Step =>
        (db) =>
          addCamera(db, BY, one, { reference: name, make: 'Nikon', model: null, bodySerial, lensSerial: null }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(series, fc.constantFrom(...VICTIM_IDENTIFIED)).map(
      ([one, said]): Step =>
        (db) =>
          setVictimIdentified(db, BY, one, said),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(series, series).map(
      ([one, other]): Step =>
        (db) =>
          linkSeries(db, { ...BY, reason: 'same room' }, one, other),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(series, series).map(
      ([one, other]): Step =>
        (db) =>
          unlinkSeries(db, BY, one, other),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(series, series, fc.subarray([{ from: 'V1', into: 'V1' }])).map(
      ([one, other, same]): Step =>
        (db) =>
          mergeSeries(db, BY, one, other, same),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(series, fc.constantFrom('part', 'three'), fc.subarray(['V1', 'V2']), fc.subarray(['V1'])).map(
      ([one, name, subjects, places]): Step =>
        (db) =>
          splitSeries(db, BY, one, name, { media: [], subjects, places, cameras: [] }),
    ),
  },
  {
    weight: 1,
    arbitrary: series.map(
      (one): Step =>
        (db, start) =>
          undoLast(db, one, start),
    ),
  },
);
const steps = (least: number, most: number) => fc.array(step, { minLength: least, maxLength: most, size: 'max' });

async function undoLast(db: Db, one: SeriesName, start: number): Promise<void> {
  const [last] = (await changesAfter(db, start)).filter(
    ({ name, source }) => name === one.name && source === one.source,
  );
  if (last !== undefined) await undoChange(db, BY, one, last.changeId);
}

/** Something to work with: two series of the unit with a subject each, and one of a partner. */
async function begin(db: Db): Promise<void> {
  await emptySeries(db);
  const made = [
    { name: 'one', media: 'm0' },
    { name: 'two', media: 'm1' },
    { name: 'one', media: 'm2', source: 'partner' },
  ];
  for (const one of made) {
    await createSeries(db, BY, one);
    await addSubject(db, BY, one, { reference: 'V1', kind: 'victim', faces: [face(one.media)] });
  }
}

/** Whether it was done; a refusal changes nothing, anything else is a defect. */
async function tried(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (error instanceof HomewardError && /^HW_(SERIES|USAGE)/.test(error.code)) return false;
    throw error;
  }
}

/** Changes in force after a number, the latest first, each with a series of that name that it can be undone by. */
async function changesAfter(db: Db, changeId: number) {
  return await db.read(
    row({ changeId: integer, name: text, source: text }),
    `select change_id, name, source from series_change join series using (series_id)
      where change_id > $1 and undone_at is null order by change_id desc`,
    [changeId],
  );
}

async function lastChange(db: Db): Promise<number> {
  const [last] = await db.read(row({ id: integer }), 'select coalesce(max(change_id), 0) as id from series_change');
  return last?.id ?? 0;
}

async function brokenRules(db: Db): Promise<unknown[]> {
  return await db.query(
    `select 'two faces of one picture' as rule from subject_face a join face f on f.face_id = a.face_id
       join face g on g.media_id = f.media_id and g.face_id > f.face_id
       join subject_face b on b.face_id = g.face_id and b.subject_id = a.subject_id
     union all
     select 'face in the gallery' from face_vector v
      where in_gallery <> exists (select from subject_face s where s.face_id = v.face_id)
     union all
     select 'picture in the gallery' from picture_vector v
      where in_gallery <> (exists (select from series_media s where s.media_id = v.media_id)
                           or exists (select from place_media p where p.media_id = v.media_id))
     union all
     select 'merged series with parts' from series e where merged_into is not null
        and (exists (select from subject s where s.series_id = e.series_id) or exists (select from series_media m where m.series_id = e.series_id))
     union all
     select 'link within a source' from series_link l join series a on a.series_id = l.series_id
       join series b on b.series_id = l.other_series_id where a.source = b.source`,
  );
}

for (const engine of STORE_ENGINES) {
  describe(`undo of series changes on ${engine.name}`, engine.options, () => {
    let db: Db;
    before(async () => {
      db = await engine.open();
      for (const name of MEDIA) await addPicture(db, name, FACES_IN_EACH);
    });
    after(async () => await db.close());
    beforeEach(async () => await emptySeries(db));

    it('any sequence of changes, undone from the last to the first, leaves every row as it was', async () => {
      const undone = new Map<string, number>();
      await fc.assert(
        fc.asyncProperty(steps(3, 8), steps(8, 20), async (earlier, later) => {
          await begin(db);
          for (const one of earlier) await tried(one(db, 0));
          const start = await lastChange(db);
          const state = await seriesRows(db);
          for (const one of later) {
            await tried(one(db, start));
            assert.deepEqual(await brokenRules(db), []);
          }
          for (;;) {
            const [last] = await changesAfter(db, start);
            if (last === undefined) break;
            const { action } = await undoChange(db, BY, last, last.changeId);
            undone.set(action, (undone.get(action) ?? 0) + 1);
          }
          assert.deepEqual(await brokenRules(db), []);
          assert.deepEqual(await seriesRows(db), state);
        }),
        { numRuns: 16 },
      );
      const all = [...undone.values()].reduce((sum, times) => sum + times, 0);
      assert.ok(all > 40, `too few changes to say anything: ${JSON.stringify([...undone])}`);
    });

    it('in any order, what is not refused keeps the rules, and in the end all is undone', async () => {
      await fc.assert(
        fc.asyncProperty(steps(8, 24), fc.infiniteStream(fc.nat()), async (all, choices) => {
          await begin(db);
          const start = await lastChange(db);
          const state = await seriesRows(db);
          for (const one of all) await tried(one(db, start));
          let stuck = 0;
          for (;;) {
            const left = await changesAfter(db, start);
            if (left.length === 0) break;
            const choice = left[(choices.next().value ?? 0) % left.length] ?? assert.fail();
            // One that nothing rests on is always among them: the last.
            const chosen = stuck > 3 ? (left[0] ?? choice) : choice;
            if (await tried(undoChange(db, BY, chosen, chosen.changeId))) stuck = 0;
            else {
              stuck += 1;
              assert.notEqual(chosen, left[0], 'the last change cannot be undone');
            }
            assert.deepEqual(await brokenRules(db), []);
          }
          assert.deepEqual(await seriesRows(db), state);
        }),
        { numRuns: 10 },
      );
    });
  });
}
