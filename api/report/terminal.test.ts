import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ReportHead } from '../../schemas/report.ts';
import { createMask } from './mask.ts';
import { sampleHead } from './sample-report.ts';
import { renderTerminalSummary } from './terminal.ts';
import { CANARIES, picturesInText } from './test-canaries.ts';

const mask = createMask({ reveal: false, key: 'test' });
const plain = { colour: false, columns: 100, mask, written: [{ what: 'Page', path: 'out/report.html' }] };

function lines(head: ReportHead, options: Parameters<typeof renderTerminalSummary>[1] = plain): string[] {
  return renderTerminalSummary(head, options).split('\n');
}

describe('the terminal summary', () => {
  it('opens with how much was examined', () => {
    const head = sampleHead(500);
    const [first] = lines(head);
    assert.match(
      first ?? '',
      new RegExp(`^Examined ${head.counts.examinedItems} of 500 files, [0-9,]+ of [0-9,]+ bytes\\.$`),
    );
  });

  it('goes in the order of the page and ends with what to do and what was written', () => {
    const headings = lines(sampleHead(500)).filter((line) => /^[A-Z][a-z ]+(?: \(.*\))?$/.test(line));
    assert.deepEqual(
      headings.map((heading) => heading.split(' (')[0]),
      ['Known', 'Near duplicates', 'Unseen', 'Unknown', 'Models', 'Outcomes', 'How this was made', 'What to do next'],
    );
    assert.equal(lines(sampleHead(500)).at(-2), '  Page: out/report.html');
  });

  it('says how many faces could not be compared, and why', () => {
    const head = sampleHead(500);
    const models = head.models ?? assert.fail('no models');
    const text = (facesBelowGate: typeof models.facesBelowGate) =>
      renderTerminalSummary({ ...head, models: { ...models, facesBelowGate } }, plain).replaceAll(/\s+/g, ' ');
    assert.match(
      text({ eyeDistance: 1_204, sharpness: 3, pose: 0 }),
      /faces found, 1,207 faces too small or unclear to compare \(1,204 too small, 3 blurred\)\./,
    );
    assert.match(
      text({ eyeDistance: 0, sharpness: 0, pose: 1 }),
      /, 1 face too small or unclear to compare \(1 turned away\)\./,
    );
    assert.doesNotMatch(text({ eyeDistance: 0, sharpness: 0, pose: 0 }), /unclear/);
    assert.doesNotMatch(text(null), /unclear/);
  });

  it('shows the known with every line of the breakdown', () => {
    const head = sampleHead(500);
    const all = lines(head);
    const first = all.findIndex((line) => line.startsWith('Known'));
    assert.equal(all[first + 1]?.trim(), `${head.counts.known}  files`);
    for (const line of head.counts.knownBy.filter((by) => by.known > 0)) {
      const said = `${line.known}  recorded by ${line.source} ${line.code === null ? 'without a category' : `as ${line.code}`}`;
      assert.ok(
        all.some((text) => text.trim().startsWith(said)),
        said,
      );
    }
  });

  it('does not show a sum that lost its breakdown', () => {
    const head = sampleHead(500);
    const text = renderTerminalSummary({ ...head, counts: { ...head.counts, known: 987_654, knownBy: [] } }, plain);
    assert.ok(!text.includes('987,654'));
  });

  it('says that a second scan added nothing', () => {
    const head = sampleHead(50);
    const again = { ...head, counts: { ...head.counts, added: { items: 0, media: 0, matches: 0 } } };
    assert.match(renderTerminalSummary(again, plain), /^This run added nothing to the database/m);
  });

  it('says what known-good sets have, against known material alone, and alarms where the two contradict each other', () => {
    const head = sampleHead(500);
    const good = { ...(head.sets[0] ?? assert.fail('no set')), name: 'RDS', purpose: 'good' as const };
    const text = renderTerminalSummary(
      { ...head, sets: [...head.sets, good], counts: { ...head.counts, knownGood: 12, contradicted: 1 } },
      plain,
    );
    assert.match(text, /12 further files matched nothing known and\s+are in a known-good\s+set/);
    assert.match(text, /said against 3 sets/);
    assert.match(text, /Sets contradict each other: 1 file matched/);
  });

  it('says whose material it is, without what was not given', () => {
    const head = sampleHead(50);
    const said = (caseRef: string, exhibitRef: string) =>
      lines({ ...head, batch: { ...head.batch, caseRef, exhibitRef, organisation: 'Unit 7' } })[2]?.split(';')[0];
    assert.deepEqual(
      [said('C-1', '2'), said('C-1', ''), said('', '2'), said('', '')],
      ['Case C-1, exhibit 2, Unit 7', 'Case C-1, Unit 7', 'Exhibit 2, Unit 7', 'Unit 7'],
    );
  });

  it('says in red that there was no sandbox', () => {
    const head = sampleHead(50);
    const bad = { ...head, batch: { ...head.batch, sandbox: { ...head.batch.sandbox, network: 'host' as const } } };
    assert.ok(renderTerminalSummary(bad, { ...plain, colour: true }).includes('\u001b[1;31m  Sandbox: MISSING'));
    assert.match(renderTerminalSummary(bad, plain), /^ {2}Sandbox: MISSING/m);
  });

  it('is plain text without colour', () => {
    assert.ok(!renderTerminalSummary(sampleHead(500), plain).includes('\u001b'));
    assert.ok(renderTerminalSummary(sampleHead(500), { ...plain, colour: true }).includes('\u001b[1m'));
  });

  it('S1, S9: lets no planted text act on the terminal or carry a picture, masked or revealed', () => {
    const head = sampleHead(500);
    for (const canary of CANARIES) {
      const bad: ReportHead = {
        ...head,
        batch: {
          ...head.batch,
          caseRef: canary,
          exhibitRef: canary,
          organisation: canary,
          operator: canary,
          machine: canary,
        },
        sets: head.sets.map((set) => ({ ...set, name: canary, source: canary })),
        counts: {
          ...head.counts,
          knownBy: head.counts.knownBy.map((line) => ({ ...line, source: canary, setName: canary, label: canary })),
        },
        figures: {
          ...head.figures,
          bySeries: head.figures.bySeries.map((line) => ({ ...line, series: canary, source: canary })),
        },
      };
      for (const reveal of [true, false]) {
        const text = renderTerminalSummary(bad, {
          ...plain,
          mask: createMask({ reveal, key: 'test' }),
          written: [{ what: 'Page', path: canary }],
        });
        assert.deepEqual(picturesInText(text.replaceAll('<', '')), [], canary);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
        assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]|\p{Cf}/u);
      }
    }
  });

  it('masks series names', () => {
    assert.ok(!renderTerminalSummary(sampleHead(500), plain).includes('Harbour'));
  });
});
