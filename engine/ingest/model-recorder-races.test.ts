import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Embedding } from '../../schemas/embedding.ts';
import { PictureScan, seen, sha256OfPicture } from '../../test/model-match-kit.ts';
import { stoppingBeforeCommit, waitingForLocks } from '../../test/race-kit.ts';
import { needsServer, openTestServerDb, STORE_ENGINES } from '../../test/store-engines.ts';
import type { VectorSearch } from '../search/vector-search.ts';
import { addMedia, addSubject } from '../series/add.ts';
import { changeSeries } from '../series/change.ts';
import { mergeSeries, splitSeries } from '../series/combine.ts';
import { createSeries } from '../series/create.ts';
import { undoChange } from '../series/undo.ts';
import { openServer } from '../store/adapters/pg.ts';
import type { Db } from '../store/db.ts';
import { bool, integer, nullable, row, text } from '../store/row-shape.ts';

const BY = { actor: 'A. Examiner', organisation: 'unit' };

/** Pictures and series of names that no other test has, and what is in the tables about them. */
class Ground {
  static #made = 0;
  readonly db: Db;
  readonly #number: number;

  constructor(db: Db) {
    this.db = db;
    Ground.#made += 1;
    this.#number = Ground.#made;
  }

  named(name: string): string {
    return `${name} ${this.#number}`;
  }

  series(name: string) {
    return { name: this.named(name) };
  }

  face(name: string, ordinal = 0) {
    return { sha256: sha256OfPicture(this.named(name)), ordinal };
  }

  async addMedia(db: Db, series: string, picture: string) {
    return await addMedia(db, BY, this.series(series), [sha256OfPicture(this.named(picture))]);
  }

  /** Series and subject of the evidence in force of a media. */
  async evidence(mediaId: number): Promise<string[]> {
    const found = await this.db.read(
      row({ series: text, subject: nullable(text) }),
      `select s.name as series, u.reference as subject from model_match v
         join series s on s.series_id = v.series_id left join subject u on u.subject_id = v.subject_id
        where v.media_id = $1 and v.withdrawn_at is null order by v.match_id`,
      [mediaId],
    );
    return found.map(({ series, subject }) => (subject === null ? series : `${series} ${subject}`));
  }

  async leads(mediaId: number): Promise<string[]> {
    const found = await this.db.read(
      row({ lead: text }),
      `select s.name || ' ' || l.state as lead from lead l join series s on s.series_id = l.series_id where l.media_id = $1`,
      [mediaId],
    );
    return found.map((one) => one.lead).sort();
  }

  async inGallery(table: 'picture_vector' | 'face_vector', mediaId: number): Promise<boolean[]> {
    const found = await this.db.read(
      row({ inGallery: bool }),
      table === 'picture_vector'
        ? 'select in_gallery from picture_vector where media_id = $1'
        : 'select v.in_gallery from face_vector v join face f on f.face_id = v.face_id where f.media_id = $1',
      [mediaId],
    );
    return found.map((one) => one.inGallery);
  }
}

const V1_ALONE = { subjects: ['V1'], places: [], cameras: [], media: [] };

/** A series `one` with a subject by face; the person is the number of the scene. */
async function known(scan: PictureScan, person: number): Promise<Ground> {
  const ground = new Ground(scan.db);
  await createSeries(scan.db, BY, ground.series('one'));
  await scan.scan(ground.named('known'), seen({}, [person]));
  const faces = [ground.face('known')];
  await addSubject(scan.db, BY, ground.series('one'), { reference: 'V1', kind: 'victim', faces });
  return ground;
}

for (const engine of STORE_ENGINES) {
  describe(`series that change while a group is matched on ${engine.name}`, engine.options, () => {
    let db: Db;
    let scan: PictureScan;
    let searches = 0;
    /** Done once, after faces were searched and pictures of the whole were, which have not been answered yet. */
    let meanwhile: (() => Promise<unknown>) | null = null;
    const around = (search: VectorSearch): VectorSearch => ({
      description: search.description,
      size: async (spaces, scope) => await search.size(spaces, scope),
      close: async () => await search.close(),
      nearest: async (spaces, queries, options) => {
        const found = await search.nearest(spaces, queries, options);
        searches += 1;
        if (spaces[0]?.space.kind !== 'copyEmbedding') return found;
        const work = meanwhile;
        meanwhile = null;
        await work?.();
        return found;
      },
    });
    before(async () => {
      db = await engine.open();
      scan = await PictureScan.open(db, around);
      // The gallery has something in it, so that there is something to search from the first test on.
      await createSeries(db, BY, { name: 'ground' });
      await scan.scan('ground', seen({ whole: 15 }, [15]));
      await addMedia(db, BY, { name: 'ground' }, [sha256OfPicture('ground')]);
      await addSubject(
        db,
        BY,
        { name: 'ground' },
        {
          reference: 'V0',
          kind: 'victim',
          faces: [{ sha256: sha256OfPicture('ground'), ordinal: 0 }],
        },
      );
    });
    after(async () => {
      await scan.close();
      await db.close();
    });

    it('find what was added', async () => {
      const ground = new Ground(db);
      await createSeries(db, BY, ground.series('one'));
      await scan.scan(ground.named('known'), seen({ whole: 1 }));
      meanwhile = async () => await ground.addMedia(db, 'one', 'known');
      const mediaId = await scan.scan(ground.named('copy'), seen({ whole: 1 }));
      assert.deepEqual(await ground.evidence(mediaId), [ground.named('one')]);
    });

    it('find a subject where it was moved to', async () => {
      const ground = await known(scan, 2);
      meanwhile = async () => await splitSeries(db, BY, ground.series('one'), ground.named('two'), V1_ALONE);
      const mediaId = await scan.scan(ground.named('found'), seen({ whole: 14 }, [2]));
      assert.deepEqual(await ground.evidence(mediaId), [`${ground.named('two')} V1`]);
      assert.deepEqual(await ground.leads(mediaId), [`${ground.named('two')} open`]);
    });

    it('find the series that one was merged into', async () => {
      const ground = await known(scan, 3);
      await createSeries(db, BY, ground.series('two'));
      meanwhile = async () => await mergeSeries(db, BY, ground.series('one'), ground.series('two'));
      const mediaId = await scan.scan(ground.named('found'), seen({ whole: 14 }, [3]));
      assert.deepEqual(await ground.evidence(mediaId), [`${ground.named('two')} V1`]);
      assert.deepEqual(await ground.leads(mediaId), [`${ground.named('two')} open`]);
    });

    it('find nothing in what was taken out again', async () => {
      const ground = await known(scan, 4);
      meanwhile = async () => await undoChange(db, BY, ground.series('one'), null);
      const mediaId = await scan.scan(ground.named('found'), seen({ whole: 14 }, [4]));
      assert.deepEqual([await ground.evidence(mediaId), await ground.leads(mediaId)], [[], []]);
    });

    it('are not searched again where nothing changed', async () => {
      const ground = new Ground(db);
      const before = searches;
      await scan.scan(ground.named('one'), seen({ whole: 5 }));
      const once = searches - before;
      meanwhile = async () => await createSeries(db, BY, ground.series('one'));
      await scan.scan(ground.named('two'), seen({ whole: 5 }));
      assert.deepEqual([once > 0, searches - before], [true, 3 * once]);
    });
  });
}

describe('recording beside a change of series on another connection', { ...needsServer, timeout: 120_000 }, () => {
  let db: Db;
  let other: Db;
  let scan: PictureScan;
  before(async () => {
    const server = await openTestServerDb();
    db = server.db;
    other = await openServer({ url: server.url });
    scan = await PictureScan.open(db);
  });
  after(async () => {
    await scan.close();
    await other.close();
    await db.close();
  });

  /**
   * Records a picture on a connection that stops just before it commits vectors or evidence (`leads`), begins a change on the other one,
   * which has to wait, and lets both end.
   */
  async function recordBefore<T>(
    at: 'vectors' | 'leads',
    picture: { readonly mediaId: number; readonly name: string; readonly embedding: Embedding },
    change: () => Promise<T>,
  ): Promise<T> {
    const { mediaId, name, embedding } = picture;
    const stopped = stoppingBeforeCommit(db, (made) => typeof made === 'object' && made !== null && at in made);
    const stopping = await PictureScan.open(stopped.db);
    const recording = stopping.recorder.record([{ mediaId, sha256: sha256OfPicture(name), embedding }]);
    await stopped.written;
    const changing = change();
    try {
      await waitingForLocks(other);
    } finally {
      stopped.commit();
    }
    const [changed] = await Promise.all([changing, recording]);
    await stopping.close();
    return changed;
  }

  it('has in the gallery the vectors of pictures that became known while they were recorded', async () => {
    const ground = new Ground(db);
    await createSeries(db, BY, ground.series('one'));
    const mediaId = await scan.media(ground.named('known'));
    const begun = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const changing = changeSeries(other, BY, 'add media', async (draft) => {
      const [series] = await draft.tx.read(row({ seriesId: integer }), 'select series_id from series where name = $1', [
        ground.named('one'),
      ]);
      const seriesId = series?.seriesId ?? assert.fail('no series');
      draft.concerns(seriesId);
      await draft.attach('series_media', seriesId, [mediaId]);
      begun.resolve();
      await go.promise;
      return {};
    });
    await begun.promise;
    const embedding = seen({ whole: 6, centre: 7 });
    const recording = scan.recorder.record([{ mediaId, sha256: sha256OfPicture(ground.named('known')), embedding }]);
    try {
      await waitingForLocks(other);
    } finally {
      go.resolve();
    }
    await Promise.all([changing, recording]);
    assert.deepEqual(await ground.inGallery('picture_vector', mediaId), [true, true]);
    const copy = await scan.scan(ground.named('copy'), seen({ whole: 7 }));
    assert.deepEqual(await ground.evidence(copy), [ground.named('one')]);
  });

  it('lets a change that comes a moment later see the vectors', async () => {
    const ground = new Ground(db);
    await createSeries(db, BY, ground.series('one'));
    const name = ground.named('known');
    const mediaId = await scan.media(name);
    await recordBefore(
      'vectors',
      { mediaId, name, embedding: seen({ whole: 8 }) },
      async () => await ground.addMedia(other, 'one', 'known'),
    );
    assert.deepEqual(await ground.inGallery('picture_vector', mediaId), [true]);
  });

  it('leaves no evidence and no open lead of a face that is taken out right after they were recorded', async () => {
    const ground = await known(scan, 9);
    const name = ground.named('found');
    const mediaId = await scan.media(name);
    const undone = await recordBefore(
      'leads',
      { mediaId, name, embedding: seen({}, [9]) },
      async () => await undoChange(other, BY, ground.series('one'), null),
    );
    assert.deepEqual(
      [undone.evidenceWithdrawn, await ground.evidence(mediaId), await ground.leads(mediaId)],
      [1, [], [`${ground.named('one')} withdrawn`]],
    );
  });

  it('moves with its subject the lead that was recorded a moment before', async () => {
    const ground = await known(scan, 10);
    const name = ground.named('found');
    const mediaId = await scan.media(name);
    await recordBefore(
      'leads',
      { mediaId, name, embedding: seen({}, [10]) },
      async () => await splitSeries(other, BY, ground.series('one'), ground.named('two'), V1_ALONE),
    );
    assert.deepEqual(
      [await ground.evidence(mediaId), await ground.leads(mediaId)],
      [[`${ground.named('two')} V1`], [`${ground.named('two')} open`]],
    );
  });
});
