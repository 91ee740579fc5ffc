import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Compile } from 'typebox/compile';
import { DemoOrder } from '../../schemas/demo.ts';
import { explainDemo } from './explain.ts';
import { demoPlan } from './plan.ts';

const plan = demoPlan();
/** What a scan finds when all goes as planned. */
const asPlanned = plan.expected.map((expected) => ({
  path: `/tmp/some folder/${expected.path}`,
  outcome: expected.outcome,
  reason: expected.reason,
  standing: expected.standing,
}));

describe('the demo plan', () => {
  it('is an order that the renderer understands', () => {
    assert.ok(Compile(DemoOrder).Check(plan.order));
  });

  it('names every file once, and expects something of every file it seizes', () => {
    const files = [...plan.order.pictures, ...plan.order.texts, ...plan.order.archives].map((entry) => entry.file);
    assert.equal(new Set(files).size, files.length);
    const expected = new Set(plan.expected.map((entry) => entry.path));
    for (const file of files.filter((name) => name.startsWith(`${plan.seizedFolder}/`)))
      assert.ok(expected.has(file), file);
  });

  it('leaves some scenes unknown', () => {
    const known = new Set(plan.series.flatMap((series) => series.scenes));
    assert.ok(plan.order.pictures.filter((picture) => !known.has(picture.scene)).length >= 5);
  });
});

describe('the demo explanation', () => {
  it('says what was found of each group and why', () => {
    const { asPlanned: held, lines, surprises } = explainDemo(plan, asPlanned);
    assert.deepEqual(surprises, []);
    assert.ok(held);
    assert.equal(lines.find((line) => line.group === 'mirrored')?.finding, 'mirrored: 5 of 5 near duplicates');
    assert.equal(
      lines.find((line) => line.group === 'truncated')?.finding,
      'a file that ends too early: 1 of 1 examined in part, unknown',
    );
    assert.ok(lines.every((line) => line.why.endsWith('.')));
  });

  it('tells what came out otherwise, is missing or was not planned', () => {
    const [first, second, ...rest] = asPlanned;
    assert.ok(first !== undefined && second !== undefined);
    const stray = { ...second, path: '/tmp/some folder/seized/stray.jpg' };
    const { asPlanned: held, surprises } = explainDemo(plan, [{ ...first, standing: 'unseen' }, stray, ...rest]);
    assert.equal(held, false);
    assert.deepEqual(surprises, [plan.expected[0]?.path, plan.expected[1]?.path, 'seized/stray.jpg']);
  });
});
