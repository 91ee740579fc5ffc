import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { UnpackResult } from '../../../engine/ingest/ports.ts';
import { type ArchiveBudget, type ArchiveEntry, DEFAULT_ARCHIVE_BUDGET } from '../../../schemas/host-protocol.ts';
import { type CaseToRun, type RequirementToRun, same } from '../case.ts';
import type { Ground } from '../ground.ts';
import { type StoredEntry, zipBytes } from '../zip-bytes.ts';

interface Unpacked {
  readonly result: UnpackResult;
  readonly entries: readonly ArchiveEntry[];
  /** Contents of the files written, by their names in the scratch folder. */
  readonly written: ReadonlyMap<string, string>;
  /** Files in the folder around the scratch folder, which must stay empty of others. */
  readonly outside: readonly string[];
}

async function unpack(ground: Ground, bytes: Buffer, budget: Partial<ArchiveBudget> = {}): Promise<Unpacked> {
  const around = await mkdtemp(path.join(ground.scratchFolder, 'archive-'));
  const scratchFolder = path.join(around, 'in');
  await mkdir(scratchFolder, { mode: 0o700 });
  const archive = path.join(ground.picturesFolder, `${path.basename(around)}.zip`);
  await writeFile(archive, bytes);
  const entries: ArchiveEntry[] = [];
  const result = await ground.hosts.unpack(
    Buffer.from(archive),
    { scratchFolder, budget: { ...DEFAULT_ARCHIVE_BUDGET, ...budget } },
    async (entry) => {
      entries.push(entry);
    },
  );
  const written = new Map<string, string>();
  for (const name of await readdir(scratchFolder))
    written.set(name, await readFile(path.join(scratchFolder, name), 'latin1'));
  const outside = (await readdir(around)).filter((name) => name !== 'in');
  return { result, entries, written, outside };
}

const entry = (name: string, text: string, badCrc = false): StoredEntry => ({ name, bytes: Buffer.from(text), badCrc });
const nameOf = ({ name }: ArchiveEntry): string => Buffer.from(name, 'base64').toString('latin1');
const said = (entries: readonly ArchiveEntry[]): string =>
  entries
    .map((one) => `${nameOf(one)}: ${one.outcome}${one.reason === null ? '' : ` (${one.reason.code})`}`)
    .join(', ');
const texts = ({ entries, written }: Unpacked): string =>
  entries.map((one) => (one.scratchFile === null ? '-' : (written.get(one.scratchFile) ?? 'missing'))).join(' ');

export const archiveCases: readonly CaseToRun[] = [
  {
    id: 'ordinary',
    assertion: 'The entries of an ordinary zip are handed on with their contents, under numbers.',
    check: async (ground) => {
      const unpacked = await unpack(ground, zipBytes([entry('a.txt', 'one'), entry('b/c.txt', 'two')]));
      return same(
        'done; one two; 0, 1',
        `${unpacked.result.outcome}; ${texts(unpacked)}; ${[...unpacked.written.keys()].sort().join(', ')}`,
      );
    },
  },
  {
    id: 'name-outside',
    assertion:
      'An entry named ../ or with an absolute path is flagged, writes nothing outside its folder, and those after it are read.',
    check: async (ground) => {
      const absolute = path.join(ground.folder, 'absolute.txt');
      const bytes = zipBytes([entry('../outside.txt', 'x'), entry(absolute, 'y'), entry('after.txt', 'after')]);
      const unpacked = await unpack(ground, bytes);
      const escaped = [
        ...unpacked.outside,
        ...(await readdir(ground.folder)).filter((name) => name === 'absolute.txt'),
      ];
      const flagged = unpacked.entries.filter(({ reason }) => reason?.code === 'unsafeName').length;
      const last = unpacked.entries.at(-1);
      return same(
        '2 flagged unsafeName, 0 files outside, after.txt done',
        `${flagged} flagged unsafeName, ${escaped.length} files outside, ${last === undefined ? 'nothing' : `${nameOf(last)} ${last.outcome}`}`,
      );
    },
  },
  {
    id: 'bad-checksum',
    assertion: 'An entry whose checksum is wrong is flagged, and those after it are read.',
    check: async (ground) => {
      const unpacked = await unpack(ground, zipBytes([entry('bad.txt', 'bad', true), entry('good.txt', 'good')]));
      const [bad, good] = unpacked.entries;
      return {
        expected: 'bad.txt flagged badCrc, good.txt done',
        received: said(unpacked.entries),
        holds:
          unpacked.entries.length === 2 &&
          bad?.outcome !== 'done' &&
          bad?.reason?.code === 'badCrc' &&
          good?.outcome === 'done',
      };
    },
  },
  {
    id: 'entries-budget',
    assertion: 'An archive of more entries than its budget is read up to it and says so.',
    check: async (ground) => {
      const many = Array.from({ length: 20 }, (_, index) => entry(`${index}.txt`, String(index)));
      const { result, entries } = await unpack(ground, zipBytes(many), { entries: 5 });
      return {
        expected: 'at most 5 entries, archiveBudget',
        received: `${entries.length} entries, ${result.reason?.code ?? 'no reason'}`,
        holds: entries.length <= 5 && entries.length > 0 && result.reason?.code === 'archiveBudget',
      };
    },
  },
  {
    id: 'bytes-budget',
    assertion: 'An entry of more bytes than its budget is not written in full.',
    check: async (ground) => {
      const { entries, written } = await unpack(
        ground,
        zipBytes([entry('large.txt', 'a'.repeat(100_000)), entry('small.txt', 's')]),
        { entryBytes: 10_000 },
      );
      const most = Math.max(0, ...[...written.values()].map((text) => text.length));
      return {
        expected: 'large.txt not done, at most 10000 bytes written, small.txt done',
        received: `${said(entries)}, ${most} bytes written`,
        holds: entries[0]?.outcome !== 'done' && most <= 10_000 && entries[1]?.outcome === 'done',
      };
    },
  },
  {
    id: 'cut-off',
    assertion: 'Of an archive that was cut off, the entries before the cut are read, and it is not called done.',
    check: async (ground) => {
      const whole = zipBytes([entry('first.txt', 'first'), entry('second.txt', 'b'.repeat(5_000))]);
      const { result, entries } = await unpack(ground, whole.subarray(0, 2_000));
      const first = entries.find((one) => nameOf(one) === 'first.txt');
      return {
        expected: 'first.txt is read, the archive is not done',
        received: `${said(entries)}; archive ${result.outcome} (${result.reason?.code ?? 'no reason'})`,
        holds: first?.scratchFile !== null && first !== undefined && result.outcome !== 'done',
      };
    },
  },
];

export const archives: RequirementToRun = {
  id: 'archives',
  goals: ['R10'],
  requirement: 'A hostile archive writes nowhere but into scratch, and loses only what is damaged in it.',
  cases: archiveCases,
};
