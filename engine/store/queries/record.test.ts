import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { Compile } from 'typebox/compile';
import { Examination } from '../../../schemas/fingerprint.ts';
import { STORE_ENGINES } from '../../../test/store-engines.ts';
import type { Db } from '../db.ts';
import { integer, row } from '../row-shape.ts';
import { findBatch, finishHashesStage, listRecordedPathKeys, openBatch, recordedPlaces } from './batch.ts';
import { type NewItem, recordItems } from './record-items.ts';
import { findDigestMatches, recordMatches } from './record-matches.ts';

function examinationOf(content: string, changes: Partial<Examination> = {}): Examination {
  const digest = (name: string): string => createHash(name).update(content).digest('hex');
  const dihedral = Array.from({ length: 8 }, (_, at) => digest('sha256').slice(at).padEnd(64, '0'));
  const hex = dihedral[0] ?? '';
  return {
    outcome: 'done',
    reason: null,
    type: 'image/jpeg',
    sizeBytes: content.length,
    digests: { md5: digest('md5'), sha1: digest('sha1'), sha256: digest('sha256') },
    trailingBytes: 0,
    picture: {
      widthPixels: 640,
      heightPixels: 480,
      decoder: 'test',
      mode: 'exact',
      reductionFactor: 1,
      frames: 1,
      pdq: [
        { flavour: 'pdq-512', hex, quality: 80, dihedral },
        { flavour: 'pdq-full', hex, quality: 81, dihedral },
      ],
      blockhash: { variant: 'blockhash-256-r512', hex },
    },
    capture: null,
    ...changes,
  };
}

function itemAt(place: string, examination: Examination): NewItem {
  return {
    pathKey: createHash('sha256').update(place).digest(),
    path: Buffer.from(place, 'latin1'),
    containerPathKey: null,
    modifiedAt: '2024-05-06T07:08:09.123Z',
    examination,
  };
}

const FAILED: Partial<Examination> = {
  outcome: 'failed',
  reason: { code: 'hostCrashed', detail: 'twice' },
  picture: null,
};

for (const engine of STORE_ENGINES) {
  describe(`recording on ${engine.name}`, engine.options, () => {
    let db: Db;
    before(async () => {
      db = await engine.open();
    });
    after(async () => await db.close());

    const newBatch = async (identity = randomBytes(32)) =>
      await openBatch(db, {
        identity,
        caseRef: 'case',
        exhibitRef: 'exhibit',
        organisation: 'unit',
        actor: 'tester',
        mode: 'exact',
        roots: ['/evidence'],
        pipelineVersion: 'test',
        startedAt: '2026-01-02T03:04:05.000Z',
      });
    const record = async (batchId: string, items: readonly NewItem[]) =>
      await db.transaction(async (tx) => await recordItems(tx, batchId, { mode: 'exact', searchedChangeId: 0 }, items));
    const counts = async (batchId: string) =>
      await db.query('select count(*) as items, count(distinct media_id) as media from item where batch_id = $1', [
        batchId,
      ]);

    it('finds a batch again by what was scanned, with its first start', async () => {
      const first = await newBatch(Buffer.alloc(32, 7));
      assert.equal(first.existed, false);
      await finishHashesStage(db, first.batchId, 'interrupted', '2026-01-02T04:00:00.000Z');
      const second = await newBatch(Buffer.alloc(32, 7));
      assert.deepEqual(
        { ...second, existed: null },
        { ...first, existed: null, hashesStage: 'interrupted', finishedAt: '2026-01-02T04:00:00.000Z' },
      );
      assert.equal(second.existed, true);
      assert.equal(await findBatch(db, randomBytes(32)), null);
    });

    it('keeps one media for one content, however many places hold it, and adds nothing the second time', async () => {
      const { batchId } = await newBatch();
      const items = [
        itemAt('a', examinationOf('same')),
        itemAt('b', examinationOf('same')),
        itemAt('c', examinationOf('other')),
      ];
      const first = await record(batchId, items);
      assert.equal(first.newItems, 3);
      assert.equal(first.newMedia, 2);
      assert.equal(first.mediaIds[0], first.mediaIds[1]);
      const second = await record(batchId, items);
      assert.deepEqual(second, { mediaIds: first.mediaIds, newItems: 0, newMedia: 0, remade: [] });
      assert.deepEqual(await counts(batchId), [{ items: 3, media: 2 }]);
    });

    it('records what changed in place as a second item', async () => {
      const { batchId } = await newBatch();
      await record(batchId, [itemAt('changing', examinationOf('before'))]);
      await record(batchId, [itemAt('changing', examinationOf('after'))]);
      assert.deepEqual(await counts(batchId), [{ items: 2, media: 2 }]);
    });

    it('lets a success take the place of a failure, and never the other way round', async () => {
      const { batchId } = await newBatch();
      const content = randomBytes(8).toString('hex');
      await record(batchId, [itemAt('once', examinationOf(content, FAILED))]);
      await record(batchId, [itemAt('once', examinationOf(content))]);
      await record(batchId, [itemAt('once', examinationOf(content, FAILED))]);
      const [found] = await db.query<{ items: number; outcome: string; fingerprint: string; width: number }>(
        `select count(*) over () as items, i.outcome, f.outcome as fingerprint, f.width_pixels as width
           from item i join fingerprint f using (media_id) where i.batch_id = $1`,
        [batchId],
      );
      assert.deepEqual(found, { items: 1, outcome: 'done', fingerprint: 'done', width: 640 });
    });

    it('takes file names that are no text and reasons that hold NUL, with the rest of their group', async () => {
      const { batchId } = await newBatch();
      const hostile = examinationOf('hostile', {
        outcome: 'partial',
        reason: { code: 'decoderWarning', detail: 'a\0b\ud800c' },
        capture: {
          make: 'x\0\udfff',
          model: null,
          bodySerialNumber: null,
          lensModel: null,
          lensSerialNumber: null,
          software: null,
          capturedAt: null,
          gps: null,
          exifOrientation: null,
          thumbnailMismatch: null,
          syntheticTraces: [],
        },
      });
      const group = await record(batchId, [
        itemAt('\0\xff\xfe"\\{,}', hostile),
        itemAt('plain', examinationOf('plain')),
      ]);
      assert.equal(group.newItems, 2);
      const [found] = await db.query<{ path: Buffer; reason_detail: string; make: string }>(
        `select i.path, i.reason_detail, f.capture->>'make' as make from item i join fingerprint f using (media_id)
          where i.batch_id = $1 and i.outcome = 'partial'`,
        [batchId],
      );
      assert.deepEqual(found, {
        path: Buffer.from('\0\xff\xfe"\\{,}', 'latin1'),
        reason_detail: 'a\ufffdb\ufffdc',
        make: 'x\ufffd\ufffd',
      });
    });

    it('takes the largest examination that the schema lets through', async () => {
      const longest = (length: number): string => '\u{1f50d}'.repeat(length);
      const largest = examinationOf('largest', {
        outcome: 'partial',
        reason: { code: 'decoderWarning', detail: longest(300) },
        type: longest(100),
        sizeBytes: Number.MAX_SAFE_INTEGER,
        trailingBytes: Number.MAX_SAFE_INTEGER,
        capture: {
          make: longest(200),
          model: longest(200),
          bodySerialNumber: longest(200),
          lensModel: longest(200),
          lensSerialNumber: longest(200),
          software: longest(200),
          capturedAt: longest(40),
          gps: { latitudeDegrees: -90, longitudeDegrees: 180, altitudeMetres: Number.MAX_VALUE },
          exifOrientation: 8,
          thumbnailMismatch: true,
          syntheticTraces: Array.from({ length: 16 }, () => ({
            kind: 'digitalSourceType' as const,
            detail: longest(200),
          })),
        },
      });
      assert.ok(largest.picture);
      largest.picture.decoder = longest(80);
      largest.picture.widthPixels = 1_000_000_000;
      largest.picture.frames = 1_000_000;
      assert.equal(Compile(Examination).Check(largest), true, 'the examination is larger than the schema allows');
      const { batchId } = await newBatch();
      assert.equal((await record(batchId, [itemAt('largest', largest)])).newItems, 1);
    });

    it('says what is recorded of a place, and lists every place once', async () => {
      const { batchId } = await newBatch();
      const items = Array.from({ length: 30 }, (_, at) => itemAt(`place ${at}`, examinationOf(`content ${at % 7}`)));
      await record(batchId, items);
      const listed: string[] = [];
      for await (const key of listRecordedPathKeys(db, batchId)) listed.push(key.toString('hex'));
      assert.deepEqual(listed, items.map((item) => Buffer.from(item.pathKey).toString('hex')).sort());
      const places = await recordedPlaces(db, batchId, [
        ...items.slice(0, 2).map((item) => item.pathKey),
        randomBytes(32),
      ]);
      assert.equal(places.size, 2);
      assert.deepEqual([...places.values()][0], {
        pathKey: [...places.values()][0] && Buffer.from(items[0]?.pathKey ?? ''),
        outcome: 'done',
        sizeBytes: 9,
        modifiedAt: '2024-05-06T07:08:09.123Z',
        remake: false,
      });
    });

    it('matches by the strongest digest a record has, and never the empty file or a withdrawn set', async () => {
      const [inForce, removed] = await db.read(
        row({ setId: integer }),
        `insert into hash_set (source, name, version, content_sha256, format, category_scheme, state, imported_by)
         select 'unit', name, 1, sha256('x'), 'csv', 'unspecified', state, 'tester'
           from (values ('in force', 'active'), ('removed', 'removed')) as s(name, state) returning set_id`,
      );
      const digests = (content: string) => {
        const { md5 = '', sha1 = '', sha256 = '' } = examinationOf(content).digests ?? {};
        return { md5: Buffer.from(md5, 'hex'), sha1: Buffer.from(sha1, 'hex'), sha256: Buffer.from(sha256, 'hex') };
      };
      const add = async (
        key: string,
        setId: number | undefined,
        known: { md5?: Buffer; sha1?: Buffer; sha256?: Buffer },
      ) =>
        await db.execute(
          'insert into known_record (set_id, source_key, md5, sha1, sha256, category_code) values ($1, $2, $3, $4, $5, $6)',
          [setId ?? 0, key, known.md5 ?? null, known.sha1 ?? null, known.sha256 ?? null, '1'],
        );
      const [wanted, empty] = [digests('wanted'), digests('')];
      await add('all three', inForce?.setId, wanted);
      await add('md5 alone', inForce?.setId, { md5: wanted.md5 });
      await add('sha1 before md5', inForce?.setId, { md5: wanted.md5, sha1: wanted.sha1 });
      await add('same md5, other sha256', inForce?.setId, { md5: wanted.md5, sha256: digests('forged').sha256 });
      await add('the empty file', inForce?.setId, empty);
      await add('withdrawn', removed?.setId, wanted);
      const { batchId } = await newBatch();
      const { mediaIds } = await record(batchId, [
        itemAt('w', examinationOf('wanted')),
        itemAt('e', examinationOf('')),
        itemAt('n', examinationOf('unknown')),
      ]);
      const ids = mediaIds.filter((id) => id !== null);
      const found = await findDigestMatches(db, ids);
      const keys = await db.query<{ record_id: number; source_key: string }>(
        'select record_id, source_key from known_record',
      );
      const named = found.map(
        (match) =>
          `${match.mediaId === ids[0]} ${match.method} ${keys.find((key) => key.record_id === match.recordId)?.source_key}`,
      );
      assert.deepEqual(named.sort(), ['true md5 md5 alone', 'true sha1 sha1 before md5', 'true sha256 all three']);
      const written = async () =>
        await db.transaction(async (tx) => (await recordMatches(tx, { mode: 'exact' }, found)).length);
      assert.equal(await written(), 3);
      assert.equal(await written(), 0);
    });
  });
}
