import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { ItemRow } from '../../../engine/ingest/row-writer.ts';
import { scanBatch } from '../../../engine/ingest/scan.ts';
import { Scratch } from '../../../engine/ingest/scratch.ts';
import { DEFAULT_ARCHIVE_BUDGET } from '../../../schemas/host-protocol.ts';
import { type CaseToRun, type Finding, type RequirementToRun, same } from '../case.ts';
import type { Ground } from '../ground.ts';

/** Ingest goes over a folder that `fill` has filled; the rows come back as text, in the order of their names. */
async function rowsOf(ground: Ground, fill: (folder: string) => Promise<void>): Promise<string> {
  const folder = await mkdtemp(path.join(ground.picturesFolder, 'odd-'));
  await fill(folder);
  const rows: ItemRow[] = [];
  await using scratch = await Scratch.open(ground.scratchFolder);
  await scanBatch(
    {
      examiner: ground.hosts,
      scratch,
      alreadyRecorded: async () => new Set(),
      record: async (group) => {
        rows.push(...group);
      },
    },
    {
      roots: [Buffer.from(folder)],
      mode: 'exact',
      archiveBudget: DEFAULT_ARCHIVE_BUDGET,
      resume: false,
      signal: new AbortController().signal,
    },
    { examined: () => undefined, skipped: () => undefined },
  );
  return rows
    .map(
      ({ path: file, examination: { outcome, reason } }) =>
        `${path.basename(file.toString('latin1'))}: ${outcome}${reason === null ? '' : ` (${reason.code})`}`,
    )
    .sort()
    .join(', ');
}

function oddCase(
  id: string,
  assertion: string,
  expected: string,
  fill: (folder: string) => Promise<void>,
  reasonNotHere: () => string | null = () => null,
): CaseToRun {
  return {
    id,
    assertion,
    check: async (ground): Promise<Finding> => {
      const notHere = reasonNotHere();
      return notHere === null ? same(expected, await rowsOf(ground, fill)) : { notApplicable: notHere };
    },
  };
}

const onWindows = (): string | null => (process.platform === 'win32' ? 'this file system has none' : null);

export const oddFiles: RequirementToRun = {
  id: 'odd-files',
  goals: ['R11'],
  requirement: 'Every entry of a folder gets a record, and none of them is followed out of it or waited for.',
  cases: [
    oddCase(
      'empty',
      'An empty file is recorded as empty.',
      'empty.jpg: rejected (empty)',
      async (folder) => await writeFile(path.join(folder, 'empty.jpg'), ''),
    ),
    oddCase(
      'links',
      'Links to a file, out of the folder, to themselves and to nothing are recorded and not followed.',
      'circle: rejected (symbolicLink), dangling: rejected (symbolicLink), file: rejected (symbolicLink), outside: rejected (symbolicLink), real.txt: notExamined (text)',
      async (folder) => {
        await writeFile(path.join(folder, 'real.txt'), 'an ordinary text, long enough to be told as one\n');
        await symlink('real.txt', path.join(folder, 'file'));
        await symlink('/', path.join(folder, 'outside'));
        await symlink('.', path.join(folder, 'circle'));
        await symlink('missing', path.join(folder, 'dangling'));
      },
      onWindows,
    ),
    oddCase(
      'fifo',
      'A FIFO is recorded and never opened, which would wait for ever.',
      'pipe: rejected (specialFile)',
      async (folder) => void (await promisify(execFile)('mkfifo', [path.join(folder, 'pipe')])),
      onWindows,
    ),
    oddCase(
      'unreadable',
      'A file that may not be read is recorded as such.',
      'secret.jpg: rejected (permission)',
      async (folder) => {
        await writeFile(path.join(folder, 'secret.jpg'), 'x');
        await chmod(path.join(folder, 'secret.jpg'), 0);
      },
      () => (process.getuid?.() === 0 ? 'whoever runs this may read every file' : onWindows()),
    ),
    oddCase(
      'odd-names',
      'Names with line breaks, of 255 bytes and in no encoding are read like others.',
      `${'n'.repeat(255)}: notExamined (text), \xff\xfe: notExamined (text), line\nbreak: notExamined (text)`
        .split(', ')
        .sort()
        .join(', '),
      async (folder) => {
        const text = 'an ordinary text, long enough to be told as one\n';
        for (const name of ['line\nbreak', 'n'.repeat(255)]) await writeFile(path.join(folder, name), text);
        await writeFile(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0xfe])]), text);
      },
      () => (process.platform === 'linux' ? null : 'this file system does not keep names in no encoding'),
    ),
    oddCase('deep', 'A file 100 folders down is found.', 'deep.txt: notExamined (text)', async (folder) => {
      const deep = path.join(folder, ...Array.from({ length: 100 }, () => 'd'));
      await mkdir(deep, { recursive: true });
      await writeFile(path.join(deep, 'deep.txt'), 'an ordinary text, long enough to be told as one\n');
    }),
  ],
};
