import { OUTCOMES, type Outcome } from '../../schemas/outcome.ts';
import type { ReportHead } from '../../schemas/report.ts';
import { barChart } from './charts.ts';
import { counted, groupDigits, instant, percent } from './figures.ts';
import {
  breakdown,
  examinedSentence,
  examinedSize,
  knownGoodSentence,
  knownSets,
  nextSteps,
  notices,
  OVERLAP_SENTENCE,
} from './findings.ts';
import { html, type Markup } from './markup.ts';
import type { Mask } from './mask.ts';
import { neutralise } from './neutralise.ts';
import { bounded, dataTable } from './table.ts';
import { outcomeWords, reasonWords, recordedBy, setWords, unknownWords } from './words.ts';

const MAX_BREAKDOWN_LINES = 200;
const MAX_ROOTS = 20;
const MAX_TYPES = 60;

/** The head of the page: how much was examined comes before anything else. */
export function openingSection(head: ReportHead, mask: Mask): Markup {
  const { batch, counts } = head;
  const roots = bounded(batch.roots, MAX_ROOTS, 'roots');
  return html`<header>
<h1>Homeward scan report</h1>
<p class="lead">${examinedSentence(counts)}.</p>
<p class="soft">${examinedSize(counts)} (${percent(counts.examinedBytes, counts.totalBytes)}), ${counted(counts.media, 'distinct content')}. ${addedSentence(head)}</p>
<dl class="facts">
<div><dt>Case</dt><dd>${given(batch.caseRef)}</dd></div>
<div><dt>Exhibit</dt><dd>${given(batch.exhibitRef)}</dd></div>
<div><dt>Organisation</dt><dd>${neutralise(batch.organisation)}</dd></div>
<div><dt>Operator</dt><dd>${neutralise(batch.operator)}</dd></div>
<div><dt>Finished</dt><dd>${instant(neutralise(batch.finishedAt))}</dd></div>
<div><dt>Scanned</dt><dd>${roots.shown.map((root, index) => html`${index > 0 && html`<br>`}<span class="mono">${mask.path(root)}</span>`)}${roots.note !== null && html`<br>${roots.note}`}</dd></div>
</dl>
</header>
${notices(head).map((notice) =>
  notice.level === 'alarm'
    ? html`<p class="banner alarm" role="alert"><strong>${notice.title}.</strong> ${notice.text}</p>`
    : html`<p class="banner"><strong>${notice.title}.</strong> ${notice.text}</p>`,
)}`;
}

function given(reference: string): string {
  return reference === '' ? 'not given' : neutralise(reference);
}

function addedSentence({ counts: { added } }: ReportHead): string {
  if (added.items === 0 && added.media === 0 && added.matches === 0)
    return 'This run added nothing to the database: all of it had been scanned before.';
  return `This run added ${counted(added.items, 'file')}, ${counted(added.media, 'content')} and ${counted(added.matches, 'match', 'matches')} to the database.`;
}

/** Known, never as a sum alone; near duplicates; unseen. */
export function standingSection(head: ReportHead): Markup {
  const { counts } = head;
  const sets = knownSets(head);
  const good = knownGoodSentence(head);
  return html`<section id="known" aria-labelledby="known-heading">
<h2 id="known-heading">What is known</h2>
<div class="card known">
<p class="figure">${groupDigits(counts.known)} <span>${counts.known === 1 ? 'file is' : 'files are'} known: the same bytes were recorded before</span></p>
${breakdownTable(head, 'known')}
</div>
<div class="pair">
<div class="card near">
<p class="figure">${groupDigits(counts.nearDuplicate)} <span>near ${counts.nearDuplicate === 1 ? 'duplicate' : 'duplicates'}, by perceptual hash only</span></p>
${breakdownTable(head, 'nearDuplicate')}
</div>
<div>
<div class="card unseen">
<p class="figure">${groupDigits(counts.unseen)} <span>${counts.unseen === 1 ? 'file' : 'files'} unseen: compared by every hash in use, and nothing matched</span></p>
<p>${
    sets.length === 0
      ? 'Nothing was compared, because no hash set was searched.'
      : html`This is said against ${counted(sets.length, 'set')} with ${counted(
          sets.reduce((sum, set) => sum + set.records, 0),
          'record',
        )}, <a href="#sets">listed below</a>, and no others.`
  }</p>
${
  counts.unknown > 0 &&
  html`<p><strong>${counted(counts.unknown, 'file')}</strong> may be known or not: nothing matched, but the comparison was not whole.</p><ul>${counts.byUnknownReason.map(({ reason, items }) => html`<li>${groupDigits(items)}: ${unknownWords(reason)}</li>`)}</ul>`
}
${good !== '' && html`<p class="note">${good}</p>`}
<p class="note">${counted(Math.max(0, counts.items - counts.known - counts.nearDuplicate - counts.unseen - counts.unknown - counts.knownGood), 'further file')} could not be compared; why is said under outcomes.</p>
</div>
${nextStepsCard(head)}
</div>
</div>
</section>`;
}

function breakdownTable(head: ReportHead, of: 'known' | 'nearDuplicate'): Markup {
  const { shown, rest, overlaps } = breakdown(head.counts, of, MAX_BREAKDOWN_LINES);
  if (shown.length === 0) {
    if (head.counts[of] > 0)
      return html`<p class="alarm-text">The breakdown of this figure is missing from the report; do not use the figure without it.</p>`;
    return html`<p class="note">${of === 'known' ? 'No examined file is identical with a recorded one.' : 'No examined file is near a recorded one without being identical.'}</p>`;
  }
  const rows = shown.map((line) => [
    recordedBy(line.source, line.code, line.label),
    html`<span class="soft">${setWords(line)}</span>`,
    groupDigits(line[of]),
  ]);
  if (rest.lines > 0)
    rows.push([`${counted(rest.lines, 'further line')}, in the JSON report`, html``, groupDigits(rest[of])]);
  return dataTable(
    of === 'known'
      ? 'Known files by source, scheme and code'
      : 'Near duplicates by source, scheme and code of the record they are near to',
    [{ title: 'Statement' }, { title: 'Set' }, { title: 'Files', numeric: true }],
    rows,
    overlaps && OVERLAP_SENTENCE,
  );
}

export function outcomeSection(head: ReportHead): Markup {
  const { counts } = head;
  const reasons = [...counts.byReason].sort(
    (one, other) => outcomeOrder(one.outcome) - outcomeOrder(other.outcome) || other.items - one.items,
  );
  const types = bounded(
    [...counts.byType].sort((one, other) => other.items - one.items),
    MAX_TYPES,
    'types',
  );
  return html`<section id="outcomes" aria-labelledby="outcomes-heading">
<h2 id="outcomes-heading">What became of the files</h2>
<div class="card chart-card">
${barChart(
  {
    id: 'chart-outcomes',
    title: 'Files by outcome',
    description: OUTCOMES.map((outcome) => `${outcomeWords(outcome).name}: ${groupDigits(counts[outcome])}`).join('; '),
  },
  OUTCOMES.map((outcome) => ({
    label: outcomeWords(outcome).name,
    parts: [{ value: counts[outcome], tone: outcome }],
  })),
)}
${dataTable(
  'Outcomes',
  [{ title: 'Outcome' }, { title: 'Meaning' }, { title: 'Files', numeric: true }],
  OUTCOMES.map((outcome) => [
    html`<span class="key key-${outcome}"></span>${outcomeWords(outcome).name}`,
    html`<span class="soft">${outcomeWords(outcome).meaning}</span>`,
    groupDigits(counts[outcome]),
  ]),
)}
</div>
<div class="pair">
<div class="card">${
    reasons.length === 0
      ? html`<p class="note">Every file was examined whole.</p>`
      : dataTable(
          'Reasons for every outcome other than examined whole',
          [{ title: 'Reason' }, { title: 'Outcome' }, { title: 'Files', numeric: true }],
          reasons.map((line) => [
            html`${reasonWords(line.reason)} <span class="soft mono">${line.reason}</span>`,
            html`<span class="key key-${line.outcome}"></span>${outcomeWords(line.outcome).name}`,
            groupDigits(line.items),
          ]),
        )
  }</div>
<div class="card">${dataTable(
    'Types by content, whatever the names say',
    [{ title: 'Type' }, { title: 'Files', numeric: true }],
    types.shown.map((line) => [html`<span class="mono">${neutralise(line.type, 100)}</span>`, groupDigits(line.items)]),
    types.note,
  )}</div>
</div>
</section>`;
}

function outcomeOrder(outcome: Outcome): number {
  return OUTCOMES.map(String).indexOf(String(outcome));
}

function nextStepsCard(head: ReportHead): Markup {
  const steps = nextSteps(head);
  return html`<div class="card"><h3>What to do next</h3>${
    steps.length === 0
      ? html`<p class="note">Nothing is left to do for this batch.</p>`
      : html`<ul>${steps.map((step) => html`<li>${step}</li>`)}</ul>`
  }</div>`;
}
