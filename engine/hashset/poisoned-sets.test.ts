import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Examination } from '../../schemas/fingerprint.ts';
import type { KnownRecord } from '../../schemas/known-record.ts';
import { examinedPicture } from '../../test/batch-kit.ts';
import { emptyRecord, joined, streamOf } from '../../test/hash-set-kit.ts';
import { turned } from '../../test/known-set-kit.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import { Recorder } from '../ingest/recorder.ts';
import { explainMatch } from '../leads/explain.ts';
import { listLeads } from '../leads/queue.ts';
import { PgvectorScan } from '../search/pgvector-scan.ts';
import type { Db } from '../store/db.ts';
import { openBatch } from '../store/queries/batch.ts';
import { integer, nullable, row, text } from '../store/row-shape.ts';
import { dryRunSet } from './dry-run.ts';
import { writeSet } from './formats/writer.ts';
import { type ImportRequest, importSetFile } from './import.ts';
import { dropHeld, holdBack, releaseSet } from './into-force.ts';
import { listSets } from './sets.ts';
import { createStageTables, stageTables } from './stage-tables.ts';
import { listSuspended, resumeRecord } from './suspend.ts';

const digest = (algorithm: string, name: string) => createHash(algorithm).update(name).digest('hex');
const digestsOf = (name: string) => ({
  md5: digest('md5', name),
  sha1: digest('sha1', name),
  sha256: digest('sha256', name),
});
const hashOf = (name: string) => createHash('sha256').update(`bits ${name}`).digest();
const first = (count: number) => Array.from({ length: count }, (_, bit) => bit * 3);
const pdq = (bits: Uint8Array) => [
  { algorithm: 'pdq' as const, flavour: 'pdq-512' as const, hex: Buffer.from(bits).toString('hex'), quality: 90 },
];

/** A picture with this PDQ; its content is named by `name`. */
function pictureOf(name: string, bits: Uint8Array): Examination {
  const hex = Buffer.from(bits).toString('hex');
  const other = hashOf(`${name} turned`).toString('hex');
  const dihedral = [hex, ...Array.from({ length: 7 }, () => other)];
  return {
    ...examinedPicture({ pdq: [{ flavour: 'pdq-512', hex, quality: 90, dihedral }], blockhash: null }),
    sizeBytes: 1_000,
    digests: digestsOf(name),
    trailingBytes: null,
    capture: null,
  };
}

for (const engine of STORE_ENGINES) {
  describe(`poisoned and careless sets on ${engine.name}`, engine.options, () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'homeward-poisoned-'));
    const { signal } = new AbortController();
    let files = 0;
    let db: Db;
    before(async () => {
      db = await engine.open();
    });
    after(async () => {
      await db.close();
      rmSync(folder, { recursive: true });
    });

    async function fileOf(...records: Partial<KnownRecord>[]): Promise<string> {
      const file = path.join(folder, `${++files}.ndjson`);
      writeFileSync(file, await joined(writeSet('ndjson', streamOf(records.map(emptyRecord)), 'vic-us')));
      return file;
    }
    const imported = async (name: string, records: Partial<KnownRecord>[], more: Partial<ImportRequest> = {}) =>
      await importSetFile(db, {
        file: await fileOf(...records),
        name,
        source: 'Project',
        importedBy: 'tester',
        signal,
        ...more,
      });

    /** Records these pictures as found in an exhibit of this case. */
    async function scanned(caseRef: string, ...pictures: Examination[]): Promise<Recorder> {
      const { batchId } = await openBatch(db, {
        identity: createHash('sha256').update(`${caseRef} ${++files}`).digest(),
        caseRef,
        exhibitRef: '1',
        organisation: 'unit',
        actor: 'tester',
        mode: 'exact',
        roots: ['/evidence'],
        pipelineVersion: 'test',
        startedAt: new Date().toISOString(),
      });
      const recorder = new Recorder(db, new PgvectorScan(db), { batchId, mode: 'exact' }, { suspendAfterCases: 5 });
      const rows = pictures.map((examination, at) => {
        const place = Buffer.from(`/evidence/${++files}/${at}`);
        const pathKey = createHash('sha256').update(place).digest();
        return { path: place, pathKey, containerPathKey: null, modifiedAt: null, examination };
      });
      await recorder.record(rows);
      return recorder;
    }
    const EVIDENCE = row({
      id: text,
      method: text,
      distance: integer,
      threshold: integer,
      standing: text,
      contradicted: nullable(integer),
    });
    const evidenceOf = async (name: string) =>
      await db.read(
        EVIDENCE,
        `select 'm' || t.match_id as id, t.method, t.distance_bits as distance, t.threshold_bits as threshold,
                case when t.withdrawn_at is null then 'in force' else 'withdrawn' end as standing,
                t.contradicted_distance_bits as contradicted
           from match t join media m on m.media_id = t.media_id where m.sha256 = decode($1, 'hex') order by t.match_id`,
        [digestsOf(name).sha256],
      );
    const openLeads = async (series: string) => await listLeads(db, { viewer: 'A', series, most: 10 });

    it('suspends a record at the case too many, withdraws its evidence, and resumes it for good', async () => {
      const bits = hashOf('logo');
      await imported('logos', [{ bits: pdq(bits), series: 'of logos', sourceKey: 'L1' }]);
      for (let number = 1; number <= 5; number += 1) {
        const recorder = await scanned(
          `logo ${number}`,
          pictureOf(`logo ${number}`, bits),
          pictureOf(`logo ${number} b`, bits),
        );
        assert.deepEqual(recorder.suspended, []);
      }
      assert.deepEqual((await scanned('logo 5', pictureOf('logo 5 again', bits))).suspended, [], 'a case counts once');
      const { suspended } = await scanned('logo 6', pictureOf('logo 6', bits));
      assert.deepEqual(
        suspended.map(({ source, sourceKey, cases }) => [source, sourceKey, cases]),
        [['Project', 'L1', 6]],
      );
      assert.deepEqual(await listSuspended(db), suspended);
      assert.deepEqual(
        (await evidenceOf('logo 1')).map((one) => one.standing),
        ['withdrawn'],
      );
      assert.deepEqual(await openLeads('of logos'), []);
      await scanned('logo 7', pictureOf('logo 7', bits));
      assert.deepEqual(await evidenceOf('logo 7'), [], 'it is not searched');

      const recordId = suspended[0]?.recordId ?? assert.fail('none suspended');
      const { leads } = await resumeRecord(db, { recordId, resumedBy: 'A', justification: 'seen' });
      assert.equal((await openLeads('of logos')).length > 0 && leads.changed + leads.opened > 0, true);
      assert.deepEqual(
        (await evidenceOf('logo 1')).map((one) => one.standing),
        ['withdrawn', 'in force'],
      );
      assert.deepEqual((await scanned('logo 8', pictureOf('logo 8', bits))).suspended, []);
      assert.deepEqual(
        (await evidenceOf('logo 8')).map((one) => one.standing),
        ['in force'],
      );
      await assert.rejects(resumeRecord(db, { recordId, resumedBy: 'A', justification: 'again' }), {
        code: 'HW_RECORD_NOT_FOUND',
      });
    });

    it('keeps a record in the search that its source flags as distributed, however many cases it hits', async () => {
      const bits = hashOf('passed on');
      await imported('passed on', [{ bits: pdq(bits), sourceKey: 'D1', distributed: true }]);
      for (let number = 1; number <= 7; number += 1) {
        const { suspended } = await scanned(`passed on ${number}`, pictureOf(`passed on ${number}`, bits));
        assert.deepEqual(suspended, []);
      }
    });

    it("holds the hits of a set to the set's own distance, smaller or larger than the policy's", async () => {
      const [near, far] = [hashOf('narrow'), hashOf('wide')];
      await imported('narrow', [{ bits: pdq(near) }], { radiusBits: 4 });
      await imported('wide', [{ bits: pdq(far) }], { radiusBits: 40 });
      await scanned(
        'distances',
        pictureOf('narrow 4', turned(near, first(4))),
        pictureOf('narrow 5', turned(near, first(5))),
        pictureOf('wide 40', turned(far, first(40))),
        pictureOf('wide 41', turned(far, first(41))),
      );
      const found = async (name: string) =>
        (await evidenceOf(name)).map(({ distance, threshold }) => [distance, threshold]);
      assert.deepEqual(
        [await found('narrow 4'), await found('narrow 5'), await found('wide 40'), await found('wide 41')],
        [[[4, 4]], [], [[40, 40]], []],
      );
    });

    it('contradicts a perceptual hit near a negative picture: no lead by itself, and it says so', async () => {
      const [screen, logo] = [hashOf('screen'), hashOf('blank')];
      await imported('series', [
        { bits: pdq(screen), series: 'of screens' },
        { bits: pdq(logo), series: 'of blanks' },
      ]);
      await imported('screens', [{ bits: pdq(turned(screen, first(9))) }, digestsOf('the blank page')], {
        purpose: 'negative',
      });
      await scanned(
        'contradicted',
        pictureOf('a screen', screen),
        pictureOf('the blank page', logo),
        pictureOf('a blank', logo),
      );
      const [one] = await evidenceOf('a screen');
      assert.deepEqual([one?.distance, one?.contradicted], [0, 9]);
      assert.deepEqual(
        (await evidenceOf('the blank page')).map((of) => [of.method, of.contradicted]),
        [['pdq', 0]],
      );
      assert.deepEqual(
        (await evidenceOf('a blank')).map((of) => of.contradicted),
        [null],
      );
      assert.equal((await openLeads('of screens')).length, 0);
      const [lead] = await openLeads('of blanks');
      assert.deepEqual([lead?.sha256, lead?.uncorroborated], [digestsOf('a blank').sha256, true]);
      const explained = await explainMatch(db, one?.id ?? '', {
        models: { packs: [], fusions: [] },
        hashes: false,
      });
      assert.deepEqual(explained['contradictedBy'], { set: 'Project screens version 1', distanceBits: 9 });
      assert.deepEqual(explained['corroboration'], { families: [], uncorroborated: true });
      await scanned('negative alone', pictureOf('only negative', turned(screen, first(50).concat(first(9)))));
      assert.deepEqual(await evidenceOf('only negative'), []);
    });

    it('says beforehand what a file would hit, and changes nothing', async () => {
      const bits = hashOf('dry');
      await imported('other of dry', [{ ...digestsOf('dry other'), categoryCode: '5' }]);
      await imported('negative of dry', [digestsOf('dry negative')], { purpose: 'negative' });
      for (let number = 1; number <= 6; number += 1)
        await scanned(`dry ${number}`, pictureOf(`dry ${number}`, turned(bits, first(number))));
      await scanned('dry 1', pictureOf('dry digest', hashOf('elsewhere')));
      const before = [await listSets(db), await db.query('select count(*)::int as n from known_record')];
      const result = await dryRunSet(db, {
        file: await fileOf(
          { ...digestsOf('dry other'), categoryCode: '1', sourceKey: 'conflict' },
          { ...digestsOf('dry negative'), sourceKey: 'negative' },
          { bits: pdq(bits), sourceKey: 'many' },
          { sha256: digestsOf('dry digest').sha256, sourceKey: 'digest' },
        ),
        source: 'Another',
        purpose: 'known',
        suspendAfterCases: 5,
        signal,
      });
      assert.deepEqual([await listSets(db), await db.query('select count(*)::int as n from known_record')], before);
      assert.deepEqual(
        [result.records, result.contentsByDigest, result.contentsByHash, result.unrelatedCases, result.wouldWait],
        [4, 1, 6, 6, null],
      );
      assert.deepEqual(
        result.conflicts.map(({ name, purpose, category, records, samples }) => [
          name,
          purpose,
          category,
          records,
          samples,
        ]),
        [
          ['other of dry', 'known', '5', 1, ['conflict']],
          ['negative of dry', 'negative', null, 1, ['negative']],
        ],
      );
      assert.deepEqual(result.overused, [{ record: 'many', cases: 6 }]);
    });

    it('brings a set that waits into force when a person says so, or drops it', async () => {
      const hold = async (name: string) => {
        const [set] = await db.read(
          row({ setId: integer }),
          `insert into hash_set (source, name, version, content_sha256, format, category_scheme, state, imported_by)
           values ('Project', $1, 1, decode($2, 'hex'), 'ndjson', 'vic-us', 'importing', 'tester') returning set_id`,
          [name, digest('sha256', name)],
        );
        const setId = set?.setId ?? assert.fail('no set');
        await db.transaction(async (tx) => {
          await createStageTables(tx, stageTables(setId));
          await tx.execute(
            `insert into stage_record_${setId} (row_no, sha256, flags) values (0, decode($1, 'hex'), 0)`,
            [digest('sha256', `${name} record`)],
          );
          await holdBack(tx, { setId }, 'a flood', { rejected: {}, notes: {} });
        });
        return setId;
      };
      const stateOf = async (setId: number) => (await listSets(db)).find((set) => set.setId === setId);
      const [released, dropped] = [await hold('to release'), await hold('to drop')];
      assert.deepEqual([(await stateOf(released))?.state, (await stateOf(released))?.heldReason], ['held', 'a flood']);
      assert.equal((await releaseSet(db, 'to release', undefined)).records, 1);
      assert.deepEqual([(await stateOf(released))?.state, (await stateOf(released))?.heldReason], ['active', null]);
      await dropHeld(db, 'to drop', 'Project');
      assert.equal(await stateOf(dropped), undefined);
      await assert.rejects(releaseSet(db, 'to drop', undefined), { code: 'HW_SET_NOT_FOUND' });
    });

    it('holds an import back that hits ten times as many stored contents as usual, and no list of published software', async () => {
      const contents = 1_001;
      await db.execute(
        `insert into media (sha256, sha1, md5, size_bytes, type)
         select sha256(('flood ' || n)::bytea), substr(sha256(('flood ' || n)::bytea), 1, 20), substr(sha256(('flood ' || n)::bytea), 1, 16), 1, 'image/png'
           from generate_series(1, $1::int) n`,
        [contents],
      );
      const file = path.join(folder, 'flood.txt');
      const digests = Array.from({ length: contents }, (_, at) => digest('sha256', `flood ${at + 1}`));
      writeFileSync(file, `${digests.join('\n')}\n`);
      const request = { file, source: 'Flooder', importedBy: 'tester', signal };
      const held = await importSetFile(db, { ...request, name: 'flooding' });
      assert.equal(held.state, 'held');
      assert.match(held.heldReason ?? '', /^1001 stored contents that it hits by digest, where 0 were usual/);
      assert.equal((await importSetFile(db, { ...request, name: 'flooding' })).state, 'held', 'the same file waits on');
      assert.deepEqual(await evidenceOf('flood 1'), []);
      assert.equal((await importSetFile(db, { ...request, name: 'software', purpose: 'good' })).state, 'imported');
    });
  });
}
