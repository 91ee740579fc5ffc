import type { ReportHead, ReportItem, ReportMatch, Standing } from '../../schemas/report.ts';
import type { Tone } from './charts.ts';
import { byteSize, counted, groupDigits } from './figures.ts';
import { html, type Markup } from './markup.ts';
import type { Mask } from './mask.ts';
import { evidenceSentence, tooPoorToCompare } from './model-findings.ts';
import { neutralise } from './neutralise.ts';
import type { PageRow, PageRows } from './page-rows.ts';
import {
  evidenceWords,
  goodWords,
  outcomeWords,
  reasonWords,
  recordedBy,
  standingWords,
  unknownWords,
} from './words.ts';

const MAX_MATCHES_IN_ROW = 2;
const DIGEST_DIGITS_SHOWN = 12;

/** Two thirds of what a page may have: the longest texts, revealed and escaped, could otherwise fill all of it with rows. */
const MAX_ROWS_BYTES = 3_300_000;

export function itemsSection(head: ReportHead, { rows: chosen, offered }: PageRows, mask: Mask): Markup {
  const rows = withinBytes(chosen, mask);
  const where =
    head.itemsFile === null
      ? 'items[n \u2212 1] in the JSON report'
      : html`line n of <span class="mono">${neutralise(head.itemsFile)}</span>`;
  return html`<section id="files" aria-labelledby="files-heading">
<h2 id="files-heading">Files</h2>
<p>${
    rows.length < offered
      ? html`${counted(rows.length, 'file')} of ${groupDigits(offered)} ${rows.length === 1 ? 'is' : 'are'} shown, known ones first; the others are in the JSON report only.`
      : html`${offered === 1 ? 'The one file is' : `All ${counted(offered, 'file')} are`} shown, known first.`
  } Number n is ${where}. ${
    mask.revealed
      ? 'Names are shown as they are, at the request that is recorded in the audit chain; characters that could act on a terminal or a page are replaced.'
      : 'Names, series and text out of files are masked, because words can harm too: equal tokens in brackets stand for equal words. The JSON report has them as they are.'
  }</p>
${
  rows.length > 0 &&
  html`<div class="scroll"><table class="items"><caption>Files by standing</caption><thead><tr><th scope="col" class="n">No.</th><th scope="col">File</th><th scope="col">Standing</th><th scope="col">Recorded, and by what evidence</th><th scope="col">Outcome</th><th scope="col">Content</th></tr></thead><tbody>
${rows}</tbody></table></div>`
}
</section>`;
}

function withinBytes(chosen: readonly PageRow[], mask: Mask): readonly Markup[] {
  const rows: Markup[] = [];
  let bytes = 0;
  for (const row of chosen) {
    const made = itemRow(row, mask);
    bytes += Buffer.byteLength(made.toString());
    if (bytes > MAX_ROWS_BYTES) break;
    rows.push(made);
  }
  return rows;
}

function standingKey(standing: Standing): Tone {
  if (standing === 'known' || standing === 'unseen') return standing;
  return standing === 'nearDuplicate' ? 'near' : 'notExamined';
}

function itemRow({ number, item }: PageRow, mask: Mask): Markup {
  return html`<tr><td class="n">${groupDigits(number)}</td><td class="path mono">${breakable(mask.path(item.path))}</td><td><span class="key key-${standingKey(item.standing)}"></span>${standingWords(item.standing)}${item.unknownFor !== null && html`<br><span class="soft">${unknownWords(item.unknownFor)}</span>`}</td><td class="evidence">${matchCell(item, mask)}</td><td>${outcomeCell(item, mask)}</td><td>${contentCell(item)}</td></tr>
`;
}

/** A path may be broken after each of its folders. */
function breakable(path: string): Markup {
  return html`${path.split(/(?<=\/)/).map((part) => html`${part}<wbr>`)}`;
}

function matchCell(item: ReportItem, mask: Mask): MarkupOrNothing {
  const best = [
    ...item.matches.toSorted((one, other) => one.distance - other.distance).map((match) => matchWords(match, mask)),
    ...(item.models?.matches ?? []).map((match) => html`${evidenceSentence(match, mask)}`),
  ];
  const shown = best.slice(0, MAX_MATCHES_IN_ROW);
  const [good] = item.knownGood;
  if (shown.length === 0 && good === undefined) return null;
  // Beside a match it is a contradiction, which is not to be overlooked.
  const contradiction = item.matches.length > 0;
  return html`${shown.map((words) => html`<div class="match">${words}</div>`)}${good !== undefined && html`<div class="${contradiction ? 'alarm-text' : 'soft'}">${contradiction && 'contradicted: '}${goodWords(good)}</div>`}${best.length > shown.length && html`<div class="soft">and ${counted(best.length - shown.length, 'more match', 'more matches')}</div>`}`;
}

type MarkupOrNothing = Markup | null;

function matchWords(match: ReportMatch, mask: Mask): Markup {
  const chance =
    match.expectedFalseMatches === null
      ? null
      : `; ${match.expectedFalseMatches.toPrecision(1)} by chance in a search of this size`;
  return html`${recordedBy(match.source, match.category?.code ?? null, match.category?.label ?? null)}${match.series !== null && html`, ${mask.words('series', match.series)}`} <span class="soft">${evidenceWords(match)}${chance}</span>`;
}

function outcomeCell(item: ReportItem, mask: Mask): Markup {
  // A decoder's words can quote the file; they are text out of it like any other.
  const detail =
    mask.revealed && item.reasonDetail !== null && item.reasonDetail !== ''
      ? html` <span class="soft">${neutralise(item.reasonDetail, 160)}</span>`
      : null;
  if (item.reason === null) return html`${outcomeWords(item.outcome).name}`;
  return html`${outcomeWords(item.outcome).name}: ${reasonWords(item.reason)}${detail}`;
}

function contentCell(item: ReportItem): Markup {
  const size = item.sizeBytes === null ? null : byteSize(item.sizeBytes);
  const sides =
    item.widthPixels === null || item.heightPixels === null ? null : `${item.widthPixels} \u00d7 ${item.heightPixels}`;
  const facts = [neutralise(item.type, 60), size, sides].filter((fact) => fact !== null).join(', ');
  const poorFaces = item.models?.facesBelowGate ?? 0;
  return html`${facts}${poorFaces > 0 && html`<br><span class="soft">${tooPoorToCompare(poorFaces)}</span>`}${item.sha256 !== null && html`<br><span class="soft mono">${item.sha256.slice(0, DIGEST_DIGITS_SHOWN)}\u2026</span>`}`;
}
