import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { type GeneratedFormat, generateSet } from '../../bench/set-generator.ts';
import type { KnownRecord } from '../../schemas/known-record.ts';
import { arbitraryRecord, emptyRecord, joined, streamOf } from '../../test/hash-set-kit.ts';
import { needsShared, requireShared } from '../../test/shared-data.ts';
import { needsServer, openTestServerDb, STORE_ENGINES } from '../../test/store-engines.ts';
import { openEmbedded } from '../store/adapters/pglite.ts';
import type { Db } from '../store/db.ts';
import { findDigestMatches, recordMatches } from '../store/queries/record-matches.ts';
import { integer, nullable, row, text } from '../store/row-shape.ts';
import { writeSet } from './formats/writer.ts';
import { type ImportRequest, type ImportResult, importSetFile } from './import.ts';
import { listSets, removeSet, setInForce, setRecords } from './sets.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'homeward-import-'));
after(() => rmSync(folder, { recursive: true, force: true }));

async function importFile(
  db: Db,
  file: string,
  name: string,
  more: Partial<ImportRequest> = {},
): Promise<ImportResult> {
  return await importSetFile(db, {
    file,
    name,
    source: 'unit',
    importedBy: 'tester',
    signal: new AbortController().signal,
    ...more,
  });
}

async function fileOf(name: string, records: readonly KnownRecord[]): Promise<string> {
  const file = path.join(folder, name);
  writeFileSync(file, await joined(writeSet('ndjson', streamOf(records), 'vic-us')));
  return file;
}

async function generatedFile(format: GeneratedFormat, records: number, seed = 1): Promise<string> {
  const file = path.join(folder, `${format}-${records}-${seed}`);
  writeFileSync(file, await joined(generateSet({ format, seed, records })));
  return file;
}

async function recordsInForce(db: Db, name: string): Promise<KnownRecord[]> {
  const records: KnownRecord[] = [];
  for await (const record of setRecords(db, (await setInForce(db, name, 'unit')).setId)) records.push(record);
  return records;
}

async function stageTableNames(db: Db): Promise<string[]> {
  const found = await db.read(
    row({ name: text }),
    `select relname::text as name from pg_class where relname like 'stage\\_%' order by 1`,
  );
  return found.map((one) => one.name);
}

const nonZero = (counts: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
const hex = (byte: number, byteCount: number) => Buffer.alloc(byteCount, byte).toString('hex');

/** A content of these digests, as a scan would have recorded it. */
async function mediaOf(
  db: Db,
  digests: { readonly md5: string; readonly sha1: string; readonly sha256: string },
): Promise<number> {
  const [media] = await db.read(
    row({ mediaId: integer }),
    `insert into media (sha256, sha1, md5, size_bytes, type) values (decode($1, 'hex'), decode($2, 'hex'), decode($3, 'hex'), 10, 'image/jpeg') returning media_id`,
    [digests.sha256, digests.sha1, digests.md5],
  );
  return media?.mediaId ?? assert.fail('no media');
}

async function matchByDigest(db: Db, mediaId: number): Promise<number> {
  return await db.transaction(
    async (tx) => await (await recordMatches(tx, { mode: 'exact' }, await findDigestMatches(tx, [mediaId]))).length,
  );
}

/** Evidence of one content: the version it rests on, whether it still stands, and its category. */
async function evidenceOf(db: Db, mediaId: number) {
  return await db.read(
    row({ version: integer, standing: text, category: nullable(text) }),
    `select s.version, case when t.withdrawn_at is null then 'in force' else 'withdrawn' end as standing, t.category_code as category
       from match t join hash_set s on s.set_id = t.set_id where t.media_id = $1 order by s.version, t.match_id`,
    [mediaId],
  );
}

const SAMPLES = [
  {
    file: 'exchange/vics/vics2.0_US_Media_hashset.json',
    format: 'vics 2.0',
    scheme: 'vic-us',
    records: 18,
    rejected: {},
  },
  {
    file: 'exchange/vics/vics2.0_US_Media_hashset_BOM_min.json',
    format: 'vics 2.0',
    scheme: 'vic-us',
    records: 18,
    rejected: {},
  },
  {
    file: 'exchange/vics/vics1.3_Media_hashset.json',
    format: 'vics 1.3',
    scheme: 'unspecified',
    records: 8,
    rejected: {},
  },
  {
    file: 'exchange/vics/nist_caid_nonrds_1.2_Media.json',
    format: 'vics 1.2',
    scheme: 'unspecified',
    records: 2,
    rejected: {},
  },
  {
    file: 'exchange/vics/vics2.0_Default_Media_nsrl.json',
    format: 'vics 2.0',
    scheme: 'unspecified',
    records: 1,
    rejected: {},
  },
  // Seven media, the first and the last of one content.
  {
    file: 'exchange/vics/vics2.0_US_Cases_seizure.json',
    format: 'vics 2.0',
    scheme: 'vic-us',
    records: 6,
    rejected: { duplicate: 1 },
  },
  { file: 'exchange/icse/icse_synthetic.csv', format: 'csv', scheme: 'interpol-baseline', records: 8, rejected: {} },
  { file: 'exchange/plain/md5sum.txt', format: 'digest-list', scheme: 'unspecified', records: 18, rejected: {} },
  { file: 'exchange/plain/sha1.txt', format: 'digest-list', scheme: 'unspecified', records: 18, rejected: {} },
  { file: 'exchange/plain/mixed.csv', format: 'csv', scheme: 'unspecified', records: 18, rejected: {} },
  {
    file: 'exchange/plain/empty_file_hashes.txt',
    format: 'digest-list',
    scheme: 'unspecified',
    records: 0,
    rejected: { emptyFile: 3 },
  },
  { file: 'exchange/hashkeeper/sample.hsh', format: 'csv', scheme: 'unspecified', records: 1, rejected: {} },
  { file: 'pdq/pdq-haystack.txt', format: 'pdq-list', scheme: 'unspecified', records: 1350, rejected: {} },
  { file: 'pdq/pdq-needles.txt', format: 'pdq-list', scheme: 'unspecified', records: 100, rejected: {} },
] as const;

for (const engine of STORE_ENGINES) {
  describe(`import on ${engine.name}`, engine.options, () => {
    let db: Db;
    before(async () => {
      db = await engine.open();
    });
    after(async () => await db.close());

    for (const sample of SAMPLES) {
      it(`imports ${path.basename(sample.file)}`, needsShared, async () => {
        const name = path.basename(sample.file);
        const result = await importFile(db, requireShared(`data/${sample.file}`), name);
        assert.deepEqual(
          [result.state, result.format, result.categoryScheme, result.records, nonZero(result.rejected)],
          ['imported', sample.format, sample.scheme, sample.records, sample.rejected],
        );
        assert.equal((await recordsInForce(db, name)).length, sample.records);
      });
    }

    it('keeps Category 0 as a code', needsShared, async () => {
      await importFile(db, requireShared('data/exchange/vics/vics2.0_US_Media_hashset.json'), 'categories');
      assert.deepEqual(
        (await recordsInForce(db, 'categories')).map((record) => record.categoryCode),
        [1, 1, 2, 3, 0, 4, 1, 1, 2, 3, 0, 4, 1, 1, 2, 3, 0, 4].map(String),
      );
    });

    it('refuses a truncated file whole, and goes on with the version in force', needsShared, async () => {
      const [known] = JSON.parse(
        readFileSync(requireShared('data/exchange/vics/vics2.0_US_Media_hashset.json'), 'utf8'),
      ).value;
      await importFile(db, requireShared('data/exchange/vics/vics2.0_US_Media_hashset.json'), 'truncated');
      const before = await listSets(db);
      await assert.rejects(importFile(db, requireShared('data/exchange/vics/BAD_truncated.json'), 'truncated'), {
        code: 'HW_SET_DAMAGED',
      });
      assert.deepEqual([await listSets(db), await stageTableNames(db)], [before, []]);
      const media = await mediaOf(db, {
        md5: String(known.MD5).toLowerCase(),
        sha1: hex(0x71, 20),
        sha256: hex(0x71, 32),
      });
      const found = await findDigestMatches(db, [media]);
      assert.ok(found.length > 0);
    });

    it('leaves nothing of a file that is damaged behind its first checkpoints', async () => {
      const whole = readFileSync(await generatedFile('vics', 5_000));
      const file = path.join(folder, 'damaged-late.json');
      writeFileSync(file, whole.subarray(0, whole.length - 100));
      const before = await listSets(db);
      await assert.rejects(importFile(db, file, 'damaged late', { rowsPerCheckpoint: 100 }), {
        code: 'HW_SET_DAMAGED',
      });
      assert.deepEqual([await listSets(db), await stageTableNames(db)], [before, []]);
    });

    it('says unchanged of the very same file and adds nothing', async () => {
      const file = await fileOf('same.ndjson', [emptyRecord({ md5: hex(0x11, 16) })]);
      const first = await importFile(db, file, 'same');
      const again = await importFile(db, file, 'same');
      assert.deepEqual([again.state, again.setId, again.version, again.records], ['unchanged', first.setId, 1, 1]);
      assert.equal((await recordsInForce(db, 'same')).length, 1);
    });

    it('keeps the first of records with one digest, and counts the others', async () => {
      const md5 = hex(0x21, 16);
      const file = await fileOf('duplicates.ndjson', [
        emptyRecord({ md5, categoryCode: '1' }),
        emptyRecord({ md5: hex(0x22, 16), categoryCode: '2' }),
        emptyRecord({ md5, categoryCode: '3' }),
        emptyRecord({ md5, categoryCode: '4', series: 'later' }),
      ]);
      const result = await importFile(db, file, 'duplicates');
      assert.deepEqual([result.records, result.rejected['duplicate']], [2, 2]);
      assert.deepEqual(
        (await recordsInForce(db, 'duplicates')).map((record) => record.categoryCode),
        ['1', '2'],
      );
    });

    it('drops a record without digest only when earlier ones have all of its hashes', async () => {
      const bits = (...bytes: number[]) =>
        bytes.map((byte) => ({ algorithm: 'pdq' as const, flavour: null, hex: hex(byte, 32), quality: 90 }));
      const file = await fileOf('hash-duplicates.ndjson', [
        emptyRecord({ sourceKey: 'twice the same', bits: bits(1, 1) }),
        emptyRecord({ sourceKey: 'one new', bits: bits(1, 2) }),
        emptyRecord({ sourceKey: 'nothing new', bits: bits(2, 1) }),
        emptyRecord({ sourceKey: 'has a digest', bits: bits(1), md5: hex(0x31, 16) }),
      ]);
      const result = await importFile(db, file, 'hash duplicates');
      assert.equal(result.rejected['duplicate'], 1);
      assert.deepEqual(
        (await recordsInForce(db, 'hash duplicates')).map((record) => record.sourceKey),
        ['twice the same', 'one new', 'has a digest'],
      );
    });

    it('passes evidence on to the same record of a new version and withdraws the rest', async () => {
      const kept = { md5: hex(0x41, 16), sha1: hex(0x41, 20), sha256: hex(0x41, 32) };
      const dropped = { md5: hex(0x42, 16), sha1: hex(0x42, 20), sha256: hex(0x42, 32) };
      const keptMedia = await mediaOf(db, kept);
      const droppedMedia = await mediaOf(db, dropped);
      await importFile(
        db,
        await fileOf('v1.ndjson', [emptyRecord({ ...kept, categoryCode: '1' }), emptyRecord(dropped)]),
        'versions',
      );
      assert.deepEqual([await matchByDigest(db, keptMedia), await matchByDigest(db, droppedMedia)], [1, 1]);
      const second = await importFile(
        db,
        await fileOf('v2.ndjson', [emptyRecord({ ...kept, categoryCode: '2' })]),
        'versions',
      );
      assert.equal(second.version, 2);
      assert.deepEqual(await evidenceOf(db, keptMedia), [
        { version: 1, standing: 'withdrawn', category: '1' },
        { version: 2, standing: 'in force', category: '2' },
      ]);
      assert.deepEqual(await evidenceOf(db, droppedMedia), [{ version: 1, standing: 'withdrawn', category: null }]);
      assert.deepEqual(
        (await listSets(db)).filter((set) => set.name === 'versions').map((set) => [set.version, set.state]),
        [
          [2, 'active'],
          [1, 'superseded'],
        ],
      );
    });

    it('does not pass an MD5 match on to a record whose SHA-256 is another', async () => {
      const media = { md5: hex(0x51, 16), sha1: hex(0x51, 20), sha256: hex(0x51, 32) };
      const mediaId = await mediaOf(db, media);
      await importFile(db, await fileOf('weak-1.ndjson', [emptyRecord({ md5: media.md5 })]), 'weak');
      assert.equal(await matchByDigest(db, mediaId), 1);
      await importFile(
        db,
        await fileOf('weak-2.ndjson', [emptyRecord({ md5: media.md5, sha256: hex(0x5f, 32) })]),
        'weak',
      );
      assert.deepEqual(await evidenceOf(db, mediaId), [{ version: 1, standing: 'withdrawn', category: null }]);
    });

    it('passes evidence on to a record that has nothing but the same perceptual hash', async () => {
      const bits = [{ algorithm: 'pdq' as const, flavour: null, hex: hex(0x61, 32), quality: null }];
      const mediaId = await mediaOf(db, { md5: hex(0x61, 16), sha1: hex(0x61, 20), sha256: hex(0x61, 32) });
      const first = await importFile(db, await fileOf('bits-1.ndjson', [emptyRecord({ bits })]), 'bits only');
      await db.execute(
        `insert into match (media_id, set_id, record_id, method, algorithm, mode, pipeline_version, distance_bits, threshold_bits)
         select $1, set_id, record_id, 'pdq', 'pdq-512/1', 'exact', 'test', 3, 31 from known_bits where set_id = $2`,
        [mediaId, first.setId],
      );
      await importFile(
        db,
        await fileOf('bits-2.ndjson', [emptyRecord({ bits, categoryCode: '2' }), emptyRecord({ md5: hex(0x62, 16) })]),
        'bits only',
      );
      assert.deepEqual(await evidenceOf(db, mediaId), [
        { version: 1, standing: 'withdrawn', category: null },
        { version: 2, standing: 'in force', category: '2' },
      ]);
    });

    it('withdraws what a removed set had matched, and searches it no more', async () => {
      const digests = { md5: hex(0x71, 16), sha1: hex(0x72, 20), sha256: hex(0x72, 32) };
      const mediaId = await mediaOf(db, digests);
      const { setId } = await importFile(
        db,
        await fileOf('removed.ndjson', [emptyRecord({ sha256: digests.sha256 })]),
        'removed',
      );
      await matchByDigest(db, mediaId);
      await removeSet(db, setId);
      assert.deepEqual(await evidenceOf(db, mediaId), [{ version: 1, standing: 'withdrawn', category: null }]);
      assert.deepEqual(await findDigestMatches(db, [mediaId]), []);
    });

    it('takes a removed set again as a new version', async () => {
      const file = await fileOf('again.ndjson', [emptyRecord({ sha1: hex(0x73, 20) })]);
      await removeSet(db, (await importFile(db, file, 'again')).setId);
      const again = await importFile(db, file, 'again');
      assert.deepEqual([again.state, again.version, again.records], ['imported', 2, 1]);
    });

    it('goes on after an interruption from its checkpoint, with the result of an undisturbed import', async () => {
      const file = await generatedFile('csv', 5_000, 7);
      const stop = new AbortController();
      const options = { rowsPerCheckpoint: 100 };
      const interrupted = await importFile(db, file, 'interrupted', {
        ...options,
        signal: stop.signal,
        onProgress: ({ rows }) => {
          if (rows > 200) stop.abort();
        },
      });
      assert.equal(interrupted.state, 'interrupted');
      const resumed = await importFile(db, file, 'interrupted', options);
      assert.ok(resumed.resumedFromRow > 0, `went on at row ${resumed.resumedFromRow}`);
      const undisturbed = await importFile(db, file, 'undisturbed', options);
      assert.deepEqual(
        [resumed.records, resumed.rejected, resumed.notes],
        [undisturbed.records, undisturbed.rejected, undisturbed.notes],
      );
      assert.deepEqual(await recordsInForce(db, 'interrupted'), await recordsInForce(db, 'undisturbed'));
      assert.deepEqual(await stageTableNames(db), []);
    });

    it('gives a begun import up for another file of the same name', async () => {
      const stop = AbortSignal.abort();
      await importFile(db, await fileOf('begun.ndjson', [emptyRecord({ md5: hex(0x74, 16) })]), 'begun', {
        signal: stop,
      });
      assert.equal((await stageTableNames(db)).length, 3);
      await importFile(db, await fileOf('instead.ndjson', [emptyRecord({ md5: hex(0x75, 16) })]), 'begun');
      assert.deepEqual(await stageTableNames(db), []);
      assert.deepEqual(
        (await recordsInForce(db, 'begun')).map((record) => record.md5),
        [hex(0x75, 16)],
      );
    });

    it('gives back by export what it imported', async () => {
      const given = fc.sample(arbitraryRecord, { numRuns: 400, seed: 20 });
      const first = await importFile(db, await fileOf('given.ndjson', given), 'given');
      const exported = await recordsInForce(db, 'given');
      assert.equal(exported.length, first.records);
      const second = await importFile(db, await fileOf('exported.ndjson', exported), 'exported');
      assert.deepEqual([second.records, nonZero(second.rejected)], [first.records, {}]);
      assert.deepEqual(await recordsInForce(db, 'exported'), exported);
      const sorted = (records: readonly KnownRecord[]) =>
        records
          .map(({ bits, ...record }) => JSON.stringify([record, bits.map((one) => JSON.stringify(one)).sort()]))
          .sort();
      const asGiven = new Set(sorted(given));
      assert.deepEqual(
        sorted(exported).filter((record) => !asGiven.has(record)),
        [],
      );
    });
  });
}

/** Imports a file in a process of its own that is killed (signal 9) in the middle of its second checkpoint. */
async function killedImport(open: string, file: string): Promise<void> {
  const module = (relative: string) => JSON.stringify(pathToFileURL(path.join(import.meta.dirname, relative)).href);
  const code = `
    import { importSetFile } from ${module('import.ts')};
    import { openEmbedded } from ${module('../store/adapters/pglite.ts')};
    import { openServer } from ${module('../store/adapters/pg.ts')};
    const db = await ${open};
    await importSetFile(db, { file: ${JSON.stringify(file)}, name: 'killed', source: 'unit', importedBy: 'tester', signal: new AbortController().signal,
      rowsPerCheckpoint: 100, onProgress: ({ rows }) => { if (rows > 200) process.kill(process.pid, 'SIGKILL'); } });`;
  const script = path.join(folder, 'killed-import.mjs');
  writeFileSync(script, code);
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [, signal] = await once(child, 'exit');
  assert.equal(signal, 'SIGKILL');
}

async function resumesAfterKill(db: Db, file: string): Promise<void> {
  const resumed = await importFile(db, file, 'killed');
  assert.ok(resumed.resumedFromRow > 0, `went on at row ${resumed.resumedFromRow}`);
  const undisturbed = await importFile(db, file, 'undisturbed');
  assert.equal(resumed.records, undisturbed.records);
  assert.deepEqual(await recordsInForce(db, 'killed'), await recordsInForce(db, 'undisturbed'));
  assert.deepEqual(await stageTableNames(db), []);
}

it('R2: an import killed with its embedded database goes on from its checkpoint', async () => {
  const file = await generatedFile('vics', 5_000, 3);
  const dataFolder = path.join(folder, 'killed-data');
  await killedImport(`openEmbedded({ dataFolder: ${JSON.stringify(dataFolder)} })`, file);
  const db = await openEmbedded({ dataFolder });
  try {
    await resumesAfterKill(db, file);
  } finally {
    await db.close();
  }
});

describe('imports on a server', needsServer, () => {
  let server: { readonly db: Db; readonly url: string };
  before(async () => {
    server = await openTestServerDb();
  });
  after(async () => await server.db.close());

  it('R2: a killed import goes on from its checkpoint', async () => {
    const file = await generatedFile('vics', 5_000, 3);
    await killedImport(`openServer({ url: ${JSON.stringify(server.url)} })`, file);
    await resumesAfterKill(server.db, file);
  });

  it('two imports of one file at once stage each row once', async () => {
    const file = await generatedFile('pdq', 12_500, 5);
    const options = { rowsPerCheckpoint: 2_000 };
    const both = await Promise.all([
      importFile(server.db, file, 'at once', options),
      importFile(server.db, file, 'at once', options),
    ]);
    assert.deepEqual(both.map((one) => one.state).sort(), ['imported', 'unchanged']);
    assert.deepEqual(
      both.map((one) => one.records),
      [12_500, 12_500],
    );
    await importFile(server.db, file, 'alone');
    assert.deepEqual(await recordsInForce(server.db, 'at once'), await recordsInForce(server.db, 'alone'));
    assert.deepEqual(await stageTableNames(server.db), []);
  });

  it('of two files of one name at once, the one in force is whole', async () => {
    const files = [await generatedFile('md5', 12_500, 1), await generatedFile('md5', 12_500, 2)];
    const options = { rowsPerCheckpoint: 4_000 };
    const ends = await Promise.allSettled(files.map((file) => importFile(server.db, file, 'two files', options)));
    for (const end of ends) if (end.status === 'rejected') assert.equal(end.reason.code, 'HW_SET_NOT_FOUND');
    const inForce = await setInForce(server.db, 'two files', 'unit');
    const digests = (await recordsInForce(server.db, 'two files')).map((record) => record.md5);
    assert.ok(files.some((file) => readFileSync(file, 'latin1') === digests.map((digest) => `${digest}\n`).join('')));
    assert.equal(inForce.records, 12_500);
    assert.deepEqual(
      (await listSets(server.db)).filter((set) => set.state === 'importing'),
      [],
    );
    assert.deepEqual(await stageTableNames(server.db), []);
  });
});

describe('a file that changes while it is imported', () => {
  it('is refused, since its digest would be that of other bytes', async () => {
    const db = await openEmbedded({ dataFolder: path.join(folder, 'changing-data') });
    try {
      const file = path.join(folder, 'changing.txt');
      writeFileSync(
        file,
        Array.from({ length: 100_000 }, (_, at) => `${at.toString(16).padStart(32, 'a')}\n`).join(''),
      );
      let appended = false;
      const importing = importFile(db, file, 'changing', {
        onProgress: () => {
          if (!appended) appendFileSync(file, `${hex(7, 16)}\n`);
          appended = true;
        },
      });
      await assert.rejects(importing, { code: 'HW_SET_DAMAGED', message: /stay as it is while it is imported/ });
      assert.deepEqual(await listSets(db), []);
      assert.deepEqual(await stageTableNames(db), []);
    } finally {
      await db.close();
    }
  });
});
