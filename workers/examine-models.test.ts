import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Compile } from 'typebox/compile';
import { Embedding, type EmbedPlan } from '../schemas/embedding.ts';
import { DEFAULT_FILE_BUDGET } from '../schemas/host-protocol.ts';
import { drawing } from './decode/test-encoded-pictures.ts';
import { MediaEmbedder } from './embed/media-embedder.ts';
import { SHIPPED_PACKS, shippedPacks } from './embed/test-packs.ts';
import { embedFile } from './examine-models.ts';
import { extractKeypoints, KEYPOINT_SIDE_PIXELS } from './geometry/extract-keypoints.ts';

const PLAN: EmbedPlan = { faceDetector: null, packs: [SHIPPED_PACKS.copies, SHIPPED_PACKS.places], keypoints: true };
const check = Compile(Embedding);

describe('embedFile', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'homeward-embed-'));
  let embedder: MediaEmbedder;
  before(async () => {
    embedder = await MediaEmbedder.open(await shippedPacks(PLAN.packs));
  });
  after(async () => {
    await embedder.close();
    rmSync(folder, { recursive: true });
  });

  const tools = () => ({ embedder, extractKeypoints, keypointSidePixels: KEYPOINT_SIDE_PIXELS });
  async function embedded(
    bytes: Uint8Array,
    sha256: string | null = null,
    budget = DEFAULT_FILE_BUDGET,
  ): Promise<Embedding> {
    const file = path.join(folder, 'file');
    writeFileSync(file, bytes);
    const answer = await embedFile({ path: Buffer.from(file), sha256, plan: PLAN, budget }, tools());
    assert.ok(check.Check(answer), JSON.stringify(check.Errors(answer)[0]));
    return answer;
  }
  const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
  const picture = () => drawing(5, { widthPixels: 900, heightPixels: 600 });

  it('says of the file that was asked for what the models say of it', async () => {
    const bytes = await picture().jpeg().toBuffer();
    const answer = await embedded(bytes, digest(bytes));
    assert.deepEqual([answer.outcome, answer.reason, answer.sha256], ['done', null, digest(bytes)]);
    assert.ok(answer.vectors.length >= 5 && (answer.keypoints?.count ?? 0) > 10);
    assert.deepEqual(
      answer.stepMs.map(({ step }) => step),
      ['read', 'decode', 'copies', 'places', 'keypoints'],
    );
  });

  it('rejects a file that is not the content any more that was recorded', async () => {
    const bytes = await picture().jpeg().toBuffer();
    const answer = await embedded(bytes, digest(Buffer.from('another')));
    assert.deepEqual([answer.outcome, answer.reason?.code, answer.sha256], ['rejected', 'changed', digest(bytes)]);
    assert.deepEqual([answer.vectors, answer.keypoints], [[], null]);
  });

  it('describes a turned photograph as the upright one it shows', async () => {
    const upright = await embedded(await picture().png().toBuffer());
    // Orientation 8: shown turned to the left, so it is stored turned to the right.
    const turned = await drawing(5, { widthPixels: 900, heightPixels: 600 })
      .rotate(90)
      .withMetadata({ orientation: 8 })
      .jpeg({ quality: 95 })
      .toBuffer();
    const answer = await embedded(turned);
    const vector = ({ vectors }: Embedding) => {
      const found = vectors.find(({ output }) => output === 'block13');
      return Array.from({ length: found?.dimensions ?? 0 }, (_, i) =>
        Buffer.from(found?.values ?? '', 'base64').readFloatLE(i * 4),
      );
    };
    const [a, b] = [vector(upright), vector(answer)];
    const cosine = a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
    assert.ok(cosine > 0.99, `${cosine}`);
  });

  it('decodes a large photograph no larger than it is needed', async () => {
    const large = picture().resize(4000, 2668).jpeg();
    const answer = await embedded(await large.toBuffer());
    assert.equal(answer.outcome, 'done');
    assert.ok(answer.vectors.length > 0);
  });

  for (const [name, bytes, outcome, code] of [
    ['an empty file', Buffer.alloc(0), 'rejected', 'empty'],
    ['a text', Buffer.from('just words, nothing else\n'.repeat(40)), 'notExamined', 'text'],
    ['half a header', Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1'), 'rejected', undefined],
  ] as const)
    it(`R2: records what is wrong with ${name}`, async () => {
      const answer = await embedded(bytes);
      assert.equal(answer.outcome, outcome);
      if (code !== undefined) assert.equal(answer.reason?.code, code);
      assert.deepEqual(answer.vectors, []);
    });

  it('R2: says what it can of a damaged picture', async () => {
    const bytes = await picture().jpeg().toBuffer();
    const answer = await embedded(bytes.subarray(0, Math.floor(bytes.length * 0.7)));
    assert.equal(answer.outcome, 'partial');
    assert.ok(answer.reason !== null && answer.vectors.length > 0);
  });

  it('R3: keeps the budget of pixels', async () => {
    const bytes = await picture().png().toBuffer();
    const answer = await embedded(bytes, null, { ...DEFAULT_FILE_BUDGET, pixels: 1000 });
    assert.deepEqual([answer.outcome, answer.reason?.code], ['rejected', 'pixelLimit']);
  });
});
