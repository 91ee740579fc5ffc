import type { ReportHead } from '../../schemas/report.ts';
import { groupDigits } from './figures.ts';
import { html, type Markup } from './markup.ts';
import {
  faceSearchSentence,
  JUDGED_BY_PEOPLE,
  modelMethodWords,
  modelsLeftOut,
  modelsSentence,
  packsSentence,
} from './model-findings.ts';
import { dataTable } from './table.ts';

/** What faces, places, edited copies and cameras say; never a picture and never a name. */
export function modelsSection(head: ReportHead): Markup {
  const leftOut = modelsLeftOut(head);
  return html`<section id="models" aria-labelledby="models-heading">
<h2 id="models-heading">What the models found</h2>
${head.models === null || leftOut !== null ? html`<p>${leftOut ?? ''}</p>` : ran(head.models)}
</section>`;
}

function ran(models: NonNullable<ReportHead['models']>): Markup {
  return html`<p>${modelsSentence(models)}. ${faceSearchSentence(models)}.</p>
${
  models.matched.length === 0
    ? html`<p>Nothing of a known series was found by them.</p>`
    : dataTable(
        'Contents by what ties them to a series',
        [{ title: 'A content that shows' }, { title: 'Contents', numeric: true }],
        models.matched.map(({ method, media }) => [modelMethodWords(method), groupDigits(media)]),
      )
}
<p>${groupDigits(models.openLeads)} ${models.openLeads === 1 ? 'lead is' : 'leads are'} open; homeward leads list shows them in their order.</p>
<p class="note">${JUDGED_BY_PEOPLE}</p>
<p class="note">Packs: ${packsSentence(models)}.</p>`;
}
