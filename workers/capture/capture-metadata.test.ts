import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { crc32, deflateSync } from 'node:zlib';
import fc from 'fast-check';
import sharp, { type Exif } from 'sharp';
import { Compile } from 'typebox/compile';
import { CaptureMetadata } from '../../schemas/fingerprint.ts';
import { needsShared, requireShared } from '../../test/shared-data.ts';
import { decodePicture } from '../decode/decode.ts';
import { sniffType } from '../read/sniff.ts';
import { boundedText } from './bounded-text.ts';
import { readCapture } from './capture-metadata.ts';
import { isoTime } from './capture-time.ts';
import { degrees } from './gps-position.ts';

const isCapture = Compile(CaptureMetadata);

/** Reads the capture metadata of a file as a host does, and holds it to the schema. */
async function captureOf(bytes: Buffer): Promise<CaptureMetadata | null> {
  const type = sniffType(bytes.subarray(0, 65_536));
  assert.ok(type.class.kind === 'picture');
  const decoded = await decodePicture(bytes, type.mediaType, type.class.decoder, {
    mode: 'exact',
    budget: { pixels: 100_000_000, sidePixels: 65_500 },
  });
  const capture = await readCapture(bytes, type.mediaType, decoded.kind === 'decoded' ? decoded : null);
  if (capture !== null) assert.ok(isCapture.Check(capture), JSON.stringify(isCapture.Errors(capture)));
  return capture;
}

const plain = () => sharp({ create: { width: 16, height: 12, channels: 3, background: '#4080c0' } });
const withExif = (exif: Exif) => plain().jpeg().withExif(exif).toBuffer();

/** Inserts chunks before the end of a PNG. */
async function pngWith(...chunks: readonly (readonly [string, Buffer])[]): Promise<Buffer> {
  const png = await plain().png().toBuffer();
  const made = chunks.map(([type, data]) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(data.length, 0);
    frame.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  });
  return Buffer.concat([png.subarray(0, 33), ...made, png.subarray(33)]);
}
/** Inserts a segment behind the start of a JPEG. */
async function jpegWith(marker: number, payload: Buffer): Promise<Buffer> {
  const jpeg = await plain().jpeg().toBuffer();
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(payload.length + 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), head, payload, jpeg.subarray(2)]);
}
const text = (keyword: string, value: string) => Buffer.from(`${keyword}\0${value}`, 'latin1');

describe('camera, time and place', () => {
  it('come from EXIF, with the offset of the time and the sign of the hemisphere', async () => {
    const capture = await captureOf(
      await withExif({
        IFD0: { Make: 'Homeward', Model: 'Test 1', Software: '1.0' },
        IFD2: {
          DateTimeOriginal: '2024:07:03 18:04:05',
          SubSecTimeOriginal: '25',
          OffsetTimeOriginal: '+05:30',
          BodySerialNumber: 'B-7',
          LensModel: 'L 35mm',
          LensSerialNumber: 'L-9',
        },
        IFD3: {
          GPSLatitudeRef: 'S',
          GPSLatitude: '33/1 51/1 3550/100',
          GPSLongitudeRef: 'E',
          GPSLongitude: '151/1 12/1 4020/100',
          GPSAltitude: '585/10',
        },
      }),
    );
    assert.deepEqual(capture, {
      make: 'Homeward',
      model: 'Test 1',
      bodySerialNumber: 'B-7',
      lensModel: 'L 35mm',
      lensSerialNumber: 'L-9',
      software: '1.0',
      capturedAt: '2024-07-03T18:04:05.25+05:30',
      gps: { latitudeDegrees: -33.8598611, longitudeDegrees: 151.2111667, altitudeMetres: 58.5 },
      exifOrientation: capture?.exifOrientation ?? null,
      thumbnailMismatch: null,
      syntheticTraces: [],
    });
  });

  it('a position without hemispheres is none', async () => {
    const capture = await captureOf(
      await withExif({ IFD0: { Make: 'x' }, IFD3: { GPSLatitude: '33/1 51/1 0/1', GPSLongitude: '151/1 12/1 0/1' } }),
    );
    assert.equal(capture?.gps, null);
  });

  it('degrees that cannot be are none', () => {
    const dms = (d: number, m: number, s: number) => [
      [d, 1],
      [m, 1],
      [s, 1],
    ];
    assert.equal(degrees(dms(91, 0, 0), 1, 90), null);
    assert.equal(degrees(dms(10, 60, 0), 1, 90), null);
    assert.equal(
      degrees(
        [
          [10, 1],
          [0, 0],
          [0, 1],
        ],
        1,
        90,
      ),
      null,
    );
    assert.equal(
      degrees(
        [
          [10, 1],
          [305, 10],
          [0, 0],
        ],
        -1,
        90,
      ),
      -10.5083333,
    );
  });

  it('times that cannot be are none', () => {
    for (const time of [
      '0000:00:00 00:00:00',
      '    :  :     :  :  ',
      '2024:02:30 10:00:00',
      '2024:01:01 25:00:00',
      'yesterday',
      12,
      null,
    ])
      assert.equal(isoTime(time, null, null), null, String(time));
    assert.equal(isoTime(['2024:02:29 23:59:59'], ['not'], ['+99:00']), '2024-02-29T23:59:59');
  });

  it('text is bounded, printable and trimmed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (value) => {
        const result = boundedText(value);
        assert.ok(
          result === null || (result.length <= 200 && result.isWellFormed() && !/[\p{Cc}\u202e]/u.test(result)),
        );
      }),
    );
    assert.equal(boundedText(' a\u0000\u202eb\n'), 'a b');
    assert.equal(boundedText('\u0000 \u0000'), null);
  });

  it('a picture that says nothing has none', async () =>
    assert.equal(await captureOf(await plain().png().toBuffer()), null));

  it('come from the eXIf chunk of a PNG too', async () => {
    const capture = await captureOf(
      await plain()
        .png()
        .withExif({ IFD0: { Make: 'In PNG' } })
        .toBuffer(),
    );
    assert.equal(capture?.make, 'In PNG');
  });
});

describe('traces of generation and editing', () => {
  const details = async (bytes: Buffer) =>
    (await captureOf(bytes))?.syntheticTraces.map(({ kind, detail }) => `${kind}: ${detail}`) ?? [];

  it('a generator that wrote its parameters into a text chunk', async () => {
    const bytes = await pngWith([
      'tEXt',
      text('parameters', 'a lake at dawn\nSteps: 20, Sampler: Euler a, Size: 512x512'),
    ]);
    assert.deepEqual(await details(bytes), [
      'generatorText: PNG text parameters: a lake at dawn Steps: 20, Sampler: Euler a, Size: 512x512',
    ]);
  });

  it('compressed and international text chunks', async () => {
    const compressed = Buffer.concat([Buffer.from('workflow\0\0', 'latin1'), deflateSync('{"nodes":[]}')]);
    const international = Buffer.concat([Buffer.from('Software\0\x01\0\0\0', 'latin1'), deflateSync('NovelAI')]);
    assert.deepEqual(await details(await pngWith(['zTXt', compressed], ['iTXt', international])), [
      'generatorText: PNG text workflow: {"nodes":[]}',
      'generatorText: PNG text Software: NovelAI',
    ]);
  });

  it('the source type of IPTC in XMP, unless it says a camera took it', async () => {
    const xmp = (term: string) =>
      jpegWith(
        0xe1,
        Buffer.from(
          `http://ns.adobe.com/xap/1.0/\0<x:xmpmeta><rdf:Description Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/${term}"/></x:xmpmeta>`,
          'latin1',
        ),
      );
    assert.deepEqual(await details(await xmp('trainedAlgorithmicMedia')), [
      'digitalSourceType: XMP: trainedAlgorithmicMedia',
    ]);
    assert.deepEqual(await details(await xmp('digitalCapture')), []);
  });

  it('content credentials, with who claims them', async () => {
    const key = Buffer.from('claim_generator', 'latin1');
    const store = Buffer.concat([
      Buffer.from('JP\0\x01\0\0\0\x01\0\0\0\x99jumb....c2pa', 'latin1'),
      Buffer.from([0x60 + key.length]),
      key,
      Buffer.from([0x6b]),
      Buffer.from('Generator/1', 'latin1'),
    ]);
    assert.deepEqual(await details(await jpegWith(0xeb, store)), ['c2pa: JPEG APP11, claim by Generator/1']);
    assert.deepEqual(await details(await pngWith(['caBX', Buffer.from('jumbc2pa', 'latin1')])), ['c2pa: PNG caBX']);
  });

  it('an editor that names itself', async () => {
    assert.deepEqual(await details(await withExif({ IFD0: { Software: 'Adobe Photoshop 25.0' } })), [
      'editingSoftware: EXIF Software: Adobe Photoshop 25.0',
    ]);
  });

  it('at most sixteen, however many there are, and a text that would inflate to 64 MB costs nothing', async () => {
    const bomb = Buffer.concat([Buffer.from('prompt\0\0', 'latin1'), deflateSync(Buffer.alloc(64 * 1024 * 1024))]);
    const many = Array.from({ length: 40 }, (_, i) => ['tEXt', text('prompt', `number ${i}`)] as const);
    const started = performance.now();
    assert.equal((await details(await pngWith(['zTXt', bomb], ...many))).length, 16);
    assert.ok(performance.now() - started < 3000);
  });
});

describe('the embedded thumbnail', needsShared, () => {
  const flagOf = async (file: string) => (await captureOf(readFileSync(requireShared(file))))?.thumbnailMismatch;

  it('fits the picture it came with, in every sample whose tool renewed it', async () => {
    for (const name of [
      'Canon_40D',
      'Canon_PowerShot_S40',
      'Konica_Minolta_DiMAGE_Z3',
      'Sony_HDR-HC3',
      'exif-org__fujifilm-finepix40i',
    ])
      assert.equal(await flagOf(`data/hostile/suites/exif-samples/${name}.jpg`), false, name);
  });
  it('is flagged when it shows another picture', async () =>
    assert.equal(await flagOf('data/hostile/gen/polyglot/exif-thumbnail-differs.jpg'), true));
  it('is flagged when the picture was cropped after it', async () =>
    assert.equal(await flagOf('data/faces/kit_harington__john2.jpeg'), true));
  it('is no matter where there is none', async () =>
    assert.equal(await flagOf('data/hostile/suites/exif-samples/Fujifilm_FinePix_E500.jpg'), null));
});

describe('metadata of public samples', needsShared, () => {
  it('camera and time are read', async () => {
    const capture = await captureOf(readFileSync(requireShared('data/hostile/suites/exif-samples/Canon_40D.jpg')));
    assert.deepEqual(
      [capture?.make, capture?.model, capture?.software, capture?.capturedAt, capture?.exifOrientation],
      ['Canon', 'Canon EOS 40D', 'GIMP 2.4.5', '2008-05-30T15:56:01.00', 1],
    );
  });

  it('any damage to it is no trouble', async () => {
    const whole = readFileSync(requireShared('data/hostile/suites/exif-samples/Canon_PowerShot_S40.jpg'));
    const change = fc.tuple(fc.integer({ min: 20, max: 6000 }), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), async (changes) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        const capture = await readCapture(bytes, 'image/jpeg', null);
        assert.ok(capture === null || isCapture.Check(capture));
      }),
      { numRuns: 300 },
    );
  });
});
