import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { KnownRecord } from '../../schemas/known-record.ts';
import { emptyRecord, joined, streamOf } from '../../test/hash-set-kit.ts';
import { turned } from '../../test/known-set-kit.ts';
import { STORE_ENGINES } from '../../test/store-engines.ts';
import { openSet } from '../hashset/formats/reader.ts';
import { writeSet } from '../hashset/formats/writer.ts';
import { importSetFile } from '../hashset/import.ts';
import { PgvectorScan } from '../search/pgvector-scan.ts';
import type { Db } from '../store/db.ts';
import { lookUp } from './look-up.ts';
import { photoDnaWithin } from './photo-dna-search.ts';

const hex = (byte: number, bytes: number) => byte.toString(16).padStart(2, '0').repeat(bytes);
/** 144 numbers, all of them `value` but the first, which is `first`. */
const photoDna = (value: number, first = value) => Buffer.alloc(144, value).fill(first, 0, 1).toString('hex');
const pdq = (bits: Uint8Array, quality: number | null = 90) => [
  { algorithm: 'pdq' as const, flavour: null, hex: Buffer.from(bits).toString('hex'), quality },
];
const KNOWN_PDQ = Buffer.from(hex(0x5a, 32), 'hex');

for (const engine of STORE_ENGINES) {
  describe(`a look-up of hash-only records on ${engine.name}`, engine.options, () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'homeward-lookup-'));
    let db: Db;
    before(async () => {
      db = await engine.open();
      const file = path.join(folder, 'known.ndjson');
      const records = [
        { sha256: hex(1, 32), sha1: hex(1, 20), md5: hex(1, 16), categoryCode: '1', series: 'one', sourceKey: 'K1' },
        { md5: hex(2, 16) },
        { sha1: hex(3, 20), md5: hex(3, 16), bits: pdq(KNOWN_PDQ) },
        { md5: hex(4, 16), photoDna: [photoDna(10), photoDna(200)] },
      ];
      writeFileSync(file, await joined(writeSet('ndjson', streamOf(records.map(emptyRecord)), 'vic-us')));
      const signal = new AbortController().signal;
      await importSetFile(db, { file, name: 'known', source: 'Project', importedBy: 'tester', signal });
    });
    after(async () => {
      await db.close();
      rmSync(folder, { recursive: true });
    });

    async function answersTo(bytes: Buffer) {
      const reader = await openSet(streamOf([bytes]), { format: 'auto' });
      const search = new PgvectorScan(db);
      const answers = [];
      for await (const batch of reader.batches())
        answers.push(...(await lookUp(db, search, batch, answers.length + 1)));
      return answers;
    }
    const asked = async (...records: Partial<KnownRecord>[]) =>
      await answersTo(await joined(writeSet('ndjson', streamOf(records.map(emptyRecord)), 'unspecified')));
    const words = (answers: Awaited<ReturnType<typeof asked>>) =>
      answers.map(({ answer, matches }) => [answer, ...matches.map(({ method, distance }) => `${method} ${distance}`)]);

    it('knows a record by any digest that both have, though a stronger one is stored', async () => {
      const answers = await asked(
        { sha256: hex(1, 32) },
        { md5: hex(1, 16) },
        { sha1: hex(1, 20) },
        { md5: hex(2, 16), sha256: hex(77, 32) },
        { md5: hex(3, 16) },
      );
      assert.deepEqual(words(answers), [
        ['known', 'sha256 0'],
        ['known', 'md5 0'],
        ['known', 'sha1 0'],
        ['known', 'md5 0'],
        ['known', 'md5 0'],
      ]);
      const [match] = answers[1]?.matches ?? [];
      assert.deepEqual(
        [
          match?.source,
          match?.setName,
          match?.setVersion,
          match?.setRevision,
          match?.recordKey,
          match?.series,
          match?.category,
        ],
        ['Project', 'known', 1, 0, 'K1', 'one', { scheme: 'vic-us', code: '1', label: 'Child Abuse Material (CAM)' }],
      );
    });

    it('says no where the stronger digest is another one', async () => {
      assert.deepEqual(words(await asked({ md5: hex(1, 16), sha256: hex(99, 32) }, { md5: hex(98, 16) })), [
        ['no'],
        ['no'],
      ]);
    });

    it('finds a PDQ of unknown flavour up to the threshold, and not beyond it', async () => {
      const near = turned(
        KNOWN_PDQ,
        Array.from({ length: 31 }, (_, bit) => bit * 3),
      );
      const far = turned(
        KNOWN_PDQ,
        Array.from({ length: 32 }, (_, bit) => bit * 3),
      );
      assert.deepEqual(words(await asked({ bits: pdq(near) }, { bits: pdq(far) })), [['variant', 'pdq 31'], ['no']]);
    });

    it('finds PhotoDNA up to a distance of 200, by the nearest orientation, and not beyond it', async () => {
      // 144 times (16 + 2/3) squared is 40,000: with whole numbers, 143 x 16^2 = 36,608 and one of 58 comes to 39,972, one of 59 to 40,089.
      const answers = await asked(
        { photoDna: [photoDna(26, 10 + 58)] },
        { photoDna: [photoDna(26, 10 + 59)] },
        { photoDna: [photoDna(100), photoDna(200)] },
      );
      assert.deepEqual(
        answers.map(({ answer, matches }) => [
          answer,
          ...matches.map(({ method, distance }) => [method, distance.toFixed(2)]),
        ]),
        [['variant', ['photodna', Math.sqrt(39_972).toFixed(2)]], ['no'], ['variant', ['photodna', '0.00']]],
      );
      // Of exactly the threshold: 40,000 = 100^2 x 4.
      const exact = Buffer.alloc(144, 10);
      for (const at of [0, 1, 2, 3]) exact[at] = 110;
      assert.deepEqual(
        (await photoDnaWithin(db, [exact.toString('hex')])).map(({ query, distance }) => [query, distance]),
        [[0, 200]],
      );
    });

    it('says unknown, never no, where a hash could not be compared', async () => {
      const csv = [
        'MD5,PDQ,PhotoDNA,Quality',
        `${hex(90, 16)},,AAAA,`,
        `${hex(91, 16)},${hex(9, 32)},,10`,
        `${hex(92, 16)},nonsense,,`,
        `${hex(2, 16)},nonsense,,`,
        `${hex(93, 16)},,,`,
      ].join('\n');
      const answers = await answersTo(Buffer.from(csv));
      assert.deepEqual(
        answers.map(({ answer, incomplete }) => [answer, incomplete]),
        [
          ['unknown', true],
          ['unknown', true],
          ['unknown', true],
          ['known', true],
          ['no', false],
        ],
      );
      assert.deepEqual(answers[1]?.searched, ['md5']);
    });

    it('reads PhotoDNA of VICS-compatible documents in base64, in the member and among the alternatives', async () => {
      const value = Buffer.from(photoDna(200), 'hex').toString('base64');
      const document = {
        '@odata.context': 'http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/US/$metadata#Media',
        value: [
          { MediaID: 1, MD5: hex(80, 16), PhotoDNA: value },
          { MediaID: 2, MD5: hex(81, 16), AlternativeHashes: [{ HashName: 'PhotoDNA', HashValue: value }] },
          { MediaID: 3, MD5: hex(82, 16), AlternativeHashes: [{ HashName: 'EDK', HashValue: 'x' }] },
        ],
      };
      // Some exporters escape the slashes of base64.
      const bytes = Buffer.from(JSON.stringify(document).replaceAll(value, value.replaceAll('/', '\\/')));
      assert.deepEqual(words(await answersTo(bytes)), [
        ['variant', 'photodna 0'],
        ['variant', 'photodna 0'],
        ['unknown'],
      ]);
    });
  });
}
