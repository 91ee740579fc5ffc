/**
 * Pairs of a record `r` and of what is looked for `w` that have the same digest, by the strongest one that the record has: a record with
 * a SHA-256 that differs is another file, whatever its MD5 says.
 * Three look-ups, each through its own index: with one join over `or` PGlite took 260 ms CPU for 200 media against 10,000 records
 * instead of 9, since the planner has to guess the length of the array and then reads the whole table for each media.
 * All of it becomes part of the SQL, so it is ours.
 *
 * @param selected columns of r and w; `method` (sha256, sha1 or md5) comes behind them
 * @param wanted table, view or named select with the three digests
 * @param records likewise
 */
export const byStrongestDigest = (selected: string, wanted: string, records: string): string => `
select ${selected}, 'sha256' as method from ${wanted} w join ${records} r on r.sha256 = w.sha256
union all
select ${selected}, 'sha1' from ${wanted} w join ${records} r on r.sha1 = w.sha1 where r.sha256 is null
union all
select ${selected}, 'md5' from ${wanted} w join ${records} r on r.md5 = w.md5 where r.sha256 is null and r.sha1 is null`;

/** Stored contents that may be known: every seized machine holds the empty file. */
export const STORED_CONTENTS = '(select * from media where size_bytes > 0)';
