import { PIPELINE_VERSION } from '../../schemas/fingerprint.ts';
import { DEFAULT_ARCHIVE_BUDGET, DEFAULT_FILE_BUDGET } from '../../schemas/host-protocol.ts';
import type { OUTCOMES, REASONS } from '../../schemas/outcome.ts';
import {
  REPORT_SCHEMA_VERSION,
  type ReportHead,
  type ReportItem,
  type ReportMatch,
  type ReportModelMatch,
  type STANDINGS,
} from '../../schemas/report.ts';

/** A report of any size whose figures agree with its items: for tests, and for looking at the page. */

type Outcome = (typeof OUTCOMES)[number];
type Reason = (typeof REASONS)[number];
type Standing = (typeof STANDINGS)[number];

/** An item whose enumerations are known to the compiler. */
interface SampleItem extends ReportItem {
  readonly outcome: Outcome;
  readonly reason: Reason | null;
  readonly standing: Standing;
}

const SOURCES = [
  {
    source: 'National unit',
    setName: 'national',
    setVersion: 14,
    scheme: 'caid-uk',
    code: 'A',
    label: 'Indecent image, category A',
  },
  {
    source: 'National unit',
    setName: 'national',
    setVersion: 14,
    scheme: 'caid-uk',
    code: 'C',
    label: 'Indecent image, category C',
  },
  { source: 'Partner desk', setName: 'partner exchange', setVersion: 3, scheme: 'vic-us', code: '3', label: 'CGI' },
  {
    source: 'Partner desk',
    setName: 'partner exchange',
    setVersion: 3,
    scheme: 'vic-us',
    code: '0',
    label: 'Non-pertinent',
  },
  { source: 'Own series', setName: 'own', setVersion: 1, scheme: 'unspecified', code: null, label: null },
] as const;
const SET_FACTS = {
  sourceVersion: null,
  updatedAt: null,
  hashes: [
    { algorithm: 'sha1', records: 1_204 },
    { algorithm: 'pdq', records: 1_114 },
  ],
};
const CAMERAS = [
  ['Apple', 'iPhone 13 Pro'],
  ['NIKON CORPORATION', 'NIKON D750'],
  ['samsung', 'SM-G991B'],
  ['Canon', 'Canon EOS 70D'],
  ['somebody', 'wrote this here'],
] as const;
const UNEXAMINED: ReadonlyArray<readonly [Outcome, Reason, string]> = [
  ['notExamined', 'video', 'video/mp4'],
  ['notExamined', 'document', 'application/pdf'],
  ['rejected', 'corruptHeader', 'image/jpeg'],
  ['notExamined', 'text', 'text/plain'],
  ['failed', 'memoryLimit', 'image/tiff'],
  ['notExamined', 'video', 'video/quicktime'],
  ['rejected', 'empty', 'application/octet-stream'],
];

/** The item of that index; the same index always gives the same item. */
export function sampleItem(index: number): SampleItem {
  const hash = scramble(index);
  const unexamined = hash % 11 === 0 ? UNEXAMINED[index % UNEXAMINED.length] : undefined;
  const known = unexamined === undefined && hash % 23 === 1;
  const near = unexamined === undefined && !known && hash % 31 === 2;
  const partial = unexamined === undefined && hash % 97 === 3;
  const standing: Standing =
    unexamined !== undefined ? 'none' : known ? 'known' : near ? 'nearDuplicate' : partial ? 'unknown' : 'unseen';
  const matches = known || near ? [sampleMatch(hash, known)] : [];
  const [make, model] = CAMERAS[hash % CAMERAS.length] ?? ['', ''];
  return {
    path: `/mnt/exhibit/DCIM/${100 + (index % 9)}APPLE/${index % 40 === 7 ? 'backup.zip!/old/' : ''}IMG_${String(index).padStart(4, '0')}.JPG`,
    pathHex: null,
    sizeBytes: sampleSize(index),
    modifiedAt: '2026-03-02T21:14:03Z',
    sha256: hash.toString(16).padStart(8, '0').repeat(8),
    md5: hash.toString(16).padStart(8, '0').repeat(4),
    sha1: hash.toString(16).padStart(8, '0').repeat(5),
    type: unexamined?.[2] ?? 'image/jpeg',
    outcome: unexamined?.[0] ?? (partial ? 'partial' : 'done'),
    reason: unexamined?.[1] ?? (partial ? 'truncated' : null),
    reasonDetail: partial ? 'VipsJpeg: premature end of JPEG image' : null,
    standing,
    unknownFor: standing === 'unknown' ? 'decodedInPart' : null,
    widthPixels: unexamined === undefined ? 4032 : null,
    heightPixels: unexamined === undefined ? 3024 : null,
    quality: unexamined === undefined ? 92 : null,
    trailingBytes: null,
    capture:
      unexamined === undefined
        ? {
            make,
            model,
            bodySerialNumber: null,
            lensModel: null,
            lensSerialNumber: null,
            software: null,
            capturedAt: sampleMonth(hash) === null ? null : `${sampleMonth(hash)}-11T10:00:00`,
            gps: null,
            exifOrientation: 1,
            thumbnailMismatch: null,
            syntheticTraces: [],
          }
        : null,
    matches,
    knownGood: [],
    models:
      unexamined === undefined && hash % 2 === 0
        ? {
            outcome: 'done',
            reason: null,
            facesFound: hash % 3,
            facesBelowGate: hash % 3 === 2 ? 1 : 0,
            matches: hash % 71 === 4 ? [sampleModelMatch(hash)] : [],
          }
        : null,
  };
}

/** The head that fits the first `items` sample items. */
export function sampleHead(items: number): ReportHead {
  const tally = {
    known: 0,
    nearDuplicate: 0,
    unseen: 0,
    knownGood: 0,
    contradicted: 0,
    unknown: 0,
    none: 0,
    done: 0,
    partial: 0,
    rejected: 0,
    notExamined: 0,
    failed: 0,
    examinedItems: 0,
    examinedBytes: 0,
    totalBytes: 0,
  };
  const reasons = new Map<string, { outcome: Outcome; reason: Reason; items: number }>();
  const types = new Map<string, number>();
  const months = new Map<string, number>();
  const cameras = new Map<string, number>();
  const distances = new Map<number, number>();
  const series = new Map<string, number>();
  const knownBy = SOURCES.map((line) => ({ ...line, known: 0, nearDuplicate: 0 }));
  for (let index = 0; index < items; index += 1) {
    const item = sampleItem(index);
    tally[item.standing] += 1;
    tally[item.outcome] += 1;
    tally.totalBytes += item.sizeBytes ?? 0;
    bump(types, item.type);
    if (item.outcome === 'done' || item.outcome === 'partial') {
      tally.examinedItems += 1;
      tally.examinedBytes += item.sizeBytes ?? 0;
    }
    if (item.reason !== null) {
      const line = reasons.get(item.reason) ?? { outcome: item.outcome, reason: item.reason, items: 0 };
      line.items += 1;
      reasons.set(item.reason, line);
    }
    if (item.capture !== null) {
      bump(cameras, `${item.capture.make}\n${item.capture.model}`);
      if (item.capture.capturedAt !== null) bump(months, item.capture.capturedAt.slice(0, 7));
    }
    for (const match of item.matches) {
      const line = knownBy.find((by) => by.source === match.source && by.code === (match.category?.code ?? null));
      if (line !== undefined && item.standing === 'known') line.known += 1;
      if (line !== undefined && item.standing === 'nearDuplicate') line.nearDuplicate += 1;
      if (match.method === 'pdq') bump(distances, match.distance);
      if (match.series !== null) bump(series, `${match.source}\n${match.series}`);
    }
  }
  const { none, ...counts } = tally;
  return {
    schemaVersion: REPORT_SCHEMA_VERSION,
    engine: {
      version: '0.1.0',
      pipelineVersion: PIPELINE_VERSION,
      runtime: 'Node 24.21.0, linux x64',
      decoders: ['sharp 0.35.5 (libvips 8.18.7)', 'libheif-js 1.23.2', 'bmp-ts 1.0.9'],
      algorithms: [
        { id: 'sha256', thresholdBits: 0, minimumQuality: null },
        { id: 'pdq-512/1', thresholdBits: 31, minimumQuality: 50 },
        { id: 'pdq-full/1', thresholdBits: 31, minimumQuality: 50 },
        { id: 'blockhash-256-r512/1', thresholdBits: 14, minimumQuality: 50 },
      ],
      database: 'PGlite 0.5.14 (PostgreSQL 17), pgvector 0.8.1',
      bitSearch: 'pgvector <~> scan',
    },
    batch: {
      batchId: '0198f3a2-7c11-7b0e-9a55-0f6f5a1d2c3b',
      caseRef: '2026-0114',
      exhibitRef: 'EX-3',
      organisation: 'Regional unit',
      operator: 'examiner',
      machine: 'evidence-04, Linux 6.1 x64, 16 cores, 64 GB',
      mode: 'exact',
      roots: ['/mnt/exhibit'],
      startedAt: '2026-11-24T06:03:12.000Z',
      finishedAt: '2026-11-24T06:21:40.000Z',
      complete: true,
      stages: [
        { stage: 'hashes', state: 'complete' },
        { stage: 'models', state: 'complete' },
      ],
      budgets: { file: DEFAULT_FILE_BUDGET, archive: DEFAULT_ARCHIVE_BUDGET },
      sandbox: {
        network: 'none',
        namespace: 'user',
        dataFolder: 'hidden',
        memoryLimit: true,
        cpuLimit: true,
        warnings: [],
      },
    },
    sets: [
      {
        source: 'National unit',
        name: 'national',
        version: 14,
        sha256: '5f'.repeat(32),
        format: 'vics 2.0',
        records: 4_812_044,
        importedAt: '2026-11-02T08:00:00.000Z',
        purpose: 'known',
        ...SET_FACTS,
      },
      {
        source: 'Partner desk',
        name: 'partner exchange',
        version: 3,
        sha256: 'a1'.repeat(32),
        format: 'csv',
        records: 210_338,
        importedAt: '2026-10-19T08:00:00.000Z',
        purpose: 'known',
        ...SET_FACTS,
      },
      {
        source: 'Own series',
        name: 'own',
        version: 1,
        sha256: '0c'.repeat(32),
        format: 'ndjson',
        records: 1_204,
        importedAt: '2026-11-20T08:00:00.000Z',
        purpose: 'known',
        ...SET_FACTS,
      },
    ],
    search: {
      changeId: 14,
      changedAt: '2026-11-20T08:00:00.000Z',
      awaitsRematch: null,
      models: [
        { method: 'face', state: 'leftOut' },
        { method: 'copy', state: 'complete' },
        { method: 'place', state: 'complete' },
        { method: 'camera', state: 'complete' },
      ],
    },
    counts: {
      items,
      media: items - Math.floor(items / 50),
      ...counts,
      knownBy,
      byUnknownReason: counts.unknown === 0 ? [] : [{ reason: 'decodedInPart', items: counts.unknown }],
      byReason: [...reasons.values()],
      byType: [...types].map(([type, count]) => ({ type, items: count })),
      added: { items, media: items - Math.floor(items / 50), matches: counts.known + counts.nearDuplicate },
    },
    figures: {
      bySeries: [...series].map(([key, count]) => ({
        source: key.split('\n')[0] ?? '',
        series: key.split('\n')[1] ?? '',
        items: count,
      })),
      captureTimeline: [...months].sort().map(([month, count]) => ({ month, items: count })),
      cameras: [...cameras].map(([key, count]) => ({
        make: key.split('\n')[0] ?? '',
        model: key.split('\n')[1] ?? '',
        serialNumbers: 1 + (count % 3),
        items: count,
      })),
      distanceHistogram: [...distances].map(([distance, count]) => ({ distance, items: count })),
      syntheticTraces: Math.floor(items / 211),
      withGps: Math.floor(items / 9),
    },
    models: {
      packs: [
        { id: 'blazeface', version: '1.0.0', kind: 'faceDetector', netSha256: '1b'.repeat(32) },
        { id: 'dlib-128', version: '1.0.0', kind: 'faceEmbedding', netSha256: '2c'.repeat(32) },
      ],
      provider: 'cpu',
      faceSearch: { authority: 'Order 2026-0114', necessity: 'Victims of the series are not identified yet' },
      done: Math.floor(items / 2),
      partial: 3,
      rejected: 1,
      failed: 2,
      left: 0,
      faces: Math.floor(items / 3),
      facesBelowGate: { eyeDistance: 5, sharpness: 3, pose: 1 },
      matched: [
        { method: 'copy', media: 12 },
        { method: 'face', media: 7 },
      ],
      openLeads: 9,
      stepMs: [
        { step: 'decode', durationMs: 41_200 },
        { step: 'copies', durationMs: 93_800 },
      ],
    },
    itemsFile: items > 100_000 ? 'report.items.ndjson' : null,
  };
}

function sampleMatch(hash: number, known: boolean): ReportMatch {
  const line = SOURCES[(hash >>> 3) % SOURCES.length] ?? SOURCES[0];
  return {
    method: known ? 'sha256' : 'pdq',
    algorithm: known ? 'sha256' : 'pdq-full/1',
    distance: known ? 0 : Math.floor(((hash >>> 7) % 32) * (((hash >>> 12) % 16) / 15)),
    threshold: known ? 0 : 31,
    orientation: known ? null : hash % 3 === 0 ? 'flipY' : 'original',
    flavour: known ? null : 'pdq-full',
    expectedFalseMatches: known ? null : 0.0002,
    source: line.source,
    setName: line.setName,
    setVersion: line.setVersion,
    series:
      hash % 4 === 0
        ? null
        : `Series ${['Harbour', 'Lantern', 'Meadow', 'Quarry', 'Tramway', 'Willow'][hash % 6] ?? ''}`,
    category: line.code === null ? null : { scheme: line.scheme, code: line.code, label: line.label },
  };
}

function sampleModelMatch(hash: number): ReportModelMatch {
  return {
    matchId: hash % 10_000,
    method: 'face',
    algorithm: 'dlib-128@1.0.0/embedding+faceres-1024@1.0.0/embedding',
    distance: 0.091,
    threshold: 0.152,
    expectedFalseMatches: 0.08,
    calibrated: true,
    borderline: false,
    inliers: null,
    source: 'Regional unit',
    series: 'Series Lantern',
    reference: 'V1',
  };
}

function sampleSize(index: number): number {
  return 400_000 + (scramble(index) % 6_000_000);
}

function sampleMonth(hash: number): string | null {
  if (hash % 7 === 0) return null;
  const month = Math.floor(((hash >>> 5) % 34) * (((hash >>> 11) % 9) / 8));
  return `${2026 - Math.floor(month / 12)}-${String(12 - (month % 12)).padStart(2, '0')}`;
}

/** A 32-bit finaliser (Murmur3's fmix32): near indexes give unlike numbers. */
function scramble(index: number): number {
  let value = index + 0x9e3779b9;
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

function bump<K>(values: Map<K, number>, key: K): void {
  values.set(key, (values.get(key) ?? 0) + 1);
}
