import { html, type Markup, type MarkupValue } from './markup.ts';

export interface TableColumn {
  readonly title: string;
  /** Right-aligned figures. */
  readonly numeric?: boolean;
}

/** A table whose first column names its rows. */
export function dataTable(
  caption: string,
  columns: readonly TableColumn[],
  rows: ReadonlyArray<readonly MarkupValue[]>,
  note: MarkupValue = null,
): Markup {
  const cells = (row: readonly MarkupValue[]): Markup[] =>
    row.map((cell, index) => {
      if (index === 0) return html`<th scope="row">${cell}</th>`;
      return columns[index]?.numeric === true ? html`<td class="n">${cell}</td>` : html`<td>${cell}</td>`;
    });
  return html`<div class="scroll"><table><caption>${caption}</caption><thead><tr>${columns.map((column) =>
    column.numeric === true
      ? html`<th scope="col" class="n">${column.title}</th>`
      : html`<th scope="col">${column.title}</th>`,
  )}</tr></thead><tbody>${rows.map((row) => html`<tr>${cells(row)}</tr>`)}</tbody></table>${note !== null && note !== false && html`<p class="note">${note}</p>`}</div>`;
}

/** The first `limit` of some lines, and a sentence for what was left off. */
export function bounded<T>(
  lines: readonly T[],
  limit: number,
  what: string,
): { readonly shown: readonly T[]; readonly note: string | null } {
  if (lines.length <= limit) return { shown: lines, note: null };
  return {
    shown: lines.slice(0, limit),
    note: `${(lines.length - limit).toLocaleString('en-GB')} more ${what} are in the JSON report.`,
  };
}
