import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { emptyRecord, readOrRefuse, readSet } from '../../../../test/hash-set-kit.ts';

const HEAD =
  '{"@odata.context":"http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/US/$metadata#Media","value":[';
const MD5 = '00112233445566778899aabbccddeeff';
const SHA256 = 'ab'.repeat(32);
const PDQ = 'f0'.repeat(32);

const media = (...items: (object | string)[]) =>
  readSet([
    Buffer.from(
      `${HEAD}${items.map((item) => (typeof item === 'string' ? item : JSON.stringify(item))).join(',')}]}`,
      'utf8',
    ),
  ]);

describe('traps of VICS media', () => {
  it('keeps the code 0, as number and as text, and takes null and empty text for none', async () => {
    const { records } = await media(...[0, '0', null, '', ' B ', 1.5].map((Category) => ({ MD5, Category })));
    assert.deepEqual(
      records.map((record) => record.categoryCode),
      ['0', '0', null, null, ' B ', '1.5'],
    );
  });

  it('reads flags in every spelling seen, and an absent flag is not false', async () => {
    const spellings = [true, false, 'true', 'false', 'True', 'FALSE', '', null, 1, 0, 'Y', 'n'];
    const { records, notes } = await media(...spellings.map((IsDistributed) => ({ MD5, IsDistributed })), { MD5 });
    assert.deepEqual(
      records.map((record) => record.distributed),
      [true, false, true, false, true, false, null, null, true, false, true, false, null],
    );
    assert.deepEqual(notes, {});
  });

  it('takes a flag, size or digest that cannot be read as not given, and counts it', async () => {
    const { records, notes } = await media({
      MD5,
      IsSuspected: 'perhaps',
      VictimIdentified: [],
      MediaSize: '12 KB',
      SHA1: 'xyz',
    });
    assert.deepEqual(records, [emptyRecord({ md5: MD5 })]);
    assert.deepEqual(notes, { flagIgnored: 2, sizeIgnored: 1, digestIgnored: 1 });
  });

  it('reads sizes as number and as text', async () => {
    const { records } = await media(
      { MD5, MediaSize: 0 },
      { MD5, MediaSize: '29100000000' },
      { MD5, MediaSize: null },
      { MD5, MediaSize: '' },
    );
    assert.deepEqual(
      records.map((record) => record.sizeBytes),
      [0, 29100000000, null, null],
    );
  });

  it('reads series and tags as text, lists and objects with a name', async () => {
    const shapes = ['a, b', ['a', 'b'], [{ Name: 'a' }, { name: 'b' }], { Name: 'a' }, [], null, ''];
    const { records } = await media(...shapes.map((Tags) => ({ MD5, Tags })));
    assert.deepEqual(
      records.map((record) => record.tags),
      ['a, b', 'a, b', 'a, b', 'a', null, null, null],
    );
  });

  it('reads brackets, quotes, escapes and other scripts in text', async () => {
    const text = '] } " \\ \n \u{1f600} 日本 é';
    const { records } = await media(
      { Series: text, MD5 },
      `{"\\u004dD5":"${MD5}","Series":"\\u0041\\/\\ud83d\\ude00"}`,
    );
    assert.deepEqual(
      records.map((record) => record.series),
      [text, 'A/\u{1f600}'],
    );
    assert.deepEqual(
      records.map((record) => record.md5),
      [MD5, MD5],
    );
  });

  it('replaces text that PostgreSQL cannot hold', async () => {
    const { records, notes } = await media(`{"MD5":"${MD5}","Series":"a\\u0000b","Tags":"\\ud800"}`);
    assert.deepEqual([records[0]?.series, records[0]?.tags], ['a\ufffdb', '\ufffd']);
    assert.deepEqual(notes, { textReplaced: 1 });
  });

  it('takes SHA-256 and PDQ from the alternative hashes, notes PhotoDNA and others', async () => {
    const alternatives = [
      { MD5, HashName: 'SHA-256', HashValue: SHA256.toUpperCase() },
      { MD5, HashName: 'PDQ', HashValue: PDQ },
      { MD5, HashName: 'PhotoDNA', HashValue: 'AAAA' },
      { MD5, HashName: 'EDK', HashValue: 'x' },
      { HashName: 'SHA1' },
      null,
      {},
    ];
    const { records, notes } = await media(
      { AlternativeHashes: alternatives },
      { MD5, AlternativeHashes: null },
      { MD5, AlternativeHashes: [] },
    );
    assert.deepEqual(
      records[0],
      emptyRecord({ sha256: SHA256, bits: [{ algorithm: 'pdq', flavour: null, hex: PDQ, quality: null }] }),
    );
    assert.deepEqual(notes, { photoDnaIgnored: 1, otherHashIgnored: 1 });
  });

  it('counts each record that cannot be used with its reason, and takes the others', async () => {
    const { records, rejected } = await media(
      { MD5 },
      {},
      { MediaID: 1, MD5: '' },
      { MD5: 'nonsense' },
      { MD5: 5 },
      { MD5: 'D41D8CD98F00B204E9800998ECF8427E', SHA1: 'ff'.repeat(20) },
      {
        AlternativeHashes: [
          { HashName: 'SHA256', HashValue: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' },
        ],
      },
      { AlternativeHashes: [{ HashName: 'PDQ', HashValue: 'f0' }] },
      { MD5, Category: { code: 1 } },
      { MD5, Category: 'x'.repeat(41) },
      '7',
      'null',
      '[]',
      { MD5 },
    );
    assert.equal(records.length, 2);
    assert.deepEqual(rejected, { noHash: 2, badDigest: 2, emptyFile: 2, badPdq: 1, badField: 2, notARecord: 3 });
  });

  it('leaves nothing of a rejected record in the next one', async () => {
    const { records } = await media(
      { Series: 's', Tags: 't', Category: 1, MediaSize: 9, IsSuspected: true, MD5: '', SHA1: '' },
      { MD5 },
    );
    assert.deepEqual(records, [emptyRecord({ md5: MD5 })]);
  });

  it('shortens series and tags at the bound of a record, in code points, and counts it', async () => {
    const { records, notes } = await media({ MD5, Series: '\u{1f600}'.repeat(301), Tags: 'é'.repeat(1000) });
    assert.deepEqual([records[0]?.series, records[0]?.tags], ['\u{1f600}'.repeat(300), 'é'.repeat(1000)]);
    assert.deepEqual(notes, { textShortened: 1 });
  });

  it('takes the last of a repeated member, as JSON.parse does', async () => {
    const { records } = await media(`{"MD5":"${'0'.repeat(32)}","Series":"a","MD5":"${MD5}","Series":null}`);
    assert.deepEqual(records, [emptyRecord({ md5: MD5 })]);
  });

  it('reads a value array before the context of a document that is named as VICS', async () => {
    const text = `{"value":[{"MD5":"${MD5}"}],"odata.metadata":"http://github.com/ICMEC/ProjectVic/DataModels/1.1.xml#Media"}`;
    const { description, records } = await readSet([Buffer.from(text)]);
    assert.deepEqual([description.formatVersion, records.length], ['1.1', 1]);
  });

  for (const [what, url, expected] of [
    [
      'the United Kingdom',
      'http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/UK/$metadata#Cases',
      ['2.0', 'caid-uk', 'cases'],
    ],
    [
      'a country without table',
      'http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/CA/$metadata#Media',
      ['2.0', 'vic-ca', 'media'],
    ],
    [
      'CUSTOM',
      'HTTP://GITHUB.COM/vicsdatamodel/PROJECTVIC/DataModels/2.0.xml/CUSTOM/$metadata#Media',
      ['2.0', 'unspecified', 'media'],
    ],
    [
      'escaped slashes',
      'http:\\/\\/github.com\\/VICSDATAMODEL\\/ProjectVic\\/DataModels\\/2.0.xml\\/US\\/$metadata#Media',
      ['2.0', 'vic-us', 'media'],
    ],
    ['an unknown shape', 'urn:projectvic', [null, 'unspecified', 'media']],
  ] as const) {
    it(`tells version, scheme and kind from the URL: ${what}`, async () => {
      const { description } = await readSet([Buffer.from(`{"@odata.context":"${url}","value":[]}`)]);
      assert.deepEqual([description.formatVersion, description.categoryScheme, description.documentKind], expected);
    });
  }

  for (const [what, text] of [
    ['a document without value', `{"@odata.context":"projectvic"}`],
    ['something after its end', `${HEAD}]} x`],
    ['a second document', `${HEAD}]}${HEAD}]}`],
    ['a missing comma', `${HEAD}{"MD5":"${MD5}"}{"MD5":"${MD5}"}]}`],
    ['a trailing comma', `${HEAD}{"MD5":"${MD5}"},]}`],
    ['a bare word', `${HEAD}{"MD5":abc}]}`],
    ['a control character in text', `${HEAD}{"MD5":"a\u0001"}]}`],
  ] as const) {
    it(`refuses a document with ${what}`, async () =>
      assert.equal(await readOrRefuse([Buffer.from(text)]), 'HW_SET_DAMAGED'));
  }

  it('refuses a record that never ends instead of keeping it', async () => {
    const endless = function* () {
      yield Buffer.from(`${HEAD}{"MD5":"`);
      for (let index = 0; index < 64; index++) yield Buffer.alloc(1024 * 1024, 'a');
    };
    await assert.rejects(readSet(endless()), { code: 'HW_SET_DAMAGED', message: /without an end/ });
  });
});
