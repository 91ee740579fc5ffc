import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { HomewardError } from '../../../schemas/error.ts';
import { type CaseToRun, type RequirementToRun, same } from '../case.ts';
import type { Ground } from '../ground.ts';

const OPENERS = 20;

/** One folder for all of them, since making one is what takes time; the last case leaves it as one of a newer engine. */
const folderOf = (ground: Ground): string => path.join(ground.folder, 'database');

async function codeOf(work: () => Promise<{ close(): Promise<void> }>): Promise<string> {
  try {
    await (await work()).close();
    return 'opened';
  } catch (error) {
    if (error instanceof HomewardError) return error.code;
    throw error;
  }
}

const secondOpenerCase: CaseToRun = {
  id: 'second-opener',
  assertion: `While a data folder is open, each of ${OPENERS} attempts to open it again is refused.`,
  check: async (ground) => {
    const folder = folderOf(ground);
    const db = await ground.openDatabase(folder);
    try {
      let refused = 0;
      for (let attempt = 0; attempt < OPENERS; attempt++) {
        if ((await codeOf(async () => await ground.openDatabase(folder))) === 'HW_DATA_LOCKED') refused += 1;
      }
      return same(`${OPENERS} of ${OPENERS} refused`, `${refused} of ${OPENERS} refused`);
    } finally {
      await db.close();
    }
  },
};

const otherProcessCase: CaseToRun = {
  id: 'other-process',
  assertion: 'A command of another process on a data folder that is open ends with a clear error and exit code 2.',
  check: async (ground) => {
    const folder = folderOf(ground);
    const db = await ground.openDatabase(folder);
    try {
      const { exitCode, stderr } = await ground.runHomeward(['hashset', 'list', '--data', folder]);
      return {
        expected: 'exit code 2, HW_DATA_LOCKED',
        received: `exit code ${exitCode}, ${stderr.trim().slice(0, 200)}`,
        holds: exitCode === 2 && stderr.includes('HW_DATA_LOCKED'),
      };
    } finally {
      await db.close();
    }
  },
};

const reopenedCase: CaseToRun = {
  id: 'reopened',
  assertion: 'What was committed is there after closing and opening again; what was rolled back is not.',
  check: async (ground) => {
    const folder = folderOf(ground);
    const first = await ground.openDatabase(folder);
    try {
      await first.execute('create table validation_probe (number integer)');
      await first.transaction(
        async (tx) => await tx.execute('insert into validation_probe select generate_series(1, 1000)'),
      );
      await first
        .transaction(async (tx) => {
          await tx.execute('insert into validation_probe values (-1)');
          throw new RollBack();
        })
        .catch((error: unknown) => {
          if (!(error instanceof RollBack)) throw error;
        });
    } finally {
      await first.close();
    }
    const second = await ground.openDatabase(folder);
    try {
      const [row] = await second.query<{ rows: number; least: number }>(
        'select count(*) as rows, min(number) as least from validation_probe',
      );
      return same('1000 rows from 1', `${row?.rows} rows from ${row?.least}`);
    } finally {
      await second.close();
    }
  },
};

class RollBack extends Error {}

const newerCase: CaseToRun = {
  id: 'newer',
  assertion: 'A data folder that a newer engine wrote is refused and left as it is.',
  check: async (ground) => {
    const folder = folderOf(ground);
    await (await ground.openDatabase(folder)).close();
    const file = path.join(folder, 'folder.json');
    const written: unknown = JSON.parse(await readFile(file, 'utf8'));
    const newer = JSON.stringify({ ...(typeof written === 'object' ? written : {}), schemaVersion: 100_000 });
    await writeFile(file, newer);
    const code = await codeOf(async () => await ground.openDatabase(folder));
    return same(
      'HW_DATA_NEWER, unchanged',
      `${code}, ${(await readFile(file, 'utf8')) === newer ? 'unchanged' : 'changed'}`,
    );
  },
};

export const database: RequirementToRun = {
  id: 'database',
  goals: ['R7'],
  requirement: 'The embedded database belongs to one process at a time and keeps what it acknowledged.',
  cases: [secondOpenerCase, otherProcessCase, reopenedCase, newerCase],
};
