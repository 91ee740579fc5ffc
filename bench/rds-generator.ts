import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** What a row takes in the file, in the table and in the index of its key, with two pages of a content in five. */
const BYTES_A_ROW = 480;
/** NIST's own calibration set has 79.8 million rows of 29.07 million contents. */
const ROWS_A_CONTENT = 2.75;

/**
 * An NSRL RDS version 3 database of about so many bytes, minimal set: made once, the same contents for the same seed. Digests are made of
 * numbers, so that nothing real can match them.
 * @returns its path
 */
export function generatedRds(folder: string, sizeBytes: number, seed: number): string {
  const rows = Math.floor(sizeBytes / BYTES_A_ROW);
  const file = path.join(folder, `nsrl-${rows}-${seed}.db`);
  if (existsSync(file)) return file;
  mkdirSync(folder, { recursive: true });
  const partial = `${file}.partial`;
  rmSync(partial, { force: true });
  const db = new DatabaseSync(partial);
  db.exec(`pragma journal_mode = off; pragma synchronous = off;
    create table FILE (sha256 varchar not null, sha1 varchar not null, md5 varchar not null, crc32 varchar not null,
      file_name varchar not null, file_size integer not null, package_id integer not null,
      constraint PK_FILE__FILE primary key (sha256, sha1, md5, file_name, file_size, package_id));
    create table VERSION (version varchar unique not null, description varchar not null);
    insert into VERSION values ('synthetic', 'made for the benchmark');
    begin`);
  const insert = db.prepare('insert into FILE values (?, ?, ?, ?, ?, ?, ?)');
  for (let row = 0; row < rows; row += 1) {
    const content = Math.floor(row / ROWS_A_CONTENT);
    const digest = createHash('sha512').update(`${seed} ${content}`).digest('hex').toUpperCase();
    // Of one content the size is one, too.
    insert.run(
      digest.slice(0, 64),
      digest.slice(64, 104),
      digest.slice(96, 128),
      digest.slice(0, 8),
      `file${row}.dll`,
      content,
      row % 5_000,
    );
  }
  db.exec('commit');
  db.close();
  renameSync(partial, file);
  return file;
}
