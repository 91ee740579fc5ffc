import { createHash } from 'node:crypto';
import { REPORT_SCHEMA_VERSION, type ReportHead } from '../../schemas/report.ts';
import { instant } from './figures.ts';
import { html } from './markup.ts';
import type { Mask } from './mask.ts';
import { neutralise } from './neutralise.ts';
import { figuresSection } from './page-charts.ts';
import { itemsSection } from './page-items.ts';
import { modelsSection } from './page-models.ts';
import { limitsSection, provenanceSection, setsSection } from './page-provenance.ts';
import type { PageRows } from './page-rows.ts';
import { openingSection, outcomeSection, standingSection } from './page-summary.ts';
import { STYLE_ELEMENT, STYLE_TEXT } from './style.ts';
import { submissionWords } from './words.ts';

/** Nothing may be loaded, run, sent or framed; the one style is named by its digest, so that no other applies. */
const CONTENT_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE_TEXT).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/**
 * One self-contained page: no script, no picture, no address outside the page, and a policy that forbids all of them.
 * @param head the report without its items
 * @param rows what a PageRowSelector chose of the items; their number bounds the page's size
 * @param mask whether words out of the material are masked
 * @returns text for a UTF-8 file, of at most 5 MB however large the batch was
 */
export function renderHtmlReport(head: ReportHead, rows: PageRows, mask: Mask): string {
  const title = ['Scan report', submissionWords(head.batch)].filter((words) => words !== '').join(': ');
  return html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${CONTENT_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex, nofollow">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
${STYLE_ELEMENT}
</head>
<body>
${openingSection(head, mask)}
<nav aria-label="On this page"><a href="#known">Known</a><a href="#models">Models</a><a href="#outcomes">Outcomes</a><a href="#figures">Figures</a><a href="#files">Files</a><a href="#sets">Searched</a><a href="#made">How made</a><a href="#limits">Limits</a></nav>
<main>
${standingSection(head)}
${modelsSection(head)}
${outcomeSection(head)}
${figuresSection(head, mask)}
${itemsSection(head, rows, mask)}
${setsSection(head)}
${provenanceSection(head)}
${limitsSection(head)}
</main>
<footer>Report schema ${REPORT_SCHEMA_VERSION}, batch ${neutralise(head.batch.batchId, 36)}, ${instant(neutralise(head.batch.finishedAt, 40))}. This page holds results, never imagery. The JSON report is the record; this page is a view of it.</footer>
</body>
</html>
`.toString();
}
