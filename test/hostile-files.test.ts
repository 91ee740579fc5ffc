import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { Examination } from '../schemas/fingerprint.ts';
import { DEFAULT_FILE_BUDGET } from '../schemas/host-protocol.ts';
import { examineFile } from '../workers/examine.ts';
import { PictureHasher } from '../workers/hash/picture-hasher.ts';
import { INDEX_CLASSES as ACCEPTED, hostileExpectation } from './hostile-expectations.ts';
import { needsShared, requireShared } from './shared-data.ts';

const HostileIndex = Compile(
  Type.Object({
    files: Type.Array(
      Type.Object({ file: Type.String(), sha256: Type.String(), expected: Type.Object({ outcome: Type.String() }) }),
    ),
  }),
);
const isExamination = Compile(Examination);

/** Two thousand scans of 64 Mpx take seconds of every core; the process tests of the fleet have it. */
const LEFT_TO_PROCESS_TESTS = new Set(['gen/bomb/jpeg-prog-2000scans.jpg']);
/** A zip is by content what it is, though the index's tool only saw that it is no picture: it goes to the unpack host. */
const KNOWN_DISAGREEMENTS = ['gen/polyglot/zip-head.jpg', 'gen/wrongtype/zip.jpg'];

interface Seen {
  readonly file: string;
  readonly indexed: string;
  readonly sha256: string;
  readonly examination: Examination;
}

describe('R2: the hostile files, examined', { ...needsShared, timeout: 120_000 }, () => {
  const seen: Seen[] = [];

  before(async () => {
    const folder = requireShared('data/hostile');
    const index: unknown = JSON.parse(readFileSync(path.join(folder, 'index.json'), 'utf8'));
    assert.ok(HostileIndex.Check(index));
    const hasher = await PictureHasher.load();
    for (const { file, sha256, expected } of index.files) {
      if (LEFT_TO_PROCESS_TESTS.has(file)) continue;
      const request = {
        path: Buffer.from(path.join(folder, file)),
        mode: 'exact',
        budget: DEFAULT_FILE_BUDGET,
      } as const;
      seen.push({ file, sha256, indexed: expected.outcome, examination: await examineFile(request, hasher) });
    }
  });

  it('every one has an outcome, a record that the schema allows, and the digest of the index', () => {
    assert.ok(seen.length > 1000);
    for (const { file, sha256, examination } of seen) {
      assert.ok(
        isExamination.Check(examination),
        `${file}: ${JSON.stringify(isExamination.Errors(examination).slice(0, 2))}`,
      );
      assert.equal(examination.digests?.sha256, sha256, file);
      assert.equal(examination.outcome === 'done', examination.reason === null, file);
    }
  });

  it('the outcome is the one of the index for at least 99 % of those that its tool could judge', () => {
    const judged = seen.filter(
      ({ file, indexed }) => ACCEPTED[indexed] !== undefined && hostileExpectation(file) === undefined,
    );
    const others = judged
      .filter(({ indexed, examination }) => !ACCEPTED[indexed]?.includes(examination.outcome))
      .map(({ file }) => file);
    assert.ok(judged.length > 750);
    assert.deepEqual(others.sort(), KNOWN_DISAGREEMENTS);
    assert.ok(others.length <= judged.length / 100);
  });

  it('the outcome is the one written down for those that it could not judge', () => {
    let judged = 0;
    for (const { file, examination } of seen) {
      const expected = hostileExpectation(file);
      if (expected === undefined) continue;
      judged += 1;
      assert.ok(
        [expected.outcome].flat().includes(examination.outcome),
        `${file} (${expected.why}): ${JSON.stringify(examination.reason)}`,
      );
      if (expected.reason !== undefined) assert.equal(examination.reason?.code, expected.reason, file);
    }
    assert.ok(judged > 200);
  });

  it('every archive is handed on with its type', () => {
    const archives = seen.filter(({ file }) => file.startsWith('gen/archive/'));
    assert.ok(archives.length >= 21);
    for (const { file, examination } of archives) {
      assert.deepEqual([examination.outcome, examination.picture], ['done', null], file);
      assert.match(examination.type, /^application\/(?:zip|gzip|x-tar)$/);
    }
  });

  it('whatever was decoded was hashed, and nothing else was', () => {
    for (const { file, examination } of seen) {
      const hashed = examination.picture?.pdq.length === 2;
      const decoded =
        examination.outcome === 'partial' || (examination.outcome === 'done' && examination.type.startsWith('image/'));
      assert.equal(hashed, decoded, file);
    }
  });

  it('bytes behind the picture of a polyglot are counted', () => {
    const trailing = Object.fromEntries(
      seen
        .filter(({ file }) => file.startsWith('gen/polyglot/'))
        .map(({ file, examination }) => [path.basename(file), examination.trailingBytes]),
    );
    assert.equal(trailing['motionphoto.jpg'], 100);
    assert.equal(trailing['jpeg+zip.jpg'], 16_946);
    assert.equal(trailing['png+html.png'], 25);
    assert.equal(trailing['gif+js.gif'], 15);
    assert.equal(trailing['jpeg-comment-php.jpg'], 0);
  });
});
