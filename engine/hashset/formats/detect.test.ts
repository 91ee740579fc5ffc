import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { readSet, streamOf } from '../../../test/hash-set-kit.ts';
import { detectFormat } from './detect.ts';
import { openSet } from './reader.ts';

const MD5 = '00112233445566778899aabbccddeeff';
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const detect = (text: string, name?: string) => detectFormat(Buffer.from(text, 'utf8'), name);

describe('detectFormat', () => {
  for (const [what, text, expected] of [
    ['VICS 1.x', '{"odata.metadata":"http://github.com/ICMEC/ProjectVic/DataModels/1.0.xml#Media","value":[', 'vics'],
    ['VICS behind a mark and white space', '\ufeff\n { "@odata.context" : "http://github.com/VicsDataModel/x', 'vics'],
    ['our own export', '{"homeward":"known-records","formatVersion":"1","categoryScheme":"vic-us"}\n', 'ndjson'],
    ['CSV by comma', `SHA1,MD5\nx,${MD5}\n`, 'csv'],
    ['CSV by semicolon', `"Image ID";"MD5"\r\n1;${MD5}\r\n`, 'csv'],
    ['CSV of one column', `pdq\n${'f0'.repeat(32)}\n`, 'csv'],
    ['CSV behind a line for spreadsheets', `sep=;\nmd5;category\n${MD5};1\n`, 'csv'],
    ['MD5', `# comment\n\n${MD5}\n`, 'digest-list'],
    ['md5sum', `${MD5} *name, with; separators.jpg\n`, 'digest-list'],
    ['md5sum of a name with a backslash', `\\${MD5}  a\\\\b\n`, 'digest-list'],
    ['BSD form', `MD5 (a (b).jpg) = ${MD5}\n`, 'digest-list'],
    ['SHA-1', `${'A'.repeat(40)}\r\n`, 'digest-list'],
    ['PDQ with quality', `${sha256('x')},87\n${sha256('y')},100\n`, 'pdq-list'],
    ['nothing', '', undefined],
    ['blank lines', '\n\n', undefined],
    ['prose', 'Dear colleague,\nhere is the list.\n', undefined],
    ['CSV without hashes', 'name,age\nx,1\n', undefined],
    ['another JSON', '{"a":1}', undefined],
    ['a digest of a length not used', `${'a'.repeat(128)}\n`, undefined],
  ] as const) {
    it(`knows ${what}`, () => assert.equal(detect(text), expected));
  }

  it('tells a SHA-256 list from a PDQ list by the bits that are set', () => {
    const digests = Array.from({ length: 100 }, (_, index) => sha256(`digest ${index}`));
    assert.equal(detect(digests.join('\n')), 'digest-list');
    assert.equal(
      detect(digests.map((digest) => `${digest.slice(0, 32)}${complement(digest.slice(0, 32))}`).join('\n')),
      'pdq-list',
    );
  });

  it('does not guess for a single 64-digit value, unless the name says it', () => {
    const line = `${sha256('a')}\n`;
    assert.equal(detect(line, 'list.txt'), undefined);
    assert.equal(detect(line, 'evidence-SHA256.txt'), 'digest-list');
    assert.equal(detect(line, 'pdq-2026.txt'), 'pdq-list');
  });

  it('asks for --format where it does not guess', async () => {
    const open = openSet(streamOf([Buffer.from(sha256('a'))]), { format: 'auto' });
    await assert.rejects(open, { code: 'HW_SET_FORMAT', message: /--format digest-list or --format pdq-list/ });
  });
});

describe('a named format', () => {
  const list = [Buffer.from(`${sha256('a')}\n`)];

  it('decides what 64 digits are', async () => {
    const digests = await readSet(list, { format: 'digest-list' });
    const hashes = await readSet(list, { format: 'pdq-list' });
    assert.equal(digests.records[0]?.sha256, sha256('a'));
    assert.equal(hashes.records[0]?.bits[0]?.hex, sha256('a'));
  });

  for (const format of ['vics', 'csv', 'ndjson'] as const) {
    it(`is refused when the file is not ${format}`, async () => {
      await assert.rejects(openSet(streamOf(list), { format }), { code: 'HW_SET_FORMAT' });
    });
  }

  it('does not read a VICS document as a list', async () => {
    const vics = [
      Buffer.from('{"odata.metadata":"http://github.com/ICMEC/ProjectVic/DataModels/1.2.xml#Media","value":[]}'),
    ];
    await assert.rejects(openSet(streamOf(vics), { format: 'digest-list' }), { code: 'HW_SET_FORMAT' });
  });
});

describe('UTF-16', () => {
  const text = `\ufeffMD5;Series name\r\n${MD5};日本 é\r\n`;
  const little = Buffer.from(text, 'utf16le');
  const big = Buffer.from(little).swap16();

  for (const [order, bytes] of [
    ['little', little],
    ['big', big],
  ] as const) {
    it(`is read when its mark says so, ${order} end first, however it is cut`, async () => {
      const { records } = await readSet(Array.from(bytes, (byte) => Uint8Array.of(byte)));
      assert.deepEqual(
        records.map((record) => [record.md5, record.series]),
        [[MD5, '日本 é']],
      );
    });
  }

  it('that ends within a character is refused', async () => {
    await assert.rejects(readSet([little.subarray(0, -1)]), { code: 'HW_SET_DAMAGED' });
  });
});

function complement(hex: string): string {
  return Array.from(hex, (digit) => (15 - Number.parseInt(digit, 16)).toString(16)).join('');
}
