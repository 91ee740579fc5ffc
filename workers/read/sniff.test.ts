import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { SNIFF_HEAD_BYTES, sniffTail, sniffType } from './sniff.ts';
import { MAGICS } from './type-tables.ts';

const latin1 = (text: string) => Buffer.from(text, 'latin1');
const verdict = (head: Buffer) => {
  const { mediaType, class: examination } = sniffType(head);
  const how =
    examination.kind === 'picture'
      ? examination.decoder
      : examination.kind === 'archive'
        ? examination.format
        : examination.reason;
  return `${mediaType} ${how}`;
};
const ftyp = (major: string, ...compatible: string[]) => {
  const body = latin1(`ftyp${major}\0\0\0\0${compatible.join('')}`);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(body.length + 4);
  return Buffer.concat([size, body, Buffer.alloc(32)]);
};
/** A little-endian TIFF whose one directory holds these entries: tag, type, count, value. */
const tiff = (...entries: readonly (readonly [number, number, number, number])[]) => {
  const bytes = Buffer.alloc(10 + 12 * entries.length + 4 + 64);
  bytes.write('II*\0', 'latin1');
  bytes.writeUInt32LE(8, 4);
  bytes.writeUInt16LE(entries.length, 8);
  entries.forEach(([tag, type, count, value], i) => {
    const at = 10 + 12 * i;
    bytes.writeUInt16LE(tag, at);
    bytes.writeUInt16LE(type, at + 2);
    bytes.writeUInt32LE(count, at + 4);
    bytes.writeUInt32LE(value, at + 8);
  });
  return bytes;
};
const zipEntry = (name: string, content = '') => {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt32LE(content.length, 18);
  header.writeUInt16LE(name.length, 26);
  return Buffer.concat([header, latin1(name + content)]);
};

describe('the type of a file by its content', () => {
  const cases: readonly (readonly [string, Buffer, string])[] = [
    ['JPEG', latin1('\xff\xd8\xff\xe0'), 'image/jpeg sharp'],
    ['PNG', latin1('\x89PNG\r\n\x1a\n\0\0\0\rIHDR'), 'image/png sharp'],
    ['animated PNG', latin1('\x89PNG\r\n\x1a\n....acTL....IDAT'), 'image/apng sharp'],
    ['acTL after the picture data', latin1('\x89PNG\r\n\x1a\n....IDAT....acTL'), 'image/png sharp'],
    ['WebP', latin1('RIFF\0\0\0\0WEBPVP8 '), 'image/webp sharp'],
    ['GIF', latin1('GIF89a'), 'image/gif sharp'],
    ['TIFF', tiff([256, 3, 1, 8]), 'image/tiff sharp'],
    ['BigTIFF', latin1('MM\0+\0\x08\0\0'), 'image/tiff sharp'],
    ['BMP', Buffer.concat([latin1('BM'), Buffer.alloc(12), latin1('\x28\0\0\0'), Buffer.alloc(36)]), 'image/bmp bmp'],
    ['text that begins with BM', latin1('BMW sells cars, and so do others'), 'text/plain text'],
    ['AVIF', ftyp('avif', 'mif1'), 'image/avif sharp'],
    ['AVIF behind a general brand', ftyp('mif1', 'miaf', 'avif'), 'image/avif sharp'],
    ['HEIC of an iPhone', ftyp('heic', 'mif1', 'heic'), 'image/heic heif'],
    ['HEIC behind a general brand', ftyp('mif1', 'heic'), 'image/heic heif'],
    ['DNG', tiff([256, 3, 1, 8], [50706, 1, 4, 0x0401]), 'image/x-adobe-dng rawPhoto'],
    ['CR2', latin1('II*\0\x10\0\0\0CR\x02\0'), 'image/x-canon-cr2 rawPhoto'],
    ['CR3', ftyp('crx ', 'isom'), 'image/x-canon-cr3 rawPhoto'],
    ['ARW by its compression', tiff([259, 3, 1, 32767]), 'image/x-raw rawPhoto'],
    ['RAF', latin1('FUJIFILMCCD-RAW 0201'), 'image/x-fuji-raf rawPhoto'],
    ['MP4', ftyp('isom', 'mp41'), 'video/mp4 video'],
    ['QuickTime', ftyp('qt  '), 'video/quicktime video'],
    ['QuickTime without ftyp', latin1('\0\0\0\x08wide\0\0\0\0mdat'), 'video/quicktime video'],
    ['3GP', ftyp('3gp5'), 'video/3gpp video'],
    ['M4A', ftyp('M4A '), 'audio/mp4 audio'],
    ['AVI', latin1('RIFF\0\0\0\0AVI LIST'), 'video/vnd.avi video'],
    ['Matroska', latin1('\x1aE\xdf\xa3\x01\0'), 'video/matroska video'],
    [
      'MPEG transport stream',
      Buffer.from(Buffer.alloc(2000).map((_, i) => (i % 188 === 0 ? 0x47 : 1))),
      'video/mp2t video',
    ],
    ['zip', zipEntry('a.jpg', 'xyz'), 'application/zip zip'],
    ['zip with a folder called word', zipEntry('word/a.jpg'), 'application/zip zip'],
    [
      'Word document',
      Buffer.concat([zipEntry('[Content_Types].xml', '<x/>'), zipEntry('word/document.xml')]),
      'application/vnd.openxmlformats-officedocument.wordprocessingml.document document',
    ],
    [
      'OpenDocument text',
      zipEntry('mimetype', 'application/vnd.oasis.opendocument.text'),
      'application/vnd.oasis.opendocument.text document',
    ],
    ['gzip', gzipSync('x'), 'application/gzip gzip'],
    ['7z', latin1("7z\xbc\xaf'\x1c\0"), 'application/x-7z-compressed otherArchive'],
    ['PDF', latin1('%PDF-1.7\n'), 'application/pdf document'],
    ['OLE', latin1('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'), 'application/x-ole-storage document'],
    ['SQLite', latin1('SQLite format 3\0'), 'application/vnd.sqlite3 document'],
    ['E01', latin1('EVF\t\r\n\xff\0\x01'), 'application/x-ewf diskImage'],
    ['ELF', latin1('\x7fELF\x02'), 'application/x-elf executable'],
    [
      'icon',
      latin1('\0\0\x01\0\x01\0\x10\x10\0\0\x01\0\x20\0\x68\x04\0\0\x16\0\0\0'),
      'image/vnd.microsoft.icon otherPicture',
    ],
    ['PPM', latin1('P6\n40 30\n255\n\0\x01\x02'), 'image/x-portable-anymap otherPicture'],
    [
      'SVG',
      latin1('<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="x">'),
      'image/svg+xml vectorGraphic',
    ],
    ['SVG with a prefix', latin1('<s:svg xmlns:s="http://www.w3.org/2000/svg"/>'), 'image/svg+xml vectorGraphic'],
    ['HTML', latin1('\n<!DOCTYPE html><svg >'), 'text/html text'],
    ['UTF-16 text', Buffer.from('\ufeffhello', 'utf16le'), 'text/plain text'],
    ['UTF-8 text', Buffer.from('größer als gedacht'), 'text/plain text'],
    ['nothing', Buffer.alloc(0), 'application/octet-stream unknownType'],
    ['zeros', Buffer.alloc(4096), 'application/octet-stream unknownType'],
  ];
  for (const [name, head, expected] of cases) it(`${name}: ${expected}`, () => assert.equal(verdict(head), expected));

  it('knows a tar without signature by the sum of its header', () => {
    const header = Buffer.alloc(512);
    header.write('a.jpg');
    header.write('0000644\0', 100);
    header.write('00000000012\0', 124);
    header.fill(0x20, 148, 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    assert.equal(verdict(header), 'application/x-tar tar');
  });

  it('knows a disk by its partition table', () => {
    const sector = Buffer.alloc(512);
    sector[446] = 0x80;
    sector[450] = 0x07;
    sector.writeUInt16LE(0xaa55, 510);
    assert.equal(verdict(sector), 'application/x-raw-disk-image diskImage');
  });

  it('knows types that sign at their end', () => {
    const tail = Buffer.concat([Buffer.alloc(600), latin1('TRUEVISION-XFILE.\0')]);
    assert.equal(sniffTail(tail)?.mediaType, 'image/x-tga');
    assert.equal(sniffTail(Buffer.concat([latin1('conectix'), Buffer.alloc(504)]))?.mediaType, 'application/x-vhd');
  });

  it('has no signature that reaches beyond the head', () => {
    for (const { offset, bytes } of MAGICS) assert.ok(offset + bytes.length <= SNIFF_HEAD_BYTES);
  });
});

describe('sniffing never throws', () => {
  it('on arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2048 }), (bytes) => sniffType(Buffer.from(bytes)) !== undefined),
      {
        numRuns: 2000,
      },
    );
  });

  it('on a known beginning followed by arbitrary bytes', () => {
    const beginnings = [
      'II*\0',
      'MM\0*',
      'PK\x03\x04',
      '\0\0\0\x20ftypmif1',
      'RIFF',
      'BM',
      '<svg',
      '\x89PNG\r\n\x1a\n',
      '\0\0\x01\0',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...beginnings), fc.uint8Array({ maxLength: 600 }), (beginning, rest) => {
        const bytes = Buffer.concat([latin1(beginning), rest]);
        const { class: examination } = sniffType(bytes);
        assert.ok(['picture', 'archive', 'notExamined'].includes(examination.kind));
        sniffTail(bytes);
      }),
      { numRuns: 4000 },
    );
  });
});
