import type { Outcome, ReasonCode } from '../schemas/outcome.ts';

/**
 * What should become of the hostile files that the index beside them could not judge: its tool opened SVG, and knew neither BMP nor HEVC.
 * Each is judged from what the file is, by its maker's description and its header fields. Archives are `done` here: a picture host reports
 * type and digests, and another host unpacks them.
 */
export interface HostileExpectation {
  readonly outcome: Outcome | readonly Outcome[];
  readonly reason?: ReasonCode;
  readonly why: string;
}

/** The index's classes in our outcomes. What it calls rejected is often no picture at all, which is notExamined here. */
export const INDEX_CLASSES: Readonly<Record<string, readonly Outcome[]>> = {
  decodable: ['done'],
  partial: ['partial'],
  rejected: ['rejected', 'notExamined'],
  'rejected or time/memory-limited': ['rejected', 'failed'],
};
const SVG: HostileExpectation = { outcome: 'notExamined', reason: 'vectorGraphic', why: 'SVG, which no host opens' };
const GZIP: HostileExpectation = { outcome: 'done', why: 'gzip; what is inside is examined when it was unpacked' };
const TWIN: HostileExpectation = { outcome: 'done', why: 'a BMP that a tool made from a valid PNG' };
const SOUND: HostileExpectation = { outcome: 'done', why: 'a valid BMP of an unusual kind' };
const NO_HEADER: HostileExpectation = { outcome: 'notExamined', why: 'too short to have a header that tells a type' };
const CUT_HEADER: HostileExpectation = {
  outcome: 'rejected',
  reason: 'truncated',
  why: 'header, but not one row of pixels',
};
const CUT_ROWS: HostileExpectation = { outcome: 'partial', reason: 'truncated', why: 'some of its rows' };
const PIXELS_ONLY: HostileExpectation = { outcome: 'done', why: 'changed in its pixels only, which have no checksum' };

const IMAGE_RS = 'suites/image-rs/images__bmp__images__';
const BAD = 'suites/image-rs/bad__bmp__';
const SINGLE: Readonly<Record<string, HostileExpectation>> = {
  'gen/svg/notroot.svg': { outcome: 'notExamined', why: 'its root element is HTML' },
  'gen/svg/bomb.svgz': GZIP,
  'suites/libvips/logo.svgz': GZIP,
  'suites/libvips/logo.svg.gz': GZIP,
  'suites/libvips/truncated.svgz': GZIP,
  'gen/svg/laughs-as.jpg': SVG,
  'gen/svg/xxe-as.png': SVG,
  'gen/valid/bmp24.bmp': SOUND,
  'gen/tiny/1x1.bmp': SOUND,
  'gen/wrongtype/bmp-named.jpg': SOUND,
  'suites/libvips/small.bmp': SOUND,
  'suites/libjpeg-turbo/vgl_6434_0018a.bmp': SOUND,
  'suites/exif-samples-heic/samplefilehub.heif': { outcome: 'done', why: 'a valid HEVC picture' },
  [`${BAD}Bad_badbitcount.bmp`]: { outcome: 'rejected', reason: 'unsupportedVariant', why: '30000 bits a pixel' },
  [`${BAD}Bad_clrsUsed.bmp`]: {
    outcome: 'partial',
    reason: 'corruptData',
    why: 'claims four milliards of colours, has six and its pixels',
  },
  [`${BAD}Bad_shortfile.bmp`]: CUT_ROWS,
  [`${BAD}Bad_unusual_extend_buffer_usage.bmp`]: {
    outcome: ['partial', 'rejected'],
    why: 'RLE data that ends after 133 bytes of 48 million pixels',
  },
  [`${BAD}Bad_width.bmp`]: { outcome: 'rejected', reason: 'dimensionLimit', why: '2147483647 pixels wide' },
  [`${IMAGE_RS}lenient__badrle.bmp`]: {
    outcome: 'partial',
    reason: 'corruptData',
    why: 'RLE data runs out of the picture',
  },
  [`${IMAGE_RS}pal8badindex.bmp`]: {
    outcome: 'partial',
    reason: 'corruptData',
    why: 'indices of colours that its palette does not have',
  },
  'gen/mutated/bmp24.m3.bmp': { outcome: ['notExamined', 'rejected'], why: 'its header size is no header' },
  'gen/mutated/bmp24.m7.bmp': { outcome: 'rejected', reason: 'dimensionLimit', why: '3997768 pixels high' },
  'gen/huge-header/bmp-65535.bmp': {
    outcome: 'rejected',
    reason: 'dimensionLimit',
    why: '65535 x 65535 pixels in 102 bytes',
  },
  'gen/huge-header/bmp-negative.bmp': {
    outcome: 'rejected',
    reason: 'corruptHeader',
    why: 'the smallest integer as width',
  },
};

/** The expectation for a file of the index, or undefined where the index itself says what to expect. */
export function hostileExpectation(file: string): HostileExpectation | undefined {
  const single = SINGLE[file];
  if (single !== undefined) return single;
  if (file.endsWith('.svg')) return SVG;
  if (!file.endsWith('.bmp')) return undefined;
  if (file.startsWith('suites/pngsuite-bmp/')) return TWIN;
  if (file.startsWith(IMAGE_RS)) return SOUND;
  if (file.startsWith('gen/mutated/')) return PIXELS_ONLY;
  const kept = /^gen\/truncated\/bmp24\.t(\d+)\.bmp$/.exec(file)?.[1];
  if (kept === undefined) return undefined;
  // 14 bytes of file header and 4 of header size make a BMP; 54 bytes of header and 288 a row make a picture.
  return Number(kept) < 18 ? NO_HEADER : Number(kept) < 54 + 288 ? CUT_HEADER : CUT_ROWS;
}
