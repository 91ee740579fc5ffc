import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { KnownRecord, KnownWithdrawal } from '../../schemas/known-record.ts';
import { emptyRecord, joined, streamOf } from '../../test/hash-set-kit.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import { refreshLeads } from '../leads/refresh.ts';
import { addMaterial, leadOf } from '../leads/test-lead-kit.ts';
import type { Db } from '../store/db.ts';
import { knownChangesAfter, latestKnownChange } from '../store/queries/known-changes.ts';
import { findDigestMatches, recordMatches } from '../store/queries/record-matches.ts';
import { integer, nullable, row, text } from '../store/row-shape.ts';
import { writeSet } from './formats/writer.ts';
import { importSetFile } from './import.ts';
import { listSets, setInForce, setRecords } from './sets.ts';
import { updateSetFile } from './update.ts';

const sha256Of = (byte: number) => byte.toString(16).padStart(2, '0').repeat(32);
const md5Of = (byte: number) => byte.toString(16).padStart(2, '0').repeat(16);
const pdqOf = (byte: number, quality: number | null = 80) => [
  { algorithm: 'pdq' as const, flavour: null, hex: sha256Of(byte), quality },
];
type Change = Partial<KnownRecord> | { readonly withdraw: KnownWithdrawal };

for (const engine of STORE_ENGINES) {
  describe(`a delta to a hash set in force on ${engine.name}`, engine.options, () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'homeward-update-'));
    const signal = new AbortController().signal;
    let db: Db;
    let files = 0;
    before(async () => {
      db = await engine.open();
    });
    after(async () => {
      await db.close();
      rmSync(folder, { recursive: true });
    });

    const freshFile = () => path.join(folder, `${++files}.ndjson`);
    async function imported(name: string, ...records: Partial<KnownRecord>[]) {
      const file = freshFile();
      writeFileSync(file, await joined(writeSet('ndjson', streamOf(records.map(emptyRecord)), 'vic-us')));
      return await importSetFile(db, { file, name, source: 'Project', importedBy: 'tester', signal });
    }
    function deltaOf(changes: readonly Change[], categoryScheme = 'vic-us'): string {
      const file = freshFile();
      const lines = [
        { homeward: 'known-changes', formatVersion: '1', categoryScheme },
        ...changes.map((one) => ('withdraw' in one ? one : emptyRecord(one))),
        { homeward: 'end', records: changes.length },
      ];
      writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
      return file;
    }
    const apply = async (name: string, file: string) =>
      await updateSetFile(db, { file, name, source: 'Project', appliedBy: 'tester', signal });
    const updated = async (name: string, ...changes: Change[]) => await apply(name, deltaOf(changes));
    const counts = ({
      state,
      added,
      recategorised,
      replaced,
      withdrawn,
      notFound,
    }: Awaited<ReturnType<typeof apply>>) => [state, { added, recategorised, replaced, withdrawn, notFound }];
    async function recordsOf(name: string): Promise<KnownRecord[]> {
      const records: KnownRecord[] = [];
      for await (const record of setRecords(db, (await setInForce(db, name, 'Project')).setId)) records.push(record);
      return records;
    }
    /** A content with this SHA-256, matched by digest against what is known. */
    async function matched(byte: number): Promise<number> {
      const [media] = await db.read(
        row({ mediaId: integer }),
        `insert into media (sha256, sha1, md5, size_bytes, type)
         values (decode($1, 'hex'), decode($2, 'hex'), decode($3, 'hex'), 9, 'image/png') returning media_id`,
        [sha256Of(byte), sha256Of(byte).slice(0, 40), md5Of(byte)],
      );
      const mediaId = media?.mediaId ?? assert.fail('no media');
      await db.transaction(
        async (tx) => await recordMatches(tx, { mode: 'exact' }, await findDigestMatches(tx, [mediaId])),
      );
      return mediaId;
    }
    const evidenceOf = async (mediaId: number) =>
      await db.read(
        row({ version: integer, revision: integer, standing: text, category: nullable(text) }),
        `select s.version, t.set_revision as revision, case when t.withdrawn_at is null then 'in force' else 'withdrawn' end as standing,
                t.category_code as category
           from match t join hash_set s on s.set_id = t.set_id where t.media_id = $1 order by t.match_id`,
        [mediaId],
      );

    it('adds, corrects and withdraws records in one step, and the set says so', async () => {
      const before = await imported(
        'steps',
        { sha256: sha256Of(1), categoryCode: '1', tags: 'kept', victimIdentified: true },
        { md5: md5Of(2), sourceKey: 'K2' },
        { bits: pdqOf(3) },
        { sha256: sha256Of(4), sourceKey: 'K4' },
      );
      const since = await latestKnownChange(db);
      const result = await updated(
        'steps',
        { sha256: sha256Of(1), categoryCode: '2', distributed: false },
        { sha256: sha256Of(5), bits: pdqOf(5) },
        { withdraw: { md5: md5Of(2), reason: 'a mistake' } },
        { withdraw: { pdq: sha256Of(3) } },
        { withdraw: { sha256: sha256Of(99) } },
        { withdraw: { sha256: sha256Of(4), sourceKey: 'another' } },
      );
      assert.deepEqual(counts(result), [
        'updated',
        { added: 1, recategorised: 1, replaced: 0, withdrawn: 2, notFound: 2 },
      ]);
      const [set] = (await listSets(db)).filter((one) => one.setId === before.setId);
      assert.deepEqual([set?.version, set?.revision, set?.records, set?.state], [1, 1, 3, 'active']);
      assert.deepEqual(await recordsOf('steps'), [
        emptyRecord({
          sha256: sha256Of(1),
          categoryCode: '2',
          tags: 'kept',
          victimIdentified: true,
          distributed: false,
        }),
        emptyRecord({ sha256: sha256Of(4), sourceKey: 'K4' }),
        emptyRecord({ sha256: sha256Of(5), bits: pdqOf(5) }),
      ]);
      const changes = await knownChangesAfter(db, since);
      assert.deepEqual(
        changes.map(({ kind, firstRecordId, lastRecordId }) => [kind, lastRecordId - firstRecordId + 1]),
        [
          ['withdrawn', 2],
          ['added', 2],
        ],
      );
      const reasons = await db.query<{ reason: string | null }>(
        'select reason from known_withdrawal where set_id = $1 order by record_id',
        [before.setId],
      );
      assert.deepEqual(reasons, [{ reason: 'a mistake' }, { reason: null }]);
    });

    it('is a no-op the second time', async () => {
      await imported('again', { sha256: sha256Of(10) });
      const file = deltaOf([{ sha256: sha256Of(11) }, { withdraw: { sha256: sha256Of(10) } }]);
      await apply('again', file);
      const since = await latestKnownChange(db);
      assert.deepEqual(counts(await apply('again', file))[0], 'unchanged');
      assert.equal((await setInForce(db, 'again', 'Project')).revision, 1);
      assert.equal(await latestKnownChange(db), since);
    });

    it('changes nothing when it is damaged, of another scheme, or for a set that is not there', async () => {
      await imported('safe', { sha256: sha256Of(20), categoryCode: '1' });
      const whole = deltaOf([{ withdraw: { sha256: sha256Of(20) } }, { sha256: sha256Of(21) }]);
      const cut = freshFile();
      writeFileSync(cut, readFileSync(whole).subarray(0, -20));
      await assert.rejects(apply('safe', cut), { code: 'HW_SET_DAMAGED' });
      const foreign = deltaOf([{ sha256: sha256Of(20), categoryCode: 'A' }], 'caid-uk');
      await assert.rejects(apply('safe', foreign), { code: 'HW_SET_FORMAT' });
      await assert.rejects(apply('elsewhere', whole), { code: 'HW_SET_NOT_FOUND' });
      await assert.rejects(
        imported('safe', { sha256: sha256Of(20) }).then(() =>
          importSetFile(db, { file: whole, name: 'safe', source: 'Project', importedBy: 'tester', signal }),
        ),
        { code: 'HW_SET_FORMAT', message: /hashset update/ },
      );
      const set = await setInForce(db, 'safe', 'Project');
      assert.deepEqual([set.version, set.revision, set.records], [2, 0, 1]);
    });

    it('gives a record to which a hash came another number, and evidence passes on to it', async () => {
      await imported('fresh', { md5: md5Of(30), bits: pdqOf(30), categoryCode: '1', series: 'of fresh' });
      const mediaId = await matched(30);
      const result = await updated('fresh', {
        md5: md5Of(30),
        sha256: sha256Of(30),
        bits: pdqOf(31),
        categoryCode: '2',
      });
      assert.deepEqual(counts(result), [
        'updated',
        { added: 0, recategorised: 0, replaced: 1, withdrawn: 0, notFound: 0 },
      ]);
      assert.deepEqual(await recordsOf('fresh'), [
        emptyRecord({
          md5: md5Of(30),
          sha256: sha256Of(30),
          bits: [...pdqOf(30), ...pdqOf(31)],
          categoryCode: '2',
          series: 'of fresh',
        }),
      ]);
      assert.deepEqual(await evidenceOf(mediaId), [
        { version: 1, revision: 0, standing: 'withdrawn', category: '1' },
        { version: 1, revision: 1, standing: 'in force', category: '2' },
      ]);
    });

    it('says of evidence in which state of the set it was found', async () => {
      await imported('states', { sha256: sha256Of(40), categoryCode: '1' });
      const early = await matched(40);
      await updated('states', { sha256: sha256Of(41), categoryCode: '3' });
      const late = await matched(41);
      await updated('states', { sha256: sha256Of(40), categoryCode: '2' }, { withdraw: { sha256: sha256Of(41) } });
      assert.deepEqual(await evidenceOf(early), [
        { version: 1, revision: 0, standing: 'withdrawn', category: '1' },
        { version: 1, revision: 2, standing: 'in force', category: '2' },
      ]);
      assert.deepEqual(await evidenceOf(late), [{ version: 1, revision: 1, standing: 'withdrawn', category: '3' }]);
    });

    it('takes leads along when a record is withdrawn or goes to another series', async () => {
      const { setId } = await imported('led', { bits: pdqOf(50), series: 'first of led' });
      const material = await addMaterial(db);
      await db.execute(
        `insert into match (media_id, set_id, record_id, method, algorithm, mode, pipeline_version, distance_bits, threshold_bits,
                            orientation, flavour, expected_false_matches, series_id)
         select $1, set_id, record_id, 'pdq', 'pdq-512/1', 'exact', 'test', 3, 31, 'original', 'pdq-512', 1e-20, series_id
           from known_record where set_id = $2`,
        [material.mediaId, setId],
      );
      await db.transaction(async (tx) => await refreshLeads(tx, { mediaIds: [material.mediaId] }));
      const stateIn = async (name: string) => {
        const [series] = await db.read(
          row({ seriesId: integer }),
          `select series_id from series where source = 'Project' and name = $1`,
          [name],
        );
        return (await leadOf(db, material.mediaId, series?.seriesId ?? assert.fail('no series')))?.state;
      };
      const moved = await updated('led', { bits: pdqOf(50), series: 'second of led' });
      assert.equal(moved.recategorised, 1);
      assert.deepEqual([await stateIn('first of led'), await stateIn('second of led')], ['withdrawn', 'open']);
      const gone = await updated('led', { withdraw: { pdq: sha256Of(50) } });
      assert.equal(gone.leads.withdrawn, 1);
      assert.equal(await stateIn('second of led'), 'withdrawn');
    });

    it('counts withdrawals and records that cannot be read, and takes the others', async () => {
      await imported('parts', { sha256: sha256Of(60) });
      const file = freshFile();
      writeFileSync(
        file,
        [
          '{"homeward":"known-changes","formatVersion":"1","categoryScheme":"vic-us"}',
          '{"withdraw":{"sha256":"00"}}',
          '{"withdraw":{"reason":"names nothing"}}',
          `{"withdraw":{"sha256":"${sha256Of(60)}"}}`,
          '{"md5":"nonsense"}',
          '{"homeward":"end","records":4}',
          '',
        ].join('\n'),
      );
      const result = await apply('parts', file);
      assert.deepEqual(
        [result.withdrawn, result.rejected['badField'], result.rejected['noHash'], result.rejected['badDigest']],
        [1, 1, 1, 1],
      );
    });
  });
}
