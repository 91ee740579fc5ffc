/**
 * The index on disk, so that a process that starts searches within seconds: a manifest and one file for each segment, which is its memory
 * as it is. A manifest is refused when it is of another format, another database or a state that the database never had (it was restored
 * from a backup); a file, when its size or a digest is not as the manifest says. What is refused is loaded from the store instead.
 */
import { createHash, randomUUID } from 'node:crypto';
import { closeSync, ftruncateSync, openSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isSearchIndexManifest } from '../../../schemas/checks/is-search-index-manifest.ts';
import type { SearchIndexManifest } from '../../../schemas/data-folder.ts';
import type { Db } from '../../store/db.ts';
import { databaseIdentity, knownChangeAt } from '../../store/queries/known-changes.ts';
import type { StoredAlgorithm } from './load-hashes.ts';
import type { MihThreads } from './mih-threads.ts';
import { Segment } from './segment.ts';

/** Rises with everything that changes where things lie in a segment's memory. */
const FORMAT = 1;
const MANIFEST = 'index.json';
/** Read, written and digested by one thread at a time. */
const PART_BYTES = 64 * 1024 * 1024;

export interface SavedIndex {
  readonly segments: ReadonlyMap<StoredAlgorithm, readonly Segment[]>;
  /** Number of the latest change that it knows. */
  readonly changeId: number;
}

/** The index of a folder; null where there is none that may be used. */
export async function openSnapshot(db: Db, folder: string, threads: MihThreads): Promise<SavedIndex | null> {
  const manifest = await readManifest(folder);
  if (manifest === null || manifest.identity !== (await databaseIdentity(db))) return null;
  if ((await knownChangeAt(db, manifest.changeId)) !== manifest.changedAt) return null;
  const segments = new Map<StoredAlgorithm, Segment[]>();
  const opened: Segment[] = [];
  for (const saved of manifest.segments) {
    const segment = await openSegment(path.join(folder, saved.file), saved, threads);
    if (segment === null) {
      for (const one of opened) threads.detach(one);
      return null;
    }
    opened.push(segment);
    segment.withdraw(saved.withdrawn);
    segments.set(saved.algorithm, [...(segments.get(saved.algorithm) ?? []), segment]);
  }
  return { segments, changeId: manifest.changeId };
}

/** Writes the index; the one before stays in use until the new one is whole, and its files go afterwards. */
export async function saveSnapshot(db: Db, folder: string, threads: MihThreads, index: SavedIndex): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const changedAt = await knownChangeAt(db, index.changeId);
  if (changedAt === null) return;
  const segments: SearchIndexManifest['segments'] = [];
  for (const [algorithm, of] of index.segments) {
    for (const segment of of) {
      const file = `${randomUUID()}.segment`;
      const withdrawn = segment.withdrawn.toPairs();
      const parts = await saveSegment(path.join(folder, file), segment, threads);
      segments.push({ algorithm, file, count: segment.count, parts, withdrawn });
    }
  }
  const manifest: SearchIndexManifest = {
    format: FORMAT,
    identity: await databaseIdentity(db),
    changeId: index.changeId,
    changedAt,
    segments,
  };
  const text = JSON.stringify(manifest);
  const fresh = path.join(folder, `${randomUUID()}.manifest`);
  await writeFile(fresh, `${digestOf(text)}\n${text}\n`, { mode: 0o600, flush: true });
  await rename(fresh, path.join(folder, MANIFEST));
  const kept = new Set(segments.map(({ file }) => file));
  for (const name of await readdir(folder))
    if (name.endsWith('.segment') && !kept.has(name)) await rm(path.join(folder, name), { force: true });
}

async function readManifest(folder: string): Promise<SearchIndexManifest | null> {
  let content: string;
  try {
    content = await readFile(path.join(folder, MANIFEST), 'utf8');
  } catch {
    return null;
  }
  const [digest, text] = content.split('\n');
  if (text === undefined || digestOf(text) !== digest) return null;
  const manifest: unknown = JSON.parse(text);
  return isSearchIndexManifest(manifest) && manifest.format === FORMAT ? manifest : null;
}

async function openSegment(
  file: string,
  saved: SearchIndexManifest['segments'][number],
  threads: MihThreads,
): Promise<Segment | null> {
  const segment = Segment.empty(saved.count, threads.count);
  const parts = partsOf(segment.layout.imageBytes);
  if (parts.length !== saved.parts.length) return null;
  threads.attach(segment);
  const digests = await Promise.all(
    parts.map((part) =>
      threads.run({ kind: 'read', key: segment.key, file, ...part }, 'now').catch(() => 'unreadable'),
    ),
  );
  if (digests.every((digest, at) => digest === saved.parts[at])) return segment;
  threads.detach(segment);
  return null;
}

async function saveSegment(file: string, segment: Segment, threads: MihThreads): Promise<string[]> {
  const { imageBytes } = segment.layout;
  const made = openSync(file, 'wx', 0o600);
  try {
    ftruncateSync(made, imageBytes);
  } finally {
    closeSync(made);
  }
  const digests = await Promise.all(
    partsOf(imageBytes).map((part) => threads.run({ kind: 'write', key: segment.key, file, ...part }, 'background')),
  );
  return digests.map(String);
}

function partsOf(imageBytes: number): { readonly at: number; readonly sizeBytes: number }[] {
  const parts = [];
  for (let at = 0; at < imageBytes; at += PART_BYTES)
    parts.push({ at, sizeBytes: Math.min(PART_BYTES, imageBytes - at) });
  return parts;
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');
