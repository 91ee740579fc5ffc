import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { HomewardError } from '../../schemas/error.ts';
import { MAX_ITEMS_IN_REPORT, type ReportHead, type ReportItem } from '../../schemas/report.ts';

/**
 * Writes a report to `file` without ever holding its items: they go to a file beside it first, and into the report when there are
 * few enough (or `itemsInside` says so, for a reader that takes one stream). Nothing is at `file` until all of it is, so a report that exists is whole.
 * @throws HomewardError HW_OUTPUT_UNWRITABLE
 */
export async function writeReportFile(
  file: string,
  items: AsyncIterable<ReportItem>,
  head: () => Promise<ReportHead>,
  options: { readonly itemsInside?: boolean } = {},
): Promise<ReportHead> {
  const itemsFile = `${file.replace(/\.json$/i, '')}.items.ndjson`;
  const partial = `${file}.partial`;
  try {
    let count = 0;
    await pipeline(
      async function* lines() {
        for await (const item of items) {
          count += 1;
          yield `${oneLine(item)}\n`;
        }
      },
      createWriteStream(itemsFile, { mode: 0o600 }),
    );
    const separate = count > MAX_ITEMS_IN_REPORT && options.itemsInside !== true;
    const whole: ReportHead = { ...(await head()), itemsFile: separate ? path.basename(itemsFile) : null };
    await pipeline(reportText(whole, separate ? null : itemsFile), createWriteStream(partial, { mode: 0o600 }));
    await rename(partial, file);
    if (!separate) await rm(itemsFile);
    return whole;
  } catch (error) {
    await rm(partial, { force: true });
    if (error instanceof HomewardError || !(error instanceof Error) || !('syscall' in error)) throw error;
    throw new HomewardError(
      'HW_OUTPUT_UNWRITABLE',
      `expected to be able to write the report ${JSON.stringify(file)}, received ${error.message}; choose a folder that exists and is writable`,
      { cause: error },
    );
  }
}

async function* reportText(head: ReportHead, itemsFile: string | null): AsyncGenerator<string> {
  const opening = JSON.stringify(head, null, 1);
  yield `${opening.slice(0, opening.lastIndexOf('\n}'))},\n "items": [`;
  if (itemsFile !== null) {
    let first = true;
    for await (const line of createInterface({
      input: createReadStream(itemsFile),
      crlfDelay: Number.POSITIVE_INFINITY,
    })) {
      yield `${first ? '' : ','}\n  ${line}`;
      first = false;
    }
  }
  yield '\n ]\n}\n';
}

/** JSON on one line for every reader of lines: U+2028 and U+2029 end a line for some, and a file name may hold them. */
function oneLine(item: ReportItem): string {
  return JSON.stringify(item).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}
