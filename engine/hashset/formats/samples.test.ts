import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { type ReadSet, readSet, streamOf } from '../../../test/hash-set-kit.ts';
import { needsShared, requireShared } from '../../../test/shared-data.ts';
import { type OpenSetOptions, openSet } from './reader.ts';

const sample = (name: string, options?: OpenSetOptions): Promise<ReadSet> =>
  readSet([readFileSync(requireShared(`data/${name}`))], options);

describe('the exchange samples', needsShared, () => {
  it('reads a VICS 2.0 US hash set: 18 media, Category 0 kept, flags from text, absent not false, GPS not kept', async () => {
    const { description, records, rejected, notes } = await sample('exchange/vics/vics2.0_US_Media_hashset.json');
    assert.deepEqual(description, {
      format: 'vics',
      formatVersion: '2.0',
      categoryScheme: 'vic-us',
      documentKind: 'media',
    });
    assert.equal(records.length, 18);
    assert.deepEqual(rejected, {});
    assert.deepEqual(notes, {});
    assert.deepEqual(
      records.map(({ photoDna = [] }) => photoDna.length).filter((count) => count > 0),
      Array(6).fill(1),
    );
    assert.deepEqual(
      { ...records[0], photoDna: undefined },
      {
        sourceKey: '1000',
        md5: 'c2509ed882e05a3b3cc413a71ea6bc01',
        sha1: null,
        sha256: null,
        bits: [],
        photoDna: undefined,
        sizeBytes: 373855,
        categoryCode: '1',
        series: 'SYNTHETIC bridge series ] } " ✓ 日本',
        tags: 'synthetic, tag with ] bracket',
        victimIdentified: false,
        offenderIdentified: false,
        distributed: true,
        precategorised: false,
        suspected: null,
      },
    );
    assert.deepEqual(
      records.map((record) => record.categoryCode),
      [1, 1, 2, 3, 0, 4, 1, 1, 2, 3, 0, 4, 1, 1, 2, 3, 0, 4].map(String),
    );
    assert.equal(records.filter((record) => record.sha1 !== null).length, 14);
    assert.deepEqual(
      records.slice(15).map((record) => [record.series, record.victimIdentified, record.distributed]),
      [
        [null, null, null],
        [null, null, null],
        [null, null, null],
      ],
    );
    assert.ok(!JSON.stringify(records).includes('122.4783'));
  });

  it('reads the same records behind a byte-order mark and without white space', async () => {
    const plain = await sample('exchange/vics/vics2.0_US_Media_hashset.json');
    assert.deepEqual(await sample('exchange/vics/vics2.0_US_Media_hashset_BOM_min.json'), plain);
  });

  it('reads VICS 1.3, PhotoDNA among the alternative hashes and sizes as text', async () => {
    const { description, records, notes } = await sample('exchange/vics/vics1.3_Media_hashset.json');
    assert.deepEqual(description, {
      format: 'vics',
      formatVersion: '1.3',
      categoryScheme: 'unspecified',
      documentKind: 'media',
    });
    assert.equal(records.length, 8);
    assert.deepEqual(notes, {});
    assert.deepEqual(
      records.map(({ photoDna = [] }) => photoDna.length),
      Array(8).fill(1),
    );
    assert.deepEqual(
      [records[0]?.sizeBytes, records[0]?.categoryCode, records[0]?.tags, records[0]?.precategorised],
      [373855, '0', null, true],
    );
  });

  it('reads the NIST set of VICS 1.2 without taking its file names', async () => {
    const { description, records } = await sample('exchange/vics/nist_caid_nonrds_1.2_Media.json');
    assert.deepEqual(description, {
      format: 'vics',
      formatVersion: '1.2',
      categoryScheme: 'unspecified',
      documentKind: 'media',
    });
    assert.deepEqual(
      records.map((record) => [record.sourceKey, record.categoryCode, record.sizeBytes]),
      [
        ['0', '8', 1756],
        ['1', '8', 13664],
      ],
    );
  });

  it('reads a VICS 2.0 Default set: one record, Category 0', async () => {
    const { description, records } = await sample('exchange/vics/vics2.0_Default_Media_nsrl.json');
    assert.equal(description.categoryScheme, 'unspecified');
    assert.deepEqual(
      records.map((record) => record.categoryCode),
      ['0'],
    );
  });

  it('reads the media of a seizure export, repeats and all, and believes them rather than TotalMediaFiles', async () => {
    const { description, records, notes } = await sample('exchange/vics/vics2.0_US_Cases_seizure.json');
    assert.deepEqual(description, {
      format: 'vics',
      formatVersion: '2.0',
      categoryScheme: 'vic-us',
      documentKind: 'cases',
    });
    assert.equal(records.length, 7);
    assert.equal(new Set(records.map((record) => record.md5)).size, 6);
    assert.deepEqual(notes, { headerTotalDiffers: 1 });
    assert.deepEqual(
      records.map((record) => record.categoryCode),
      ['1', null, '1', null, '1', null, '1'],
    );
    assert.equal(records[0]?.sha256, 'a4ec0b39cf38469e3c5e16869a5ea1f23995b42a4b5de15d223e905b87788317');
    assert.deepEqual(
      [records[0]?.suspected, records[0]?.precategorised, records[0]?.victimIdentified],
      [true, true, null],
    );
  });

  it('refuses the truncated document and says where it ends', async () => {
    await assert.rejects(sample('exchange/vics/BAD_truncated.json'), {
      code: 'HW_SET_DAMAGED',
      message: /truncated.*byte 5661/,
    });
  });

  it('reads the INTERPOL ICSE export: 8 records, flags as Y and N, Baseline as category', async () => {
    const { description, records, notes } = await sample('exchange/icse/icse_synthetic.csv');
    assert.deepEqual(description, {
      format: 'csv',
      formatVersion: null,
      categoryScheme: 'interpol-baseline',
      documentKind: null,
    });
    assert.equal(records.length, 8);
    assert.deepEqual(notes, {});
    assert.equal(records.filter(({ photoDna }) => photoDna?.length === 1).length, 4);
    assert.deepEqual(
      [
        records[1]?.sourceKey,
        records[1]?.distributed,
        records[1]?.victimIdentified,
        records[1]?.offenderIdentified,
        records[1]?.series,
        records[1]?.categoryCode,
      ],
      ['500001', false, true, false, 'SYNTHETIC-SERIES', 'N'],
    );
  });

  it('reads the plain lists and the mixed CSV', async () => {
    const md5 = await sample('exchange/plain/md5sum.txt');
    const sha1 = await sample('exchange/plain/sha1.txt');
    const mixed = await sample('exchange/plain/mixed.csv');
    assert.deepEqual([md5.records.length, sha1.records.length, mixed.records.length], [18, 18, 18]);
    assert.deepEqual([md5.rejected, sha1.rejected, mixed.rejected], [{}, {}, {}]);
    assert.deepEqual(
      mixed.records.map((record) => record.md5),
      md5.records.map((record) => record.md5),
    );
    assert.deepEqual(
      mixed.records.map((record) => record.sha1),
      sha1.records.map((record) => record.sha1),
    );
    assert.ok(mixed.records.every((record) => record.sha256 !== null));
  });

  it('rejects the digests of the empty file', async () => {
    const { records, rejected } = await sample('exchange/plain/empty_file_hashes.txt');
    assert.deepEqual([records.length, rejected], [0, { emptyFile: 3 }]);
  });

  it('reads NSRL 2 text and HashKeeper', async () => {
    const nsrl = await sample('exchange/nsrl/NSRLFile_v2_sample.txt');
    const hashKeeper = await sample('exchange/hashkeeper/sample.hsh');
    assert.deepEqual(
      nsrl.records.map((record) => [record.md5, record.sizeBytes]),
      [
        ['0e53c14a3e48d94ff596a2824307b492', 2226],
        ['392126e756571ebf112cb1c1cdedf926', 98865],
      ],
    );
    assert.deepEqual([nsrl.description.format, hashKeeper.description.format], ['nsrl', 'csv']);
    assert.deepEqual(
      hashKeeper.records.map((record) => record.md5),
      ['0eaf18e13db816c8eae885baa2b0503b'],
    );
  });

  it('reads the public PDQ lists, told from SHA-256 without their names', async () => {
    const haystack = await sample('pdq/pdq-haystack.txt');
    const needles = await sample('pdq/pdq-needles.txt');
    assert.deepEqual([haystack.description.format, haystack.records.length], ['pdq-list', 1350]);
    assert.deepEqual([needles.description.format, needles.records.length], ['pdq-list', 100]);
    assert.deepEqual(haystack.records[0]?.bits, [
      {
        algorithm: 'pdq',
        flavour: null,
        hex: 'f162eb9daab170c0567fe3632d9a5548c5612982dd5e374a7424ebbc8a835c95',
        quality: null,
      },
    ]);
  });

  for (const name of [
    'c4p/C4P_synthetic.xml',
    'encase/synthetic.hash',
    'nsrl/RDSv3_minimal_synthetic.db',
    'ncmec/entries_xml.xml',
    'stopncii/page1.json',
    'case-uco/CONSTRUCTED_match_result.jsonld',
  ]) {
    it(`does not take ${name} for one of its formats`, async () => {
      const bytes = readFileSync(requireShared(`data/exchange/${name}`));
      await assert.rejects(openSet(streamOf([bytes]), { format: 'auto' }), { code: 'HW_SET_FORMAT' });
    });
  }
});
