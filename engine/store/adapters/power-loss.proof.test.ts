import assert from 'node:assert/strict';
import {
  closeSync,
  cpSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { PGlite } from '@electric-sql/pglite';
import { HomewardError } from '../../../schemas/error.ts';
import { sqlStateOf } from '../sqlstate.ts';
import { unpackTemplate } from './folder-template.ts';
import { openEmbedded } from './pglite.ts';
import { EMBEDDED_SETTINGS } from './pglite-settings.ts';
import { SyncedFolder } from './synced-files.ts';

/** What a page held before it was written, kept until an fsync of its file. */
interface UnsyncedWrite {
  readonly file: string;
  readonly position: number;
  /** Shorter than the write where the file was. */
  readonly before: Buffer;
  readonly sizeBytesBefore: number;
}
type Operations = Parameters<NonNullable<Parameters<SyncedFolder['init']>[1]['preRun']>[number]>[0]['FS'];

const MOUNT = '/pglite/data/';
const ROWS_PER_TRANSACTION = 50;

/** Numbers that are the same in every run (mulberry32). */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * A disk that loses power: remembers what each write replaced until its file is synced, and at chosen writes leaves a copy of the
 * folder in which a random part of those writes never reached the disk. Names are taken to be journalled by the file system.
 */
class LosingFolder extends SyncedFolder {
  readonly #folder: string;
  readonly #unsynced = new Map<string, UnsyncedWrite[]>();
  /** False plays PGlite as it comes, whose fsync does nothing. */
  readonly #honourSync: boolean;
  writes = 0;
  onWrite: () => void = () => undefined;

  constructor(folder: string, honourSync: boolean) {
    super(folder, () => undefined);
    this.#folder = folder;
    this.#honourSync = honourSync;
  }

  override async init(...args: Parameters<SyncedFolder['init']>): ReturnType<SyncedFolder['init']> {
    const made = await super.init(...args);
    made.emscriptenOpts.preRun?.push((module) => {
      const fs: Operations = module.FS;
      const operations = fs.filesystems.NODEFS.stream_ops;
      const { write, fsync } = operations;
      const fileOf = (stream: { node: object }): string => fs.getPath(stream.node).slice(MOUNT.length);
      operations.write = (
        stream: { nfd: number; node: object },
        buffer: Uint8Array,
        offset: number,
        length: number,
        position: number,
      ) => {
        const before = Buffer.alloc(length);
        const read = readWhole(path.join(this.#folder, fileOf(stream)), before, position);
        const sizeBytesBefore = fstatSync(stream.nfd).size;
        const written: number = write(stream, buffer, offset, length, position);
        const file = fileOf(stream);
        const list = this.#unsynced.get(file) ?? [];
        list.push({ file, position, before: before.subarray(0, read), sizeBytesBefore });
        this.#unsynced.set(file, list);
        this.writes += 1;
        this.onWrite();
        return written;
      };
      operations.fsync = (stream: { nfd?: number; node: object }) => {
        if (this.#honourSync) this.#unsynced.delete(fileOf(stream));
        return fsync(stream);
      };
    });
    return made;
  }

  /** Leaves in `target` what a power loss at this moment could leave, each unsynced write lost with this probability. */
  losePower(target: string, probability: number, random: () => number): number {
    cpSync(this.#folder, target, { recursive: true });
    let lost = 0;
    for (const list of this.#unsynced.values()) {
      for (const write of list.toReversed()) {
        if (random() >= probability) continue;
        lost += 1;
        undo(path.join(target, write.file), write);
      }
    }
    return lost;
  }
}

function readWhole(file: string, into: Buffer, position: number): number {
  const descriptor = openSync(file, 'r');
  try {
    return readSync(descriptor, into, 0, into.length, position);
  } finally {
    closeSync(descriptor);
  }
}

function undo(file: string, write: UnsyncedWrite): void {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r+');
  } catch {
    // Renamed or removed since: its content was replaced with its name.
    return;
  }
  try {
    writeSync(descriptor, write.before, 0, write.before.length, write.position);
    if (fstatSync(descriptor).size > write.sizeBytesBefore && write.before.length === 0)
      truncateSync(file, write.sizeBytesBefore);
  } finally {
    closeSync(descriptor);
  }
}

interface Moment {
  readonly folder: string;
  readonly acknowledged: number;
  readonly lostWrites: number;
}

/** Writes groups of rows with checkpoints between them, and cuts the power of copies at random writes. */
async function momentsOf(
  root: string,
  name: string,
  options: { honourSync: boolean; moments: number; seed: number },
): Promise<Moment[]> {
  const random = seededRandom(options.seed);
  const source = path.join(root, name);
  unpackTemplate(source);
  const disk = new LosingFolder(source, options.honourSync);
  const pg = await PGlite.create({
    fs: disk,
    startParams: [...PGlite.defaultStartParams.filter((param) => param !== '-F'), ...EMBEDDED_SETTINGS],
  });
  const moments: Moment[] = [];
  let acknowledged = 0;
  await pg.exec('create table written (n int, filler text); create index on written (n); checkpoint');
  let next = 1 + Math.floor(random() * 40);
  disk.writes = 0;
  disk.onWrite = () => {
    if (disk.writes < next || moments.length >= options.moments) return;
    next = disk.writes + 1 + Math.floor(random() * 60);
    const folder = path.join(root, `${name}-${moments.length}`);
    mkdirSync(folder);
    const probability = [0.3, 0.7, 1][moments.length % 3] ?? 1;
    const lostWrites = disk.losePower(path.join(folder, 'postgres'), probability, random);
    moments.push({ folder, acknowledged, lostWrites });
  };
  for (let group = 1; moments.length < options.moments; group += 1) {
    await pg.query(
      `insert into written select $1, repeat(md5(g::text), 20) from generate_series(1, ${ROWS_PER_TRANSACTION}) g`,
      [group],
    );
    acknowledged = group;
    if (random() < 0.2) await pg.exec('checkpoint');
  }
  await pg.close();
  rmSync(source, { recursive: true });
  return moments;
}

type Afterwards = 'whole' | 'saidDamaged' | 'lostSilently';

/** Opens what was left as the engine would after the machine came up again. */
async function openAfterwards(moment: Moment): Promise<Afterwards> {
  const content = {
    layoutVersion: 1,
    postgresMajor: 18,
    schemaVersion: 0,
    state: 'open',
    bootId: 'before',
    processId: 1,
    at: '',
  };
  writeFileSync(path.join(moment.folder, 'folder.json'), JSON.stringify(content));
  try {
    const db = await openEmbedded({ dataFolder: moment.folder });
    try {
      const groups = await db.query<{ n: number; rows: number }>(
        'select n, count(*) as rows from written group by n order by n',
      );
      const [byIndex] = await db.query<{ rows: number }>('select count(*) as rows from written where n > 0');
      const whole =
        groups.length >= moment.acknowledged &&
        groups.every((group, at) => group.n === at + 1 && group.rows === ROWS_PER_TRANSACTION);
      return whole && byIndex?.rows === groups.length * ROWS_PER_TRANSACTION ? 'whole' : 'lostSilently';
    } finally {
      await db.close();
    }
  } catch (error) {
    if (error instanceof HomewardError && error.code === 'HW_DATA_DAMAGED') return 'saidDamaged';
    // undefined_table: it opened, and the table is gone with all its rows.
    if (sqlStateOf(error) === '42P01') return 'lostSilently';
    throw error;
  }
}

describe('embedded database after a power loss', () => {
  let root: string;
  before(() => {
    root = mkdtempSync(path.join(tmpdir(), 'homeward-power-'));
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  it('R7: opens with everything that was acknowledged, whichever unsynced writes were lost', async () => {
    const moments = await momentsOf(root, 'synced', { honourSync: true, moments: 9, seed: 7 });
    assert.ok(
      moments.some((moment) => moment.lostWrites > 0),
      'no moment lost a write: nothing was simulated',
    );
    const seen: Afterwards[] = [];
    for (const moment of moments) {
      seen.push(await openAfterwards(moment));
      rmSync(moment.folder, { recursive: true });
    }
    assert.deepEqual(seen, Array(9).fill('whole'));
  });

  it('is a simulation that shows loss: with an fsync that does nothing, the same disk loses', async () => {
    const moments = await momentsOf(root, 'unsynced', { honourSync: false, moments: 3, seed: 7 });
    const seen: Afterwards[] = [];
    for (const moment of moments) {
      seen.push(await openAfterwards(moment));
      rmSync(moment.folder, { recursive: true });
    }
    assert.ok(
      seen.some((one) => one !== 'whole'),
      `all of ${seen.length} came back whole`,
    );
  });
});
