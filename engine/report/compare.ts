import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Compile } from 'typebox/compile';
import { HomewardError } from '../../schemas/error.ts';
import { Report, type ReportHead, ReportItem } from '../../schemas/report.ts';

const checkReport = Compile(Report);
const checkItem = Compile(ReportItem);

/** Enough to see what the differing items have in common. */
const MOST_NAMED = 20;

/** A report as it is compared: its head, and 16 bytes for what is said of each item. */
export interface ComparableReport {
  readonly head: ReportHead;
  /** By path and content, in the order of the report where several are the same. */
  readonly items: ReadonlyMap<string, string>;
}

/**
 * Reads a report that scan wrote, with the items file beside it where it has one.
 * @throws HomewardError HW_REPORT_INVALID
 */
export async function readReport(file: string): Promise<ComparableReport> {
  const parsed = parse(await readFile(file, 'utf8'), file);
  if (!checkReport.Check(parsed)) throw notAReport(file, checkReport.Errors(parsed)[0]?.instancePath ?? '');
  const { items, ...head } = parsed;
  const said = new Map<string, string>();
  for (const item of items) remember(said, item);
  if (head.itemsFile !== null) {
    const beside = path.join(path.dirname(file), path.basename(head.itemsFile));
    for await (const line of createInterface({ input: createReadStream(beside) })) {
      const item = parse(line, beside);
      if (!checkItem.Check(item)) throw notAReport(beside, checkItem.Errors(item)[0]?.instancePath ?? '');
      remember(said, item);
    }
  }
  return { head, items: said };
}

/** What two reports say differently, besides times, operator and machine; empty when they agree. */
export function differences(expected: ComparableReport, received: ComparableReport): string[] {
  const found: string[] = [];
  const was = lasting(expected.head);
  const is = lasting(received.head);
  for (const key of Object.keys(was)) {
    const [before, now] = [JSON.stringify(was[key]), JSON.stringify(is[key])];
    if (before !== now) found.push(`${key}: expected ${before}, received ${now}`);
  }
  const missing = keysOf(expected.items, (key) => !received.items.has(key));
  const changed = keysOf(expected.items, (key, digest) => (received.items.get(key) ?? digest) !== digest);
  const added = keysOf(received.items, (key) => !expected.items.has(key));
  return [
    ...found,
    ...named('missing now', missing),
    ...named('said differently now', changed),
    ...named('not in the report', added),
  ];
}

const keysOf = (items: ReadonlyMap<string, string>, wanted: (key: string, digest: string) => boolean): string[] =>
  [...items].filter(([key, digest]) => wanted(key, digest)).map(([key]) => key);

/** How many items, and which: path and SHA-256 of the first ones. */
function named(what: string, keys: readonly string[]): string[] {
  if (keys.length === 0) return [];
  const shown = keys.slice(0, MOST_NAMED).map((key) => `${what}: ${JSON.stringify(key.slice(key.indexOf(' ') + 1))}`);
  return [
    `items ${what}: ${keys.length}${keys.length > MOST_NAMED ? `, of which ${MOST_NAMED} follow` : ''}`,
    ...shown,
  ];
}

function lasting({ engine, batch, sets, counts, figures }: ReportHead): Record<string, unknown> {
  const { added: _added, ...counted } = counts;
  return {
    'engine version': engine.version,
    pipeline: engine.pipelineVersion,
    decoders: [...engine.decoders].sort(),
    algorithms: engine.algorithms,
    mode: batch.mode,
    complete: batch.complete,
    budgets: batch.budgets,
    // A copy is imported at another time, and the numbering of its source does not come along.
    sets: sets.map(({ importedAt: _imported, updatedAt: _updated, sourceVersion: _numbered, ...set }) => set),
    counts: counted,
    figures,
  };
}

function remember(said: Map<string, string>, item: ReportItem): void {
  const digest = createHash('sha256').update(JSON.stringify(item)).digest('base64').slice(0, 22);
  const key = `${item.pathHex ?? item.path} ${item.sha256 ?? ''}`;
  // An archive may hold the same name and content twice.
  let nth = 0;
  while (said.has(`${nth} ${key}`)) nth += 1;
  said.set(`${nth} ${key}`, digest);
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw notAReport(file, '');
  }
}

function notAReport(file: string, where: string): HomewardError {
  return new HomewardError(
    'HW_REPORT_INVALID',
    `expected the JSON report of a scan, received ${JSON.stringify(file)}, which is none${where === '' ? '' : ` (at ${where})`}; give the file that scan --report wrote`,
  );
}
