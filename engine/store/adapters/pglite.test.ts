import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { HomewardError } from '../../../schemas/error.ts';
import { type LastEnding, openEmbedded } from './pglite.ts';

const CHILD = path.join(import.meta.dirname, 'test-second-process.ts');
const isError = (code: string) => (error: unknown) => error instanceof HomewardError && error.code === code;

/** A process that tries five times to open a folder and prints what became of it, or opens it and inserts rows until it is killed. */
function secondProcess(
  folder: string,
  what: 'open' | 'insert',
): ChildProcess & { readonly lines: AsyncIterator<string> } {
  const child = spawn(process.execPath, [CHILD, folder, what], { stdio: ['ignore', 'pipe', 'inherit'] });
  assert.ok(child.stdout);
  return Object.assign(child, { lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() });
}

describe('embedded database', () => {
  let root: string;
  let used: string;
  before(async () => {
    root = mkdtempSync(path.join(tmpdir(), 'homeward-embedded-'));
    used = path.join(root, 'used');
    const db = await openEmbedded({ dataFolder: used });
    await db.execute('create table seen (n int primary key)');
    await db.execute('insert into seen select generate_series(1, 2000)');
    await db.close();
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  const copyOfUsed = (name: string): string => {
    const folder = path.join(root, name);
    cpSync(used, folder, { recursive: true });
    return folder;
  };

  it('is made where there is none, keeps what it is told, and says how it was left', async () => {
    let found: LastEnding | undefined;
    const db = await openEmbedded({ dataFolder: used, onFound: (ending) => (found = ending) });
    try {
      assert.equal(found, 'closed');
      assert.equal(db.capabilities.durable, true);
      assert.deepEqual(await db.query('select count(*) as rows from seen'), [{ rows: 2000 }]);
    } finally {
      await db.close();
      await db.close();
    }
  });

  it('R7: a second opener is refused 20 of 20, in other processes and in this one', async () => {
    const db = await openEmbedded({ dataFolder: used });
    try {
      await assert.rejects(openEmbedded({ dataFolder: used }), isError('HW_DATA_LOCKED'));
      // Four processes at once, five times each: starting a process costs more than the opening that is tried.
      const openers = Array.from({ length: 4 }, () => secondProcess(used, 'open'));
      const answers: string[] = [];
      for (const opener of openers) {
        for (let line = await opener.lines.next(); !line.done; line = await opener.lines.next())
          answers.push(line.value);
      }
      assert.deepEqual(answers, Array(20).fill('HW_DATA_LOCKED'));
      assert.deepEqual(await db.query('select count(*) as rows from seen'), [{ rows: 2000 }]);
    } finally {
      await db.close();
    }
  });

  it('is free again after its process was killed, and holds every row that was acknowledged', async () => {
    const folder = copyOfUsed('killed');
    let acknowledged = 0;
    for (const leastRows of [40, 90]) {
      const writer = secondProcess(folder, 'insert');
      while (acknowledged < leastRows) {
        const line = await writer.lines.next();
        assert.ok(!line.done && /^\d+$/.test(line.value), `the writer said ${line.value}`);
        acknowledged = Number(line.value);
      }
      writer.kill('SIGKILL');
      await once(writer, 'exit');
      for (let line = await writer.lines.next(); !line.done; line = await writer.lines.next())
        acknowledged = Number(line.value);
    }
    let found: LastEnding | undefined;
    const db = await openEmbedded({ dataFolder: folder, onFound: (ending) => (found = ending) });
    try {
      assert.equal(found, 'killed');
      const [rows] = await db.query<{ rows: number; last: number }>(
        'select count(*) as rows, max(n) as last from acknowledged',
      );
      assert.ok(
        rows !== undefined && rows.rows === rows.last && rows.last >= acknowledged,
        `${acknowledged} acknowledged, ${rows?.rows} found`,
      );
    } finally {
      await db.close();
    }
  });

  it('refuses a folder of a newer engine, and changes nothing', async () => {
    const folder = copyOfUsed('newer');
    const file = path.join(folder, 'folder.json');
    for (const newer of [
      { layoutVersion: 2 },
      { postgresMajor: 19 },
      { schemaVersion: 99 },
      { layoutVersion: 7, unheardOf: true },
    ]) {
      const written = JSON.stringify({ ...JSON.parse(readFileSync(path.join(used, 'folder.json'), 'utf8')), ...newer });
      writeFileSync(file, written);
      await assert.rejects(openEmbedded({ dataFolder: folder }), isError('HW_DATA_NEWER'));
      assert.equal(readFileSync(file, 'utf8'), written);
    }
  });

  it('starts anew where making it was interrupted', async () => {
    const folder = copyOfUsed('interrupted');
    const file = path.join(folder, 'folder.json');
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), state: 'creating' }));
    rmSync(path.join(folder, 'postgres', 'global'), { recursive: true });
    const db = await openEmbedded({ dataFolder: folder });
    try {
      assert.deepEqual(await db.query("select to_regclass('seen')::text as seen"), [{ seen: null }]);
    } finally {
      await db.close();
    }
  });

  it('says that a folder is damaged, and to restore it, instead of opening it', async () => {
    const damage: Record<string, (folder: string) => void> = {
      'no folder file': (folder) => rmSync(path.join(folder, 'folder.json')),
      'a folder file that is no JSON': (folder) => writeFileSync(path.join(folder, 'folder.json'), '{'),
      'no database': (folder) => rmSync(path.join(folder, 'postgres'), { recursive: true }),
      'an empty control file': (folder) =>
        writeFileSync(path.join(folder, 'postgres', 'global', 'pg_control'), Buffer.alloc(8192)),
      'no log': (folder) => rmSync(path.join(folder, 'postgres', 'pg_wal'), { recursive: true }),
    };
    for (const [what, spoil] of Object.entries(damage)) {
      const folder = copyOfUsed('damaged');
      spoil(folder);
      await assert.rejects(
        openEmbedded({ dataFolder: folder }),
        (error: unknown) =>
          error instanceof HomewardError && error.code === 'HW_DATA_DAMAGED' && /backup/.test(error.message),
        what,
      );
      rmSync(folder, { recursive: true });
    }
  });

  it('reads every page after the machine went down, and finds one that is half written', async () => {
    const folder = copyOfUsed('power');
    const db = await openEmbedded({ dataFolder: folder });
    const [table] = await db.query<{ file: string }>("select pg_relation_filepath('seen') as file");
    await db.close();
    const folderFile = path.join(folder, 'folder.json');
    writeFileSync(
      folderFile,
      JSON.stringify({
        ...JSON.parse(readFileSync(folderFile, 'utf8')),
        state: 'open',
        bootId: 'another start of the machine',
      }),
    );
    const pages = path.join(folder, 'postgres', table?.file ?? '');
    const content = readFileSync(pages);
    content.fill(0, 8192 + 4096, 2 * 8192);
    writeFileSync(pages, content);
    await assert.rejects(openEmbedded({ dataFolder: folder }), isError('HW_DATA_DAMAGED'));
    // Asked again it must not be forgotten.
    await assert.rejects(openEmbedded({ dataFolder: folder }), isError('HW_DATA_DAMAGED'));
  });

  it('says which folder cannot be made', async () => {
    writeFileSync(path.join(root, 'a file'), '');
    await assert.rejects(openEmbedded({ dataFolder: path.join(root, 'a file', 'data') }), isError('HW_PATH_NOT_FOUND'));
  });
});
