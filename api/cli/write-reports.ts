import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ReportBuilder } from '../../engine/report/build.ts';
import { writeReportFile } from '../../engine/report/write-json.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { ReportHead, ReportItem } from '../../schemas/report.ts';
import { renderHtmlReport } from '../report/html.ts';
import { createMask, newMaskKey } from '../report/mask.ts';
import { PageRowSelector } from '../report/page-rows.ts';
import { renderTerminalSummary } from '../report/terminal.ts';
import type { CliContext } from './context.ts';

/** Options of every command that reports a batch. */
export interface ReportOutputs {
  readonly report?: string;
  readonly html?: string;
  readonly json?: true;
  readonly reveal?: true;
}

/** Goes through a batch's items once and writes what was asked for; the summary goes to stdout unless JSON does. */
export async function writeReports(
  context: CliContext,
  outputs: ReportOutputs,
  builder: ReportBuilder,
  /** Told of every item on its way. */
  passing: (item: ReportItem) => void = () => undefined,
): Promise<ReportHead> {
  const rows = new PageRowSelector();
  const items = async function* (): AsyncGenerator<ReportItem> {
    for await (const item of builder.items()) {
      rows.offer(item);
      passing(item);
      yield item;
    }
  };
  const absolute = (file: string): string => path.resolve(context.workingFolder, file);
  const head = await writeItems(context, outputs, items(), () => builder.head(), absolute);
  const mask = createMask({ reveal: outputs.reveal ?? false, key: newMaskKey() });
  const written: { what: string; path: string }[] = [];
  if (outputs.report !== undefined) written.push({ what: 'JSON report', path: outputs.report });
  if (head.itemsFile !== null && outputs.report !== undefined) {
    written.push({ what: 'items', path: path.join(path.dirname(outputs.report), head.itemsFile) });
  }
  if (outputs.html !== undefined) {
    await writeText(absolute(outputs.html), renderHtmlReport(head, rows.select(), mask));
    written.push({ what: 'page', path: outputs.html });
  }
  if (!outputs.json) {
    const colour = context.stdout.isTTY === true && (context.environment['NO_COLOR'] ?? '') === '';
    context.stdout.write(
      renderTerminalSummary(head, { colour, columns: context.stdout.columns ?? 100, mask, written }),
    );
  }
  return head;
}

async function writeItems(
  context: CliContext,
  outputs: ReportOutputs,
  items: AsyncGenerator<ReportItem>,
  head: () => Promise<ReportHead>,
  absolute: (file: string) => string,
): Promise<ReportHead> {
  if (outputs.report === undefined && !outputs.json) {
    for await (const _ of items);
    return await head();
  }
  if (outputs.report !== undefined) {
    const whole = await writeReportFile(absolute(outputs.report), items, head);
    if (outputs.json) await pipeline(createReadStream(absolute(outputs.report)), context.stdout, { end: false });
    return whole;
  }
  // For stdout too the report is made in a file: its head follows from its items but comes before them.
  const folder = await mkdtemp(path.join(os.tmpdir(), 'homeward-report-'));
  try {
    const file = path.join(folder, 'report.json');
    const whole = await writeReportFile(file, items, head, { itemsInside: true });
    await pipeline(createReadStream(file), context.stdout, { end: false });
    return whole;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeText(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { mode: 0o600 });
  } catch (error) {
    throw new HomewardError(
      'HW_OUTPUT_UNWRITABLE',
      `expected to be able to write ${JSON.stringify(file)}, received ${error instanceof Error ? error.message : 'an error'}; choose a folder that exists and is writable`,
      { cause: error },
    );
  }
}
