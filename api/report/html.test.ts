import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ReportHead, ReportItem } from '../../schemas/report.ts';
import { renderHtmlReport } from './html.ts';
import { createMask, type Mask } from './mask.ts';
import { MAX_PAGE_ROWS, PageRowSelector } from './page-rows.ts';
import { sampleHead, sampleItem } from './sample-report.ts';
import { CANARIES, hostileText, picturesInText } from './test-canaries.ts';

const masked = createMask({ reveal: false, key: 'test' });
const revealed = createMask({ reveal: true, key: 'test' });

function page(head: ReportHead, items: Iterable<ReportItem>, mask: Mask): string {
  const selector = new PageRowSelector();
  for (const item of items) selector.offer(item);
  return renderHtmlReport(head, selector.select(), mask);
}

function sampleItems(count: number): ReportItem[] {
  return Array.from({ length: count }, (_, index) => sampleItem(index));
}

/** The same report with some text added to every field that can come from outside. */
function planted(head: ReportHead, text: string): ReportHead {
  const add = (field: string): string => text + field;
  return {
    ...head,
    engine: {
      ...head.engine,
      runtime: add(head.engine.runtime),
      decoders: head.engine.decoders.map(add),
      database: add(head.engine.database),
      bitSearch: add(head.engine.bitSearch),
    },
    batch: {
      ...head.batch,
      caseRef: add(head.batch.caseRef),
      exhibitRef: add(head.batch.exhibitRef),
      organisation: add(head.batch.organisation),
      operator: add(head.batch.operator),
      machine: add(head.batch.machine),
      roots: head.batch.roots.map(add),
      startedAt: add(head.batch.startedAt),
      finishedAt: add(head.batch.finishedAt),
      sandbox: { ...head.batch.sandbox, warnings: [text] },
    },
    sets: head.sets.map((set) => ({
      ...set,
      source: add(set.source),
      name: add(set.name),
      format: add(set.format),
      importedAt: add(set.importedAt),
    })),
    counts: {
      ...head.counts,
      knownBy: head.counts.knownBy.map((line) => ({
        ...line,
        source: add(line.source),
        setName: add(line.setName),
        scheme: add(line.scheme),
        label: add(line.label ?? ''),
      })),
      byType: head.counts.byType.map((line) => ({ ...line, type: add(line.type) })),
    },
    figures: {
      ...head.figures,
      bySeries: head.figures.bySeries.map((line) => ({ ...line, source: add(line.source), series: add(line.series) })),
      cameras: head.figures.cameras.map((line) => ({ ...line, make: add(line.make), model: add(line.model) })),
    },
    itemsFile: head.itemsFile === null ? null : add(head.itemsFile),
  };
}

function plantedItem(item: ReportItem, text: string): ReportItem {
  return {
    ...item,
    path: `${text}${item.path}`,
    type: `${text}${item.type}`,
    reasonDetail: item.reasonDetail === null ? null : `${text}${item.reasonDetail}`,
    capture:
      item.capture === null
        ? null
        : {
            ...item.capture,
            make: text,
            model: text,
            software: text,
            lensModel: text,
            syntheticTraces: [{ kind: 'generatorText', detail: text.slice(0, 200) }],
          },
    matches: item.matches.map((match) => ({
      ...match,
      source: `${text}${match.source}`,
      series: match.series === null ? null : `${text}${match.series}`,
      category: match.category === null ? null : { ...match.category, label: text },
    })),
    knownGood: [{ source: text, setName: text, setVersion: 1, method: 'md5' }],
  };
}

/** Every tag of a page with its attributes, without the break opportunities in paths. */
function tags(text: string): string[] {
  return (text.match(/<[^>]*>/g) ?? []).filter((tag) => tag !== '<wbr>');
}

describe('the page', () => {
  it('opens with how much was examined', () => {
    const text = page(sampleHead(300), sampleItems(300), masked);
    const head = sampleHead(300);
    const first = text.slice(text.indexOf('class="lead">')).split('\n')[0] ?? '';
    assert.match(first, new RegExp(`Examined ${head.counts.examinedItems} of 300 files, [0-9,]+ of [0-9,]+ bytes`));
  });

  it('says what was not given of the case and the exhibit', () => {
    const head = sampleHead(10);
    const text = page({ ...head, batch: { ...head.batch, exhibitRef: '' } }, sampleItems(10), masked);
    assert.ok(text.includes(`<title>Scan report: Case ${head.batch.caseRef}</title>`));
    assert.ok(text.includes('<dt>Exhibit</dt><dd>not given</dd>'));
  });

  it('never shows a sum of known files without its breakdown', () => {
    const head = sampleHead(500);
    const text = page(head, [], masked);
    for (const line of head.counts.knownBy.filter((by) => by.known > 0)) {
      assert.ok(
        text.includes(`recorded by ${line.source} ${line.code === null ? 'without a category' : `as ${line.code}`}`),
      );
      assert.ok(text.includes(`set ${line.setName} version ${line.setVersion}, scheme ${line.scheme}`));
    }
    const torn = page({ ...head, counts: { ...head.counts, knownBy: [] } }, [], masked);
    assert.ok(torn.includes('The breakdown of this figure is missing'));
  });

  it('says of the whole and of each item how many faces could not be compared', () => {
    const items = sampleItems(400);
    const text = page(sampleHead(400), items, masked);
    assert.ok(text.includes('9 faces too small or unclear to compare (5 too small, 3 blurred, 1 turned away)'));
    const poor = items.filter((item) => (item.models?.facesBelowGate ?? 0) > 0).length;
    assert.ok(poor > 0);
    assert.equal(text.split('<span class="soft">1 face too small or unclear to compare</span>').length - 1, poor);
  });

  it('shows the items known first, with their numbers in the report', () => {
    const items = sampleItems(400);
    const text = page(sampleHead(400), items, masked);
    const rows = [...text.matchAll(/<tr><td class="n">([0-9,]+)<\/td>.*?<span class="key key-(\w+)">/g)].map((row) => ({
      number: Number((row[1] ?? '').replace(',', '')),
      key: row[2],
    }));
    assert.equal(rows.length, 400);
    const known = items.flatMap((item, index) => (item.standing === 'known' ? [index + 1] : []));
    assert.deepEqual(
      rows.slice(0, known.length).map((row) => row.number),
      known,
    );
  });

  it('carries sets with digests, versions, thresholds, operator, machine, sandbox and budgets', () => {
    const head = sampleHead(50);
    const text = page(head, sampleItems(50), masked);
    for (const set of head.sets) assert.ok(text.includes(set.sha256));
    for (const part of [
      head.engine.pipelineVersion,
      head.engine.runtime,
      head.batch.operator,
      head.batch.machine,
      'pdq-512/1',
      '>31<',
      '>14<',
      'network of the decoding processes: none',
      '100,000,000',
    ]) {
      assert.ok(text.includes(part), part);
    }
  });

  it('says in red that there was no sandbox, and marks fast mode', () => {
    const head = sampleHead(50);
    const bad = {
      ...head,
      batch: { ...head.batch, mode: 'fast' as const, sandbox: { ...head.batch.sandbox, network: 'host' as const } },
    };
    assert.match(page(bad, [], masked), /class="banner alarm" role="alert"><strong>No full sandbox/);
    assert.match(page(bad, [], masked), /Fast mode, for triage/);
    assert.doesNotMatch(page(head, [], masked), /class="banner/);
  });

  it('masks names, series and camera text unless revealed', () => {
    const head = sampleHead(2_000);
    const items = sampleItems(2_000);
    for (const words of ['IMG_0001', 'DCIM', 'Series Harbour', 'wrote this here', '/mnt/exhibit', 'premature end']) {
      assert.ok(!page(head, items, masked).includes(words), `${words} is masked`);
      assert.ok(page(head, items, revealed).includes(words), `${words} is revealed`);
    }
  });

  it('lets no text out of its place: the tags are the same whatever the texts are', () => {
    const head = sampleHead(120);
    const items = sampleItems(120);
    const expected = tags(
      page(
        planted(head, 'x'),
        items.map((item) => plantedItem(item, 'x')),
        revealed,
      ),
    );
    fc.assert(
      fc.property(
        hostileText.filter((text) => text !== ''),
        (text) => {
          assert.deepEqual(
            tags(
              page(
                planted(head, text),
                items.map((item) => plantedItem(item, text)),
                revealed,
              ),
            ),
            expected,
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it('S1: holds no picture, data: URI or base64 of one, whatever was planted, masked or revealed', () => {
    const head = sampleHead(120);
    const items = sampleItems(120);
    for (const canary of CANARIES) {
      for (const mask of [masked, revealed]) {
        assert.deepEqual(
          picturesInText(
            page(
              planted(head, canary),
              items.map((item) => plantedItem(item, canary)),
              mask,
            ),
          ),
          [],
          canary,
        );
      }
    }
  });

  it('S1: loads nothing and runs nothing, and its policy forbids both', () => {
    const text = page(sampleHead(200), sampleItems(200), revealed);
    assert.doesNotMatch(
      text,
      /<script|<link|<img|<iframe|<object|<form|\son[a-z]+=|\sstyle=|\ssrc=|href="(?!#)|url\(|@import|https?:/i,
    );
    const style = /<style>([\s\S]*?)<\/style>/.exec(text)?.[1] ?? '';
    const digest = createHash('sha256').update(style).digest('base64').replaceAll('=', '&#61;');
    assert.ok(
      text.includes(
        `content="default-src &#39;none&#39;; style-src &#39;sha256-${digest}&#39;; base-uri &#39;none&#39;; form-action &#39;none&#39;"`,
      ),
    );
  });

  it('gives every chart a title, a description and a table beside it', () => {
    const text = page(sampleHead(2_000), [], masked);
    const charts = [
      ...text.matchAll(
        /<svg [^>]*aria-labelledby="([\w-]+) ([\w-]+)"[^>]*>([\s\S]*?)<\/svg>\s*<div class="scroll"><table>/g,
      ),
    ];
    assert.equal(charts.length, 6);
    for (const [, title, description, content] of charts) {
      assert.match(
        content ?? '',
        new RegExp(`<title id="${title}">[^<]+</title><desc id="${description}">[^<]+</desc>`),
      );
    }
  });

  it('shows at most 2,000 rows', () => {
    assert.equal(rowCount(page(sampleHead(3_000), sampleItems(3_000), masked)), MAX_PAGE_ROWS);
  });

  it('stays within 5 MB at a million items with the longest texts there can be', () => {
    const head = sampleHead(3_000);
    const long = (length: number): string => '<"&é漢'.repeat(Math.ceil(length / 5)).slice(0, length);
    const many = <T>(line: T | undefined, count: number, change: (line: T, index: number) => T): T[] =>
      line === undefined ? [] : Array.from({ length: count }, (_, index) => change(line, index));
    const crowded: ReportHead = {
      ...planted(head, long(200)),
      itemsFile: long(300),
      sets: many(head.sets[0], 5_000, (set) => ({ ...set, name: long(200), source: long(200) })),
      counts: {
        ...head.counts,
        items: 1_000_000,
        knownBy: many(head.counts.knownBy[0], 5_000, (line, index) => ({
          ...line,
          code: String(index),
          label: long(200),
        })),
        byType: many(head.counts.byType[0], 5_000, (line) => ({ ...line, type: long(100) })),
      },
      figures: {
        ...head.figures,
        bySeries: many(head.figures.bySeries[0], 50_000, (line, index) => ({
          ...line,
          series: `${index}${long(290)}`,
        })),
        cameras: many(head.figures.cameras[0], 20_000, (line, index) => ({ ...line, model: `${index}${long(190)}` })),
        captureTimeline: Array.from({ length: 9_000 }, (_, index) => ({
          month: `${1000 + Math.floor(index / 12)}-${String((index % 12) + 1).padStart(2, '0')}`,
          items: 1 + index,
        })),
        distanceHistogram: Array.from({ length: 257 }, (_, distance) => ({ distance, items: 1 })),
      },
    };
    const [known, unseen] = [
      plantedItem(sampleItemThat('known'), long(16_000)),
      plantedItem(sampleItemThat('unseen'), long(16_000)),
    ];
    const crowdedKnown = {
      ...known,
      matches: Array.from({ length: 40 }, () => known.matches[0]).filter((match) => match !== undefined),
    };
    const items = (function* () {
      for (let index = 0; index < 1_000_000; index += 1) yield index % 3 === 0 ? crowdedKnown : unseen;
    })();
    const text = page(crowded, items, revealed);
    assert.ok(Buffer.byteLength(text) <= 5_000_000, `${Buffer.byteLength(text)} bytes`);
    assert.ok(rowCount(text) > 500, 'and still shows many rows');
  });
});

describe('known-good sets on the page', () => {
  it('are named beside what only they have, and as a contradiction beside a match', () => {
    const good = { source: 'NIST', setName: 'RDS modern', setVersion: 7, method: 'sha1' } as const;
    const known = { ...sampleItemThat('known'), knownGood: [good] };
    const plainGood = { ...sampleItemThat('unseen'), standing: 'knownGood' as const, knownGood: [good] };
    const head = sampleHead(10);
    const text = page(
      { ...head, counts: { ...head.counts, knownGood: 1, contradicted: 1 } },
      [known, plainGood],
      masked,
    );
    assert.match(
      text,
      /<div class="alarm-text">contradicted: in the known-good set RDS modern version 7 of NIST \(same SHA-1\)/,
    );
    assert.match(text, /<div class="soft">in the known-good set RDS modern/);
    assert.match(text, /Sets contradict each other/);
  });
});

function rowCount(text: string): number {
  return text.split('<td class="path mono">').length - 1;
}

function sampleItemThat(standing: string): ReportItem {
  for (let index = 0; ; index += 1) {
    const item = sampleItem(index);
    if (item.standing === standing && (standing !== 'known' || item.matches[0]?.series !== null)) return item;
  }
}
