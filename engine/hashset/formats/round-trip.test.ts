import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { BITS_ALGORITHMS } from '../../../schemas/constants.ts';
import type { KnownRecord } from '../../../schemas/known-record.ts';
import { arbitraryRecord, emptyRecord, joined, readSet, streamOf } from '../../../test/hash-set-kit.ts';
import { EXPORT_FORMATS, type ExportFormat, writeSet } from './writer.ts';

const records = fc.array(arbitraryRecord, { maxLength: 12 });

async function roundTrip(format: ExportFormat, given: readonly KnownRecord[], scheme = 'vic-us') {
  return readSet([await joined(writeSet(format, streamOf(given), scheme))]);
}

/** Empty text and no text are one thing in VICS and CSV. */
const withoutEmptyText = (record: KnownRecord): KnownRecord => ({
  ...record,
  sourceKey: record.sourceKey || null,
  categoryCode: record.categoryCode || null,
  series: record.series || null,
  tags: record.tags || null,
});

/** CSV has a column for each kind of hash, so that their order is theirs. */
const bitsByKind = (record: KnownRecord): KnownRecord => ({
  ...record,
  bits: BITS_ALGORITHMS.flatMap((kind) =>
    record.bits.filter((bits) => (bits.algorithm === 'pdq' ? (bits.flavour ?? 'pdq') : bits.algorithm) === kind),
  ),
});

describe('what is written is read again', () => {
  it('NDJSON: everything', async () => {
    await fc.assert(
      fc.asyncProperty(records, async (given) => {
        const read = await roundTrip('ndjson', given);
        assert.deepEqual(read, {
          description: { format: 'ndjson', formatVersion: '1', categoryScheme: 'vic-us', documentKind: null },
          records: given,
          rejected: {},
          notes: {},
        });
      }),
      { numRuns: 150 },
    );
  });

  it('VICS 2.0: everything but the difference between empty text and none', async () => {
    await fc.assert(
      fc.asyncProperty(records, async (given) => {
        const read = await roundTrip('vics', given);
        assert.deepEqual(read, {
          description: { format: 'vics', formatVersion: '2.0', categoryScheme: 'vic-us', documentKind: 'media' },
          records: given.map(withoutEmptyText),
          rejected: {},
          notes: {},
        });
      }),
      { numRuns: 150 },
    );
  });

  it('CSV: everything but empty text and the order of hashes of different kinds', async () => {
    await fc.assert(
      fc.asyncProperty(records, async (given) => {
        const read = await roundTrip('csv', given);
        assert.deepEqual(read, {
          description: { format: 'csv', formatVersion: null, categoryScheme: 'vic-us', documentKind: null },
          records: given.map(withoutEmptyText).map(bitsByKind),
          rejected: {},
          notes: {},
        });
      }),
      { numRuns: 150 },
    );
  });

  for (const format of EXPORT_FORMATS) {
    for (const scheme of ['vic-us', 'caid-uk', 'interpol-baseline', 'unspecified']) {
      it(`${format}: the category scheme ${scheme}`, async () => {
        const { description } = await roundTrip(
          format,
          [emptyRecord({ md5: '1'.repeat(32), categoryCode: '1' })],
          scheme,
        );
        assert.equal(description.categoryScheme, scheme);
      });
    }

    it(`${format}: no records at all`, async () => assert.deepEqual((await roundTrip(format, [])).records, []));
  }
});

describe('the VICS document', () => {
  it('is what a VICS 2.0 importer expects: context first, unique numeric MediaID, upper-case digests, numeric category, absent flags left out', async () => {
    const given = [
      emptyRecord({
        sourceKey: 'A-7',
        md5: 'ab'.repeat(16),
        sha256: 'cd'.repeat(32),
        categoryCode: '0',
        victimIdentified: true,
      }),
      emptyRecord({
        sourceKey: '1',
        sha1: 'ef'.repeat(20),
        categoryCode: 'A',
        bits: [{ algorithm: 'pdq', flavour: 'pdq-512', hex: '0f'.repeat(32), quality: 90 }],
      }),
    ];
    const text = (await joined(writeSet('vics', streamOf(given), 'vic-us'))).toString('utf8');
    const document: unknown = JSON.parse(text);
    assert.ok(
      text.startsWith(
        '{"@odata.context":"http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/US/$metadata#Media"',
      ),
    );
    assert.deepEqual(document, {
      '@odata.context': 'http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/US/$metadata#Media',
      '@homeward.note': 'VICS-compatible, not certified',
      '@homeward.categoryScheme': 'vic-us',
      value: [
        {
          MediaID: 0,
          '@homeward.sourceKey': 'A-7',
          Category: 0,
          MD5: 'AB'.repeat(16),
          VictimIdentified: true,
          AlternativeHashes: [{ MD5: 'AB'.repeat(16), HashName: 'SHA256', HashValue: 'CD'.repeat(32) }],
        },
        {
          MediaID: 1,
          Category: 'A',
          MD5: '',
          SHA1: 'EF'.repeat(20),
          AlternativeHashes: [
            {
              MD5: '',
              HashName: 'PDQ',
              HashValue: '0f'.repeat(32),
              '@homeward.flavour': 'pdq-512',
              '@homeward.quality': 90,
            },
          ],
        },
      ],
    });
  });
});

describe('the CSV file', () => {
  it('holds no cell that a spreadsheet would run', async () => {
    await fc.assert(
      fc.asyncProperty(records, async (given) => {
        const text = (await joined(writeSet('csv', streamOf(given), 'vic-us'))).toString('utf8');
        const cells: string[][] = parse(text, { bom: true, relax_column_count: false });
        assert.equal(cells.length, given.length + 1);
        for (const cell of cells.flat()) assert.doesNotMatch(cell, /^[=+\-@\t\r\n＝＋－＠]/);
      }),
      { numRuns: 100 },
    );
  });

  it('guards a formula with an apostrophe and quotes it', async () => {
    const given = [emptyRecord({ md5: '1'.repeat(32), series: '=HYPERLINK("http://x";"y")' })];
    const text = (await joined(writeSet('csv', streamOf(given), 'unspecified'))).toString('utf8');
    assert.ok(text.includes(`,"'=HYPERLINK(""http://x"";""y"")",`));
  });
});

describe('the NDJSON export', () => {
  it('is refused without its end line, with another count in it, and of a later version', async () => {
    const text = (
      await joined(writeSet('ndjson', streamOf([emptyRecord({ md5: '1'.repeat(32) })]), 'vic-us'))
    ).toString('utf8');
    const lines = text.trimEnd().split('\n');
    await assert.rejects(readSet([Buffer.from(lines.slice(0, -1).join('\n'))]), {
      code: 'HW_SET_DAMAGED',
      message: /truncated/,
    });
    await assert.rejects(readSet([Buffer.from([lines[0], lines[2]].join('\n'))]), { code: 'HW_SET_DAMAGED' });
    await assert.rejects(readSet([Buffer.from(`${text}${lines[1]}`)]), { code: 'HW_SET_DAMAGED' });
    await assert.rejects(readSet([Buffer.from(text.replace('"formatVersion":"1"', '"formatVersion":"2"'))]), {
      code: 'HW_SET_FORMAT',
    });
  });

  it('rejects a record with a member that is not known, and counts it', async () => {
    const text = (
      await joined(writeSet('ndjson', streamOf([emptyRecord({ md5: '1'.repeat(32) })]), 'vic-us'))
    ).toString('utf8');
    const { records: read, rejected } = await readSet([
      Buffer.from(text.replace('{"sourceKey"', '{"picture":"x","sourceKey"')),
    ]);
    assert.deepEqual([read, rejected], [[], { badField: 1 }]);
  });
});
