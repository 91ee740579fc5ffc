import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { makeTar, makeZip, nameOf, said, UnpackKit } from './test-kit.ts';

const text = (value: string) => Buffer.from(value);
const local = (zip: Buffer, nth: number): number => {
  let at = -1;
  for (let n = 0; n <= nth; n += 1) at = zip.indexOf('PK\x03\x04', at + 1);
  return at;
};

describe('zip', () => {
  test('R10: entries behind a damaged one are read', async () => {
    using kit = new UnpackKit();
    const zip = await makeZip([
      ['a', randomBytes(5000)],
      ['b', text('bbbb'.repeat(1000))],
      ['c', text('c')],
    ]);
    zip.fill(0, local(zip, 1) + 40, local(zip, 1) + 50);
    zip.fill(0, local(zip, 0), local(zip, 0) + 4);
    const unpacked = await kit.unpack(kit.save(zip));
    assert.equal(said(unpacked), 'partial archiveBadEntries');
    assert.deepEqual(
      unpacked.list.map((entry) => entry.outcome === 'done'),
      [false, false, true],
    );
    assert.equal(unpacked.contents.get('c')?.toString(), 'c');
  });

  test('R10: without its directory every entry is still found, whole ones as they were', async () => {
    using kit = new UnpackKit();
    const wanted = randomBytes(70_000);
    const zip = await makeZip([
      ['stored.bin', wanted],
      ['folder/text', text('hello'.repeat(5000))],
    ]);
    const cut = zip.subarray(0, zip.indexOf('PK\x01\x02'));
    const unpacked = await kit.unpack(kit.save(cut));
    assert.equal(said(unpacked), 'partial truncated');
    assert.deepEqual(unpacked.contents.get('stored.bin'), wanted);
    assert.equal(unpacked.contents.get('folder/text')?.toString(), 'hello'.repeat(5000));
  });

  test('R10: an entry that the directory leaves out is found, and the archive says so', async () => {
    using kit = new UnpackKit();
    const zip = await makeZip([
      ['seen', text('seen'.repeat(9))],
      ['unlisted', text('unlisted'.repeat(9))],
    ]);
    const second = zip.indexOf('PK\x01\x02', zip.indexOf('PK\x01\x02') + 1);
    const end = zip.indexOf('PK\x05\x06');
    const trailer = Buffer.from(zip.subarray(end));
    trailer.writeUInt16LE(1, 8);
    trailer.writeUInt16LE(1, 10);
    const unpacked = await kit.unpack(kit.save(Buffer.concat([zip.subarray(0, second), trailer])));
    assert.equal(said(unpacked), 'partial corruptArchive');
    assert.equal(unpacked.contents.get('unlisted')?.toString(), 'unlisted'.repeat(9));
  });

  test('a zip behind a picture is unpacked', async () => {
    using kit = new UnpackKit();
    const unpacked = await kit.unpack(kit.save(Buffer.concat([randomBytes(1000), await makeZip([['a', text('a')]])])));
    assert.equal(unpacked.contents.get('a')?.toString(), 'a');
  });

  test('the time an archive gives for an entry is kept, without a zone it does not have', async () => {
    using kit = new UnpackKit();
    const unpacked = await kit.unpack(kit.save(await makeZip([['a', text('a')]])));
    assert.equal(unpacked.list[0]?.modifiedAt, '2026-01-02T03:04:06');
  });
});

test('R10: of damaged data everything up to the damage comes out, however little it is', async () => {
  using kit = new UnpackKit();
  const wanted = Buffer.concat([randomBytes(3000), Buffer.alloc(3000, 'tail')]);
  const zip = await makeZip([['small', wanted]]);
  // A block type that deflate does not have, where the compressible tail begins.
  zip.fill(0xff, local(zip, 0) + 30 + 5 + 2900, local(zip, 0) + 30 + 5 + 3020);
  const unpacked = await kit.unpack(kit.save(zip));
  assert.equal(unpacked.list[0]?.outcome, 'partial');
  const got = unpacked.contents.get('small') ?? Buffer.alloc(0);
  assert.ok(got.length > 2500, `${got.length} bytes`);
  assert.deepEqual(got.subarray(0, 2500), wanted.subarray(0, 2500));
});

describe('tar and gzip', () => {
  test('entries of a tar come out as they were, with long and foreign names', async () => {
    using kit = new UnpackKit();
    const long = `${'long/'.repeat(60)}name`;
    const entries = [
      [{ name: 'a.jpg', mtime: new Date(1_700_000_000_000) }, randomBytes(1500)],
      [{ name: long }, text('long')],
      [{ name: 'Fotos/Übersicht.png' }, text('foreign')],
      [{ name: 'empty' }, Buffer.alloc(0)],
    ] as const;
    const unpacked = await kit.unpack(kit.save(await makeTar(entries)));
    assert.equal(said(unpacked), 'done');
    assert.deepEqual(
      unpacked.list.map((entry) => Buffer.from(entry.name, 'base64').toString()),
      entries.map(([header]) => header.name),
    );
    assert.deepEqual(unpacked.contents.get('a.jpg'), entries[0][1]);
    assert.equal(unpacked.list[0]?.modifiedAt, '2023-11-14T22:13:20.000Z');
    assert.equal(unpacked.list[3] && said(unpacked.list[3]), 'rejected empty');
  });

  test('R10: entries behind a damaged header of a tar are read', async () => {
    using kit = new UnpackKit();
    const tar = await makeTar(['a', 'b', 'c'].map((name) => [{ name }, text(name.repeat(2000))] as const));
    tar.fill(0xff, 512 + 2048, 512 + 2048 + 20);
    const unpacked = await kit.unpack(kit.save(tar));
    assert.equal(said(unpacked), 'partial corruptArchive');
    assert.deepEqual(unpacked.list.map(nameOf), ['a', 'c']);
    assert.equal(unpacked.contents.get('c')?.toString(), 'c'.repeat(2000));
  });

  test('R10: of a cut tar.gz what is there is given, and both the entry and the archive say that it was cut', async () => {
    using kit = new UnpackKit();
    const wanted = randomBytes(200_000);
    const whole = gzipSync(
      await makeTar([
        [{ name: 'first' }, text('first')],
        [{ name: 'cut' }, wanted],
      ]),
    );
    const unpacked = await kit.unpack(kit.save(whole.subarray(0, whole.length / 2), 'case.tar.gz'));
    assert.equal(said(unpacked), 'partial truncated');
    assert.deepEqual(unpacked.list.map(said), ['done', 'partial truncated']);
    const got = unpacked.contents.get('cut') ?? Buffer.alloc(0);
    assert.ok(got.length > 90_000, `${got.length} bytes`);
    assert.deepEqual(got, wanted.subarray(0, got.length));
  });

  test('a gzip of one file is that file, under its own name without the ending', async () => {
    using kit = new UnpackKit();
    const unpacked = await kit.unpack(kit.save(gzipSync(text('hello')), 'photo.bmp.gz'));
    assert.equal(said(unpacked), 'done');
    assert.equal(unpacked.contents.get('photo.bmp')?.toString(), 'hello');
  });

  test('R10: a wrong check sum of a gzip is said, its content kept', async () => {
    using kit = new UnpackKit();
    const zipped = gzipSync(text('hello'.repeat(100)));
    zipped.writeUInt32LE(1, zipped.length - 8);
    const unpacked = await kit.unpack(kit.save(zipped, 'a.gz'));
    assert.equal(said(unpacked), 'partial badCrc');
    assert.equal(unpacked.contents.get('a')?.toString(), 'hello'.repeat(100));
  });
});

test('a gzip of several members is all of them, and what follows the last one is passed over', async () => {
  using kit = new UnpackKit();
  const members = Buffer.concat([gzipSync(text('one ')), gzipSync(text('two')), Buffer.alloc(100)]);
  const unpacked = await kit.unpack(kit.save(members, 'a.gz'));
  assert.equal(said(unpacked), 'done');
  assert.equal(unpacked.contents.get('a')?.toString(), 'one two');
});

describe('budgets and the scratch folder', () => {
  test('R10: bytes are counted as they come out, and what would pass the budget is not kept', async () => {
    using kit = new UnpackKit();
    const zip = await makeZip(['a', 'b', 'c'].map((name) => [name, Buffer.alloc(400_000)] as const));
    const unpacked = await kit.unpack(kit.save(zip), { totalBytes: 1_000_000 });
    assert.equal(said(unpacked), 'partial archiveBudget');
    assert.deepEqual(unpacked.list.map(said), ['done', 'done', 'rejected archiveBudget']);
    assert.deepEqual(readdirSync(kit.scratch).sort(), ['0', '1']);
  });

  test('R10: an entry past its own budget is left out, and the next one is read', async () => {
    using kit = new UnpackKit();
    const tar = await makeTar([
      [{ name: 'large' }, Buffer.alloc(400_000)],
      [{ name: 'small' }, text('small')],
    ]);
    const unpacked = await kit.unpack(kit.save(tar), { entryBytes: 100_000 });
    assert.deepEqual(unpacked.list.map(said), ['rejected archiveBudget', 'done']);
  });

  test('R10: folders count towards the number of entries', async () => {
    using kit = new UnpackKit();
    const tar = await makeTar(
      Array.from({ length: 50 }, (_, n) => [{ name: `${n}/`, type: 'directory' }, Buffer.alloc(0)] as const),
    );
    assert.equal(said(await kit.unpack(kit.save(tar), { entries: 20 })), 'partial archiveBudget');
  });

  test('R10: files are for their owner only, and a link that waits under a number is not written through', async () => {
    using kit = new UnpackKit();
    const target = path.join(kit.folder, 'target');
    writeFileSync(target, 'untouched');
    symlinkSync(target, path.join(kit.scratch, '0'));
    await kit.unpack(kit.save(await makeZip([['a', text('a')]])));
    assert.equal(lstatSync(target).size, 'untouched'.length);
    assert.equal(lstatSync(path.join(kit.scratch, '0')).mode & 0o777, process.platform === 'win32' ? 0o666 : 0o600);
  });

  test('unpacking goes on at an entry: those before it are neither written nor told again', async () => {
    using kit = new UnpackKit();
    const zip = await makeZip(['a', 'b', 'c'].map((name) => [name, text(name)] as const));
    const unpacked = await kit.unpack(kit.save(zip), {}, 2);
    assert.deepEqual(
      unpacked.list.map((entry) => [entry.index, nameOf(entry)]),
      [[2, 'c']],
    );
    assert.deepEqual(readdirSync(kit.scratch), ['2']);
  });

  test('R10: whatever an entry is called, nothing appears outside the scratch folder', async () => {
    const part = fc.oneof(
      fc.constantFrom('..', '.', '', '~', 'C:', '\\', '\0', 'scratch', '0'),
      fc.string({ maxLength: 12 }),
    );
    const names = fc.array(
      fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('/')),
      { minLength: 1, maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(names, fc.boolean(), async (given, absolute) => {
        using kit = new UnpackKit();
        const aim = absolute ? `${kit.folder}/aim/` : '';
        const archive = kit.save(await zipWithNames(given.map((name) => text(aim + name))));
        const unpacked = await kit.unpack(archive);
        assert.deepEqual(kit.outside(), ['archive']);
        assert.equal(existsSync(path.join(kit.folder, '..', 'aim')), false);
        for (const name of readdirSync(kit.scratch)) assert.match(name, /^[0-9]+$/);
        assert.equal(unpacked.contents.size <= given.length, true);
      }),
      { numRuns: 60 },
    );
  });
});

test('R10: no bytes whatever make unpacking throw or write outside', async () => {
  const heads = [text('PK\x03\x04'), text('PK\x05\x06'), Buffer.from([0x1f, 0x8b, 8, 0]), Buffer.alloc(0)];
  const soup = fc.tuple(fc.constantFrom(...heads), fc.uint8Array({ maxLength: 2000 }));
  await fc.assert(
    fc.asyncProperty(soup, async ([head, rest]) => {
      using kit = new UnpackKit();
      const unpacked = await kit.unpack(kit.save(Buffer.concat([head, rest])), { totalBytes: 10_000_000 });
      assert.notEqual(unpacked.outcome, 'failed');
      assert.deepEqual(kit.outside(), ['archive']);
    }),
    { numRuns: 200 },
  );
});

test('R4: an entry that is found without the directory is `done` only where the CRC-32 that follows it fits', async () => {
  using kit = new UnpackKit();
  const content = randomBytes(3000);
  const [head, tail] = [Buffer.alloc(31), Buffer.alloc(16)];
  head.set(text('PK\x03\x04'));
  // Its sizes and its CRC-32 follow the content.
  head.writeUInt16LE(0b1000, 6);
  head.writeUInt16LE(8, 8);
  head.writeUInt16LE(1, 26);
  head.set(text('a'), 30);
  tail.set(text('PK\x07\x08'));
  tail.writeUInt32LE(crc32(content), 4);
  for (const [name, end, expected] of [
    ['signed', tail, 'done'],
    ['bare', tail.subarray(4), 'done'],
    ['of another content', Buffer.concat([tail.subarray(0, 4), Buffer.alloc(12, 7)]), 'partial'],
    ['absent', Buffer.alloc(0), 'partial'],
  ] as const) {
    const unpacked = await kit.unpack(kit.save(Buffer.concat([head, deflateRawSync(content), end]), name));
    assert.deepEqual(unpacked.contents.get('a'), content, name);
    assert.equal(unpacked.list[0]?.outcome, expected, name);
    for (const file of readdirSync(kit.scratch)) rmSync(path.join(kit.scratch, file));
  }
});

test('R10: a mutated archive never throws, and never gives an entry `done` whose content differs', async () => {
  const wanted = new Map([
    ['a', randomBytes(3000)],
    ['b', text('b'.repeat(3000))],
  ]);
  const zip = await makeZip([...wanted]);
  const mutations = fc.array(fc.tuple(fc.nat(zip.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(mutations, async (changes) => {
      using kit = new UnpackKit();
      const mutated = Buffer.from(zip);
      for (const [at, value] of changes) mutated[at] = value;
      const unpacked = await kit.unpack(kit.save(mutated), { totalBytes: 10_000_000 });
      for (const entry of unpacked.list) {
        const content = wanted.get(nameOf(entry));
        if (entry.outcome === 'done' && content !== undefined)
          assert.deepEqual(unpacked.contents.get(nameOf(entry)), content);
      }
    }),
    { numRuns: 300 },
  );
});

/** yazl refuses the names that matter here, so they are put in afterwards over placeholders of the same length. */
async function zipWithNames(names: readonly Buffer[]): Promise<Buffer> {
  const placeholders = names.map((name, index) => String(index).padStart(Math.max(1, name.length), 'p'));
  const zip = await makeZip(placeholders.map((name) => [name, text('content')] as const));
  for (const [index, placeholder] of placeholders.entries()) {
    const name = names[index] ?? Buffer.alloc(0);
    for (let at = zip.indexOf(placeholder); at >= 0; at = zip.indexOf(placeholder, at + 1)) name.copy(zip, at);
  }
  return zip;
}
