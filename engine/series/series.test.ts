import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { Compile } from 'typebox/compile';
import { SeriesChanged, SeriesDetail } from '../../schemas/series.ts';
import { openTestBatch } from '../../test/batch-kit.ts';
import { addSet } from '../../test/known-set-kit.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import { type Db, jsonParam } from '../store/db.ts';
import { addBatch, addFaces, addMedia, addPlace, addSubject } from './add.ts';
import { addCamera } from './add-camera.ts';
import { mergeSeries, splitSeries } from './combine.ts';
import { createSeries, setVictimIdentified } from './create.ts';
import { linkSeries, unlinkSeries } from './link.ts';
import { listSeries } from './series.ts';
import { showSeries } from './show.ts';
import { addEvidence, addFace, addPicture, BY, emptySeries, face, seriesRows, sha256Of } from './test-series-kit.ts';
import { undoChange } from './undo.ts';

const checkDetail = Compile(SeriesDetail);
const checkChanged = Compile(SeriesChanged);
const ONE = { name: 'one' };
const TWO = { name: 'two' };
const PARTNER = { name: 'one', source: 'partner' };
const LINKED = { ...BY, reason: 'same room' };
const code = (expected: string) => ({ code: expected });

for (const engine of STORE_ENGINES) {
  describe(`series on ${engine.name}`, engine.options, () => {
    let db: Db;
    const media = new Map<string, number>();
    const mediaId = (name: string): number => media.get(name) ?? assert.fail(name);
    before(async () => {
      db = await engine.open();
      for (const name of ['a', 'b', 'c', 'd']) media.set(name, await addPicture(db, name, 2));
    });
    after(async () => await db.close());
    beforeEach(async () => await emptySeries(db));

    const faceId = async (name: string, ordinal: number): Promise<number> => {
      const [found] = await db.query<{ face_id: number }>(
        `select face_id from face where media_id = $1 and ordinal = $2 and detector = 'blazeface'`,
        [mediaId(name), ordinal],
      );
      return found?.face_id ?? assert.fail('no face');
    };
    const shown = async (name: string, source = 'unit'): Promise<SeriesDetail> => {
      const [found] = await showSeries(db, name, source);
      assert.ok(checkDetail.Check(found), JSON.stringify(checkDetail.Errors(found)));
      return found;
    };
    const subjects = async (name: string) =>
      (await shown(name)).subjects.map((one) => [one.reference, one.kind, one.faces]);
    const inGallery = async (): Promise<string[]> =>
      (
        await db.query<{ what: string }>(
          `select 'face ' || m.sha256::text || '#' || f.ordinal as what from face_vector v join face f using (face_id)
             join media m on m.media_id = f.media_id where v.in_gallery
           union all
           select 'picture ' || m.sha256::text from picture_vector v join media m using (media_id) where v.in_gallery order by 1`,
        )
      ).map(({ what }) => what.replace('\\x', ''));
    const evidence = async () =>
      await db.query<{ series_id: number; subject_id: number | null; withdrawn: boolean }>(
        'select series_id, subject_id, withdrawn_at is not null as withdrawn from model_match order by match_id',
      );
    const leads = async () =>
      await db.query<{ series_id: number; state: string }>('select series_id, state from lead order by lead_id');

    it('are made by a unit, hold its media, subjects, places and cameras, and show who changed what', async () => {
      const made = await createSeries(db, { ...BY, reason: 'case 44' }, ONE);
      assert.ok(checkChanged.Check(made));
      await addMedia(db, BY, ONE, [sha256Of('a'), sha256Of('b'), sha256Of('a')]);
      await addSubject(db, BY, ONE, { reference: 'V1', kind: 'victim', faces: [face('a', 0)] });
      await addFaces(db, BY, ONE, 'V1', [face('b', 1)]);
      await addPlace(db, BY, ONE, { reference: 'P1', media: [sha256Of('c')] });
      await addCamera(db, BY, ONE, {
        reference: 'C1',
        make: 'Nikon',
        model: null,
        bodySerial: '00-12AB34',
        lensSerial: 'N/A',
      });
      await setVictimIdentified(db, BY, ONE, 'partly');
      const series = await shown('one');
      assert.equal(series.media, 2);
      assert.equal(series.createdBy, BY.actor);
      assert.equal(series.victimIdentified, 'partly');
      assert.deepEqual(await subjects('one'), [['V1', 'victim', 2]]);
      assert.deepEqual(
        series.places.map((one) => [one.reference, one.pictures]),
        [['P1', 1]],
      );
      assert.deepEqual(
        series.cameras.map((one) => [one.bodySerial, one.lensSerial]),
        [['12AB34', null]],
      );
      assert.deepEqual(
        series.changes.map((one) => [one.action, one.doneBy, one.reason]),
        [
          ['identified', BY.actor, null],
          ['add camera', BY.actor, null],
          ['add place', BY.actor, null],
          ['add faces', BY.actor, null],
          ['add subject', BY.actor, null],
          ['add media', BY.actor, null],
          ['create', BY.actor, 'case 44'],
        ],
      );
      const [listed] = await listSeries(db);
      assert.deepEqual([listed?.name, listed?.media, listed?.subjects, listed?.records], ['one', 2, 1, 0]);
    });

    it('say that nothing changed, and record nothing, where all of it was there already', async () => {
      await createSeries(db, BY, ONE);
      await addMedia(db, BY, ONE, [sha256Of('a')]);
      const again = await addMedia(db, BY, ONE, [sha256Of('a')]);
      assert.deepEqual([again.changeId, again.changed, again.unchanged], [null, 0, 1]);
      assert.equal((await shown('one')).changes.length, 2);
    });

    it('keep in the search gallery the faces of subjects and the pictures of series and places, as long as they are theirs', async () => {
      await createSeries(db, BY, ONE);
      await addMedia(db, BY, ONE, [sha256Of('a')]);
      await addPlace(db, BY, ONE, { reference: 'P1', media: [sha256Of('a'), sha256Of('b')] });
      await addSubject(db, BY, ONE, { reference: 'V1', kind: 'victim', faces: [face('c', 1)] });
      const pictures = [sha256Of('a'), sha256Of('b')].sort().map((hex) => `picture ${hex}`);
      assert.deepEqual(await inGallery(), [`face ${sha256Of('c')}#1`, ...pictures]);
      await undoChange(db, BY, ONE, null);
      assert.deepEqual(await inGallery(), pictures);
      await undoChange(db, BY, ONE, null);
      assert.deepEqual(await inGallery(), [`picture ${sha256Of('a')}`]);
    });

    it('refuse media that were never scanned, and faces that no scan found', async () => {
      await createSeries(db, BY, ONE);
      await assert.rejects(addMedia(db, BY, ONE, [sha256Of('never')]), code('HW_SERIES_PART_NOT_FOUND'));
      const subject = { reference: 'V1', kind: 'victim', faces: [face('a', 7)] } as const;
      await assert.rejects(addSubject(db, BY, ONE, subject), code('HW_SERIES_PART_NOT_FOUND'));
      assert.deepEqual(await subjects('one'), []);
    });

    it('never give two faces of one picture to one subject, nor one face to two', async () => {
      await createSeries(db, BY, ONE);
      const both = { reference: 'V1', kind: 'victim', faces: [face('a', 0), face('a', 1)] } as const;
      await assert.rejects(addSubject(db, BY, ONE, both), code('HW_SERIES_FACES'));
      await addSubject(db, BY, ONE, { ...both, faces: [face('a', 0)] });
      await assert.rejects(addFaces(db, BY, ONE, 'V1', [face('a', 1)]), code('HW_SERIES_FACES'));
      const other = { reference: 'V2', kind: 'victim', faces: [face('a', 0)] } as const;
      await assert.rejects(addSubject(db, BY, ONE, other), code('HW_SERIES_FACES'));
      assert.deepEqual(await subjects('one'), [['V1', 'victim', 1]]);
    });

    it('take boxes of two detectors that cover each other for one face', async () => {
      const picture = await addPicture(db, 'twice detected', 2);
      await createSeries(db, BY, ONE);
      await addSubject(db, BY, ONE, { reference: 'V1', kind: 'victim', faces: [face('twice detected', 0)] });
      await addFace(db, picture, 0, 'ssd', 10);
      await addFace(db, picture, 1, 'ssd', 10);
      const sameFace = { reference: 'V2', kind: 'victim', faces: [face('twice detected', 0)] } as const;
      await assert.rejects(addSubject(db, BY, ONE, sameFace), code('HW_SERIES_FACES'));
      await assert.rejects(addFaces(db, BY, ONE, 'V1', [face('twice detected', 1)]), code('HW_SERIES_FACES'));
      await addFaces(db, BY, ONE, 'V1', [face('twice detected', 0)]);
      assert.deepEqual(await subjects('one'), [['V1', 'victim', 2]]);
    });

    it('refuse a subject reference that may be a name, without saying it again', async () => {
      await createSeries(db, BY, ONE);
      for (const reference of ['Anna', 'Anna Smith 2', '', 'V1\n', 'x'.repeat(101)]) {
        await assert.rejects(
          addSubject(db, BY, ONE, { reference, kind: 'victim', faces: [] }),
          (error: unknown) =>
            error instanceof Error &&
            'code' in error &&
            error.code === 'HW_SERIES_REFERENCE' &&
            !error.message.includes('Anna'),
          reference,
        );
      }
    });

    it('ask for the kind of a new subject, and keep that of one that is there', async () => {
      await createSeries(db, BY, ONE);
      await assert.rejects(addFaces(db, BY, ONE, 'V1', [face('a')]), code('HW_SERIES_PART_NOT_FOUND'));
      await addSubject(db, BY, ONE, { reference: 'V1', kind: 'victim', faces: [] });
      const suspect = { reference: 'V1', kind: 'suspect', faces: [face('a')] } as const;
      await assert.rejects(addSubject(db, BY, ONE, suspect), code('HW_SERIES_EXISTS'));
    });

    it('take the serial numbers of a camera out of what the file of a media says, and refuse fillers', async () => {
      await createSeries(db, BY, ONE);
      const capture = {
        make: 'Canon',
        model: 'EOS 5D',
        bodySerialNumber: '000123 4567A',
        lensSerialNumber: '0000000000',
      };
      await db.execute(
        `insert into fingerprint (media_id, pipeline_version, mode, outcome, capture) values ($1, 'test', 'exact', 'done', $2)
         on conflict do nothing`,
        [mediaId('d'), jsonParam(capture)],
      );
      await addCamera(db, BY, ONE, { reference: 'C1', fromSha256: sha256Of('d') });
      const [camera] = (await shown('one')).cameras;
      assert.deepEqual([camera?.make, camera?.bodySerial, camera?.lensSerial], ['Canon', '1234567A', null]);
      const filler = { reference: 'C2', make: 'Canon', model: null, bodySerial: '0000', lensSerial: 'none' };
      await assert.rejects(addCamera(db, BY, ONE, filler), code('HW_SERIES_CAMERA'));
      const same = { ...filler, bodySerial: '1234567a', make: 'CANON' };
      await assert.rejects(addCamera(db, BY, ONE, same), code('HW_SERIES_EXISTS'));
      const silent = { reference: 'C3', fromSha256: sha256Of('a') };
      await assert.rejects(addCamera(db, BY, ONE, silent), code('HW_SERIES_PART_NOT_FOUND'));
    });

    it('take every picture and video of a batch, by its number or its case and exhibit, and count what else it holds', async () => {
      const batchId = await openTestBatch(db);
      const text = await addPicture(db, 'a text', 0, 'text/plain');
      for (const [at, id] of [mediaId('a'), mediaId('b'), text].entries()) {
        await db.execute(
          `insert into item (batch_id, path_key, path, media_id, type, outcome) values ($1, $2, $2, $3, 'x', 'done')`,
          [batchId, Buffer.alloc(32, at + 1), id],
        );
      }
      await createSeries(db, BY, ONE);
      const added = await addBatch(db, BY, ONE, { batchId });
      assert.deepEqual([added.changed, added.unchanged, added.leftOut], [2, 0, 1]);
      const again = await addBatch(db, BY, ONE, { caseAndExhibit: 'case/exhibit' });
      assert.deepEqual([again.changeId, again.unchanged], [null, 2]);
      for (const batch of [{ batchId: 'no such' }, { caseAndExhibit: 'case/other' }])
        await assert.rejects(addBatch(db, BY, ONE, batch), code('HW_SERIES_PART_NOT_FOUND'));
      await db.execute('delete from batch where batch_id = $1', [batchId]);
    });

    it('of different sources are linked and never merged; those of one source merged and never linked', async () => {
      for (const one of [ONE, TWO, PARTNER]) await createSeries(db, BY, one);
      await assert.rejects(mergeSeries(db, BY, PARTNER, ONE), code('HW_SERIES_SOURCES'));
      await assert.rejects(linkSeries(db, LINKED, ONE, TWO), code('HW_SERIES_SOURCES'));
      await assert.rejects(linkSeries(db, { ...BY, reason: ' ' }, ONE, PARTNER), code('HW_USAGE'));
      await linkSeries(db, LINKED, ONE, PARTNER);
      await assert.rejects(linkSeries(db, LINKED, PARTNER, ONE), code('HW_SERIES_EXISTS'));
    });

    it('show what each source says side by side', async () => {
      for (const one of [ONE, PARTNER]) await createSeries(db, BY, one);
      await setVictimIdentified(db, BY, ONE, 'no');
      await setVictimIdentified(db, BY, PARTNER, 'yes');
      const setId = await addSet(db);
      await db.execute(
        `insert into known_record (set_id, series_id, sha256, flags)
         select $1, series_id, sha256(('record ' || flags)::bytea), flags from series, unnest('{0,1,3}'::int[]) as given(flags)
          where source = 'partner'`,
        [setId],
      );
      await linkSeries(db, LINKED, ONE, PARTNER);
      const [theirs, ours] = await showSeries(db, 'one', undefined);
      assert.deepEqual([ours?.source, ours?.victimIdentified], ['unit', 'no']);
      assert.deepEqual([theirs?.source, theirs?.victimIdentified], ['partner', 'yes']);
      const [said] = theirs?.recordsSay ?? [];
      assert.deepEqual([said?.victimIdentified, said?.victimNotIdentified, said?.notSaid], [1, 1, 1]);
      assert.deepEqual(
        ours?.links.map((link) => [link.other.source, link.otherVictimIdentified, link.reason]),
        [['partner', 'yes', 'same room']],
      );
      await unlinkSeries(db, BY, PARTNER, ONE);
      assert.deepEqual((await shown('one')).links, []);
      await undoChange(db, BY, ONE, null);
      assert.equal((await shown('one')).links.length, 1);
      await db.execute('delete from known_record where set_id = $1', [setId]);
    });

    it('that came with the hash set of somebody else are theirs to change', async () => {
      await db.execute(`insert into series (source, name) values ('partner', 'received'), ('unit', 'own')`);
      const received = { name: 'received' };
      await assert.rejects(addMedia(db, BY, received, [sha256Of('a')]), code('HW_SERIES_FOREIGN'));
      await addMedia(db, BY, { name: 'own' }, [sha256Of('a')]);
    });

    it('are found by name in the unit first, and refused where two other sources use it', async () => {
      await createSeries(db, BY, PARTNER);
      await createSeries(db, BY, { name: 'one', source: 'third' });
      await assert.rejects(addMedia(db, BY, ONE, [sha256Of('a')]), code('HW_SERIES_AMBIGUOUS'));
      await createSeries(db, BY, ONE);
      await addMedia(db, BY, ONE, [sha256Of('a')]);
      assert.equal((await shown('one')).media, 1);
      await assert.rejects(createSeries(db, BY, ONE), code('HW_SERIES_EXISTS'));
      await assert.rejects(addMedia(db, BY, { name: 'none' }, []), code('HW_SERIES_NOT_FOUND'));
    });

    it('when merged, keep subjects of the same reference apart unless a person says that they are one', async () => {
      for (const [series, name] of [
        [ONE, 'a'],
        [TWO, 'b'],
      ] as const) {
        await createSeries(db, BY, series);
        await addSubject(db, BY, series, { reference: 'V1', kind: 'victim', faces: [face(name)] });
      }
      const state = await seriesRows(db);
      const { partId } = await mergeSeries(db, BY, TWO, ONE);
      assert.deepEqual(await subjects('one'), [
        ['V1', 'victim', 1],
        [`V1/${partId}`, 'victim', 1],
      ]);
      assert.deepEqual((await shown('two')).mergedInto?.name, 'one');
      await assert.rejects(addMedia(db, BY, TWO, [sha256Of('a')]), code('HW_SERIES_MERGED'));
      await undoChange(db, BY, TWO, null);
      assert.deepEqual(await seriesRows(db), state);
      await mergeSeries(db, BY, TWO, ONE, [{ from: 'V1', into: 'V1' }]);
      assert.deepEqual(await subjects('one'), [['V1', 'victim', 2]]);
      await undoChange(db, BY, ONE, null);
      assert.deepEqual(await seriesRows(db), state);
    });

    it('are not merged where two subjects that are said to be one are in one picture', async () => {
      for (const [series, ordinal] of [
        [ONE, 0],
        [TWO, 1],
      ] as const) {
        await createSeries(db, BY, series);
        await addSubject(db, BY, series, { reference: 'V1', kind: 'victim', faces: [face('a', ordinal)] });
      }
      const state = await seriesRows(db);
      await assert.rejects(mergeSeries(db, BY, TWO, ONE, [{ from: 'V1', into: 'V1' }]), code('HW_SERIES_FACES'));
      assert.deepEqual(await seriesRows(db), state);
    });

    it('when split, give what is named to a new series and keep the rest', async () => {
      await createSeries(db, BY, ONE);
      await addMedia(db, BY, ONE, [sha256Of('a'), sha256Of('b')]);
      for (const [reference, name] of [
        ['V1', 'a'],
        ['V2', 'b'],
      ] as const)
        await addSubject(db, BY, ONE, { reference, kind: 'victim', faces: [face(name)] });
      await addPlace(db, BY, ONE, { reference: 'P1', media: [sha256Of('b')] });
      const state = await seriesRows(db);
      const parts = { media: [sha256Of('b')], subjects: ['V2'], places: ['P1'], cameras: [] };
      await splitSeries(db, BY, ONE, 'part', parts);
      assert.deepEqual(await subjects('one'), [['V1', 'victim', 1]]);
      assert.deepEqual(await subjects('part'), [['V2', 'victim', 1]]);
      assert.deepEqual([(await shown('one')).media, (await shown('part')).media], [1, 1]);
      assert.equal((await shown('part')).places.length, 1);
      await assert.rejects(splitSeries(db, BY, ONE, 'more', parts), code('HW_SERIES_PART_NOT_FOUND'));
      const nothing = { media: [], subjects: [], places: [], cameras: [] };
      await assert.rejects(splitSeries(db, BY, ONE, 'more', nothing), code('HW_USAGE'));
      await undoChange(db, BY, { name: 'part' }, null);
      assert.deepEqual(await seriesRows(db), state);
    });

    it('refuse to undo what later changes rest on, and name those', async () => {
      await createSeries(db, BY, ONE);
      const made = await addSubject(db, BY, ONE, { reference: 'V1', kind: 'victim', faces: [] });
      const media = await addMedia(db, BY, ONE, [sha256Of('a')]);
      const faces = await addFaces(db, BY, ONE, 'V1', [face('a')]);
      await assert.rejects(
        undoChange(db, BY, ONE, made.changeId),
        (error: unknown) => error instanceof Error && error.message.includes(`change ${faces.changeId} (add faces`),
      );
      await undoChange(db, BY, ONE, media.changeId);
      await assert.rejects(undoChange(db, BY, ONE, media.changeId), code('HW_SERIES_UNDO'));
      await assert.rejects(undoChange(db, BY, ONE, 999_999), code('HW_SERIES_PART_NOT_FOUND'));
      await undoChange(db, BY, ONE, null);
      await undoChange(db, BY, ONE, null);
      assert.deepEqual(await subjects('one'), []);
    });

    it('refuse to undo a split of a series that was merged since, which would put things back into a mere name', async () => {
      for (const one of [ONE, TWO]) await createSeries(db, BY, one);
      await addSubject(db, BY, ONE, { reference: 'V1', kind: 'victim', faces: [] });
      const parts = { media: [], subjects: ['V1'], places: [], cameras: [] };
      const split = await splitSeries(db, BY, ONE, 'part', parts);
      const merge = await mergeSeries(db, BY, ONE, TWO);
      await assert.rejects(
        undoChange(db, BY, { name: 'part' }, split.changeId),
        (error: unknown) => error instanceof Error && error.message.includes(`change ${merge.changeId} (merge`),
      );
      await undoChange(db, BY, ONE, merge.changeId);
      await undoChange(db, BY, { name: 'part' }, split.changeId);
      assert.deepEqual(await subjects('one'), [['V1', 'victim', 0]]);
    });

    it('withdraw evidence that rested on what was taken out, and its open lead, but no decision', async () => {
      await createSeries(db, BY, ONE);
      const { partId, seriesId } = await addSubject(db, BY, ONE, {
        reference: 'V1',
        kind: 'victim',
        faces: [face('a')],
      });
      await addMedia(db, BY, ONE, [sha256Of('b')]);
      const known = { knownFaceId: await faceId('a', 0), subjectId: partId ?? assert.fail(), seriesId };
      await addEvidence(db, { mediaId: mediaId('c'), method: 'face', ...known });
      await addEvidence(db, { mediaId: mediaId('d'), method: 'face', ...known });
      await addEvidence(db, { mediaId: mediaId('d'), method: 'copy', knownMediaId: mediaId('b'), seriesId });
      const undone = await undoChange(db, BY, ONE, null);
      assert.equal(undone.evidenceWithdrawn, 1);
      assert.deepEqual(
        (await evidence()).map((one) => one.withdrawn),
        [false, false, true],
      );
      assert.deepEqual(
        (await leads()).map((one) => one.state),
        ['open', 'open'],
      );
      await db.execute(`update lead set state = 'confirmed' where media_id = $1`, [mediaId('c')]);
      await undoChange(db, BY, ONE, null);
      assert.deepEqual(
        (await evidence()).map((one) => one.withdrawn),
        [true, true, true],
      );
      assert.deepEqual(
        (await leads()).map((one) => one.state),
        ['confirmed', 'withdrawn'],
      );
      // Evidence was recorded against the series: it cannot go without leaving that in the air.
      await assert.rejects(undoChange(db, BY, ONE, null), code('HW_SERIES_UNDO'));
    });

    it('take evidence and leads along when they are merged or split, and back when that is undone', async () => {
      const one = await createSeries(db, BY, ONE);
      const two = await createSeries(db, BY, TWO);
      await addSubject(db, BY, ONE, { reference: 'V1', kind: 'victim', faces: [face('b')] });
      const { partId } = await addSubject(db, BY, TWO, { reference: 'V1', kind: 'victim', faces: [face('a')] });
      await addEvidence(db, {
        mediaId: mediaId('c'),
        method: 'face',
        knownFaceId: await faceId('a', 0),
        subjectId: partId ?? assert.fail(),
        seriesId: two.seriesId,
      });
      const before = await evidence();
      await mergeSeries(db, BY, TWO, ONE, [{ from: 'V1', into: 'V1' }]);
      const [moved] = await evidence();
      assert.deepEqual(
        [moved?.series_id, moved?.subject_id === partId, moved?.withdrawn],
        [one.seriesId, false, false],
      );
      assert.deepEqual(await leads(), [{ series_id: one.seriesId, state: 'open' }]);
      await undoChange(db, BY, ONE, null);
      assert.deepEqual(await evidence(), before);
      assert.deepEqual(await leads(), [{ series_id: two.seriesId, state: 'open' }]);
      const parts = { media: [], subjects: ['V1'], places: [], cameras: [] };
      const split = await splitSeries(db, BY, TWO, 'part', parts);
      assert.deepEqual(await leads(), [{ series_id: split.partId, state: 'open' }]);
      await undoChange(db, BY, TWO, null);
      assert.deepEqual(await evidence(), before);
    });
  });
}
