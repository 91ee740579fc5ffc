import type { ReportHead } from '../../schemas/report.ts';
import { byteSize, duration, groupDigits, instant } from './figures.ts';
import { limits, modelLines, sandboxLines, searchSentence } from './findings.ts';
import { html, type Markup, type MarkupValue } from './markup.ts';
import { neutralise } from './neutralise.ts';
import { bounded, dataTable } from './table.ts';
import { hashesWords, purposeWords } from './words.ts';

const MAX_SETS = 400;
const MAX_ALGORITHMS = 40;

/** What "nothing known" was said against. */
export function setsSection(head: ReportHead): Markup {
  const sets = bounded(head.sets, MAX_SETS, 'sets');
  return html`<section id="sets" aria-labelledby="sets-heading">
<h2 id="sets-heading">What was searched</h2>
${
  head.sets.length === 0
    ? html`<p>No hash set. Nothing can be said about what is known.</p>`
    : html`<p>What is called unseen was not found in these sets of known material, in these versions, and in no others. ${searchSentence(head.search)}</p><ul>${modelLines(head.search).map((line) => html`<li>${line}</li>`)}</ul><div class="card">${dataTable(
        'Hash sets searched',
        [
          { title: 'Set' },
          { title: 'For' },
          { title: 'Source' },
          { title: 'Version', numeric: true },
          { title: 'Records', numeric: true },
          { title: 'Format' },
          { title: 'Found by' },
          { title: 'In force since' },
          { title: 'SHA-256 of the file imported' },
        ],
        sets.shown.map((set) => [
          neutralise(set.name, 80),
          purposeWords(set.purpose),
          neutralise(set.source, 80),
          set.sourceVersion === null
            ? String(set.version)
            : `${set.version} (there ${neutralise(set.sourceVersion, 100)})`,
          groupDigits(set.records),
          neutralise(set.format, 60),
          hashesWords(set),
          `${instant(neutralise(set.importedAt, 40))}${set.updatedAt === null ? '' : `, updated ${instant(neutralise(set.updatedAt, 40))}`}`,
          html`<span class="mono">${set.sha256}</span>`,
        ]),
        sets.note,
      )}</div>`
}
</section>`;
}

export function provenanceSection(head: ReportHead): Markup {
  const { engine, batch } = head;
  const algorithms = bounded(engine.algorithms, MAX_ALGORITHMS, 'algorithms');
  const { file, archive } = batch.budgets;
  return html`<section id="made" aria-labelledby="made-heading">
<h2 id="made-heading">How this was made</h2>
<div class="card">${facts([
    ['Engine', `Homeward ${neutralise(engine.version, 40)}`],
    ['Pipeline', neutralise(engine.pipelineVersion, 40)],
    ['Runtime', neutralise(engine.runtime, 80)],
    ['Database', neutralise(engine.database, 120)],
    ['Search of perceptual hashes', neutralise(engine.bitSearch, 80)],
    [
      'Decoders',
      engine.decoders.slice(0, 20).map((decoder, index) => html`${index > 0 && html`<br>`}${neutralise(decoder, 80)}`),
    ],
    ['Mode', batch.mode === 'exact' ? 'exact: decoded at full size' : 'fast: decoded at reduced size, for triage'],
    ['Machine', neutralise(batch.machine, 300)],
    ['Operator', neutralise(batch.operator)],
    ['Batch', html`<span class="mono">${neutralise(batch.batchId, 36)}</span>`],
    ['Source', sourceWords(head)],
    ['Started', instant(neutralise(batch.startedAt, 40))],
    ['Finished', `${instant(neutralise(batch.finishedAt, 40))}${elapsed(batch.startedAt, batch.finishedAt)}`],
    [
      'Stages',
      batch.stages.slice(0, 10).map((stage, index) => html`${index > 0 && html`<br>`}${stage.stage}: ${stage.state}`),
    ],
  ])}</div>
<div class="pair">
<div class="card">${dataTable(
    'Thresholds: a match is at most this far away',
    [{ title: 'Algorithm' }, { title: 'Bits', numeric: true }, { title: 'Least quality', numeric: true }],
    algorithms.shown.map((algorithm) => [
      html`<span class="mono">${neutralise(algorithm.id, 60)}</span>`,
      algorithm.thresholdBits === 0 ? 'equal' : String(algorithm.thresholdBits),
      algorithm.minimumQuality === null ? '' : String(algorithm.minimumQuality),
    ]),
    algorithms.note,
  )}</div>
<div class="card"><h3>Sandbox of the processes that opened files</h3><ul>${sandboxLines(head).map((line) => html`<li>${line.alarm ? html`<span class="alarm-text">${line.text}</span>` : line.text}</li>`)}</ul></div>
</div>
<div class="pair">
<div class="card"><h3>Budget of one file</h3>${facts([
    ['Processor time', duration(file.cpuTimeMs)],
    ['Elapsed time', duration(file.wallTimeMs)],
    ['Memory', byteSize(file.memoryBytes)],
    ['Size', byteSize(file.sizeBytes)],
    ['Pixels', groupDigits(file.pixels)],
    ['Longest side', `${groupDigits(file.sidePixels)} pixels`],
  ])}</div>
<div class="card"><h3>Budget of one archive</h3>${facts([
    ['Entries', groupDigits(archive.entries)],
    ['Size of an entry', byteSize(archive.entryBytes)],
    ['Unpacked size', byteSize(archive.totalBytes)],
    ['Archives in archives', `${groupDigits(archive.depth)} deep`],
    ['Elapsed time', duration(archive.wallTimeMs)],
    ['Memory', byteSize(archive.memoryBytes)],
  ])}</div>
</div>
</section>`;
}

function sourceWords({ custody }: ReportHead): MarkupValue {
  if (custody === undefined || custody === null) return 'no digest: it was not gone through to its end';
  if (custody.sha256 === null) return 'no digest: it could not be read to its end';
  const of = custody.digestOf === 'file' ? 'of the file' : 'of the list of its files and their digests';
  const before =
    custody.sha256Before === null ? 'nothing was recorded before' : custody.changed ? 'CHANGED since' : 'as before';
  return html`<span class="mono">${custody.sha256}</span> (SHA-256 ${of}; ${before}; custody event ${String(custody.sequence)})`;
}

export function limitsSection(head: ReportHead): Markup {
  return html`<section id="limits" aria-labelledby="limits-heading"><h2 id="limits-heading">What this report cannot say</h2><ul>${limits(head).map((limit) => html`<li>${limit}</li>`)}</ul></section>`;
}

function facts(lines: ReadonlyArray<readonly [string, MarkupValue]>): Markup {
  return html`<dl class="grid">${lines.map(([term, value]) => html`<div><dt>${term}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function elapsed(startedAt: string, finishedAt: string): string {
  const milliseconds = Date.parse(finishedAt) - Date.parse(startedAt);
  return Number.isFinite(milliseconds) && milliseconds >= 0 ? `, after ${duration(milliseconds)}` : '';
}
