import path from 'node:path';
import { SET_PURPOSES, type SetPurpose } from '../../schemas/constants.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { CalibratedAlgorithm } from '../match/calibration.ts';
import { BIT_POLICY, passesQuality } from '../match/policy.ts';
import { readStoredFingerprints } from '../rematch/stored-fingerprints.ts';
import { hitsOfStored } from '../rematch/stored-hits.ts';
import { FixedHashes } from '../search/mih/search-segments.ts';
import type { Db, Transaction } from '../store/db.ts';
import { windowEnd } from '../store/queries/rematch-pass.ts';
import { byStrongestDigest, STORED_CONTENTS } from '../store/queries/strongest-digest.ts';
import { integer, nullable, oneOf, row, text } from '../store/row-shape.ts';
import { digestOf } from './file-digest.ts';
import type { OpenSetOptions } from './formats/reader.ts';
import { addCounts, noNotes, noRejections } from './formats/record-batch.ts';
import { floodOfSet } from './into-force.ts';
import { dropDuplicates } from './promote.ts';
import { openSetFile } from './set-file.ts';
import { requirePurpose } from './set-purpose.ts';
import { StageEncoder } from './stage-encoder.ts';
import { createTemporaryStage, TEMPORARY_STAGE } from './stage-tables.ts';

const STAGE = TEMPORARY_STAGE.add;
/** Media gone through together: some megabytes of hashes. */
const MEDIA_PER_WINDOW = 5_000;
const MOST_SAMPLES = 5;
const MOST_LISTED = 100;

export interface DryRunRequest {
  readonly file: string;
  readonly source: string;
  readonly name?: string;
  readonly format?: OpenSetOptions['format'];
  readonly purpose: SetPurpose;
  readonly radiusBits?: number;
  /** A record that hits more unrelated cases than this would be suspended; 0: none would. */
  readonly suspendAfterCases: number;
  readonly signal: AbortSignal;
}

/** Records of another set in force that have a digest of the file's, and say something else of it. */
export interface DryRunConflict {
  readonly source: string;
  readonly name: string;
  readonly version: number;
  /** good and negative: the file calls known what another set says is nothing. */
  readonly purpose: SetPurpose;
  readonly scheme: string;
  readonly category: string | null;
  readonly records: number;
  /** The file's own keys, or digests, of some of them. */
  readonly samples: readonly string[];
}

export interface DryRunResult {
  readonly records: number;
  readonly rejected: Readonly<Record<string, number>>;
  readonly notes: Readonly<Record<string, number>>;
  readonly conflicts: readonly DryRunConflict[];
  /** Stored contents that it would hit. */
  readonly contentsByDigest: number;
  readonly contentsByHash: number;
  readonly unrelatedCases: number;
  readonly cases: readonly { readonly organisation: string; readonly caseRef: string; readonly contents: number }[];
  /** Records that would be suspended at once, with their cases. */
  readonly overused: readonly { readonly record: string; readonly cases: number }[];
  /** Why it would wait for a person; null where it would not. */
  readonly wouldWait: string | null;
}

/**
 * What a file would hit if it were imported: other sets and stored contents, by digests and by an exact search of its perceptual hashes.
 * It is staged in temporary tables of one transaction; nothing is left of it.
 * @throws HomewardError HW_SET_DAMAGED, HW_SET_FORMAT
 */
export async function dryRunSet(db: Db, request: DryRunRequest): Promise<DryRunResult> {
  const { file, source } = request;
  const name = request.name ?? path.basename(file).replace(/\.[^.]+$/, '');
  const { sha256, sizeBytes } = await digestOf(file);
  const reader = await openSetFile(request, sha256, sizeBytes);
  try {
    requirePurpose(reader.description, request.purpose);
    return await db.transaction(async (tx) => {
      const rejected = noRejections();
      const notes = noNotes();
      const encoder = new StageEncoder();
      let rows = 0;
      await createTemporaryStage(tx, STAGE);
      for await (const batch of reader.batches()) {
        addCounts(rejected, batch.rejected);
        addCounts(notes, batch.notes);
        if (batch.rowCount > 0) await tx.copyIn(STAGE.records, encoder.records(batch, rows, 0));
        const bits = encoder.bits(batch, rows, 0);
        if (bits !== null) await tx.copyIn(STAGE.bits, [bits]);
        rows += batch.rowCount;
      }
      const duplicates = await dropDuplicates(tx, STAGE);
      await tx.execute(`analyze ${STAGE.records.table}, ${STAGE.bits.table}`);
      // Before anything is hit: the search below may take minutes, and a set that waits anyhow says so at once in the same report.
      const wouldWait = await floodOfSet(tx, { setId: 0, source, name, purpose: request.purpose }, STAGE);
      const conflicts = await conflictsOf(tx, { source, name, scheme: reader.description.categoryScheme });
      const hits = await hitsOf(tx, request);
      return {
        records: rows - duplicates,
        rejected: { ...rejected, duplicate: rejected.duplicate + duplicates },
        notes,
        conflicts,
        ...hits,
        wouldWait,
      };
    });
  } finally {
    await reader.close();
  }
}

const CONFLICT = row({
  source: text,
  name: text,
  version: integer,
  purpose: oneOf(SET_PURPOSES),
  scheme: text,
  category: nullable(text),
  records: integer,
  samples: text,
});

const SAMPLE = `coalesce(s.source_key, encode(coalesce(s.sha256, s.sha1, s.md5), 'hex'), 'row ' || s.row_no)`;

// Codes of another scheme are no conflict: nobody can say that they differ.
const CONFLICTS_SQL = `
with met as (
  select s.row_no, r.set_id, r.category_code from ${STAGE.records.table} s join searched_record r on r.sha256 = s.sha256
  union
  select s.row_no, r.set_id, r.category_code from ${STAGE.records.table} s join searched_record r on r.sha1 = s.sha1
   where s.sha256 is null or r.sha256 is null
  union
  select s.row_no, r.set_id, r.category_code from ${STAGE.records.table} s join searched_record r on r.md5 = s.md5
   where (s.sha256 is null or r.sha256 is null) and (s.sha1 is null or r.sha1 is null)
  union
  select b.row_no, k.set_id, r.category_code
    from ${STAGE.bits.table} b
    join hash_set n on n.state = 'active' and n.purpose <> 'known'
    join searched_bits k on k.set_id = n.set_id and (k.bits <~> b.bits) <= coalesce(n.radius_bits, $4::int)
     and (k.algorithm like 'pdq%') = (b.algorithm like 'pdq%')
    join known_record r on r.record_id = k.record_id
)
select h.source, h.name, h.version, h.purpose, h.category_scheme as scheme, m.category_code as category, count(distinct m.row_no) as records,
       array_to_string((array_agg(distinct ${SAMPLE}))[1:${MOST_SAMPLES}], chr(10)) as samples
  from met m
  join ${STAGE.records.table} s on s.row_no = m.row_no
  join hash_set h on h.set_id = m.set_id
 where (h.source <> $1 or h.name <> $2)
   and (h.purpose <> 'known' or (h.category_scheme = $3 and s.category_code is distinct from m.category_code))
 group by h.set_id, m.category_code
 order by h.purpose, records desc
 limit ${MOST_LISTED}`;

async function conflictsOf(
  tx: Transaction,
  set: { readonly source: string; readonly name: string; readonly scheme: string },
): Promise<DryRunConflict[]> {
  const radiusBits = BIT_POLICY['pdq-512'].thresholdBits;
  const found = await tx.read(CONFLICT, CONFLICTS_SQL, [set.source, set.name, set.scheme, radiusBits]);
  return found.map(({ samples, ...one }) => ({ ...one, samples: samples.split('\n') }));
}

type Hits = Pick<DryRunResult, 'contentsByDigest' | 'contentsByHash' | 'unrelatedCases' | 'cases' | 'overused'>;

async function hitsOf(tx: Transaction, request: DryRunRequest): Promise<Hits> {
  await tx.script(
    'create temporary table dry_run_hit (media_id bigint, row_no bigint, by_digest boolean) on commit drop;',
  );
  await tx.execute(
    `insert into dry_run_hit (media_id, row_no, by_digest)
     select media_id, row_no, true from (${byStrongestDigest('w.media_id, r.row_no', STORED_CONTENTS, STAGE.records.table)}) hit`,
  );
  await addHashHits(tx, request);
  const [counted] = await tx.read(
    row({ contentsByDigest: integer, contentsByHash: integer, unrelatedCases: integer }),
    `select (select count(distinct media_id) from dry_run_hit where by_digest) as contents_by_digest,
            (select count(distinct media_id) from dry_run_hit h where not by_digest
                and not exists (select from dry_run_hit d where d.by_digest and d.media_id = h.media_id)) as contents_by_hash,
            (select count(distinct (b.organisation, b.case_ref))
               from dry_run_hit h join item i on i.media_id = h.media_id join batch b on b.batch_id = i.batch_id) as unrelated_cases`,
  );
  const cases = await tx.read(
    row({ organisation: text, caseRef: text, contents: integer }),
    `select b.organisation, b.case_ref, count(distinct h.media_id) as contents
       from dry_run_hit h join item i on i.media_id = h.media_id join batch b on b.batch_id = i.batch_id
      group by b.organisation, b.case_ref order by contents desc, b.organisation, b.case_ref limit ${MOST_LISTED}`,
  );
  const overused =
    request.suspendAfterCases === 0
      ? []
      : await tx.read(
          row({ record: text, cases: integer }),
          `select ${SAMPLE} as record, count(distinct (b.organisation, b.case_ref)) as cases
             from dry_run_hit h
             join ${STAGE.records.table} s on s.row_no = h.row_no
             join item i on i.media_id = h.media_id
             join batch b on b.batch_id = i.batch_id
            group by s.row_no, s.source_key, s.sha256, s.sha1, s.md5
           having count(distinct (b.organisation, b.case_ref)) > $1
            order by cases desc, record limit ${MOST_LISTED}`,
          [request.suspendAfterCases],
        );
  const { contentsByDigest = 0, contentsByHash = 0, unrelatedCases = 0 } = counted ?? {};
  return { contentsByDigest, contentsByHash, unrelatedCases, cases, overused };
}

/** Every stored content's hashes are looked for among those of the file, as they are once it is in force. */
async function addHashHits(tx: Transaction, { radiusBits, signal }: DryRunRequest): Promise<void> {
  const hashes = await FixedHashes.load(
    tx,
    `(select row_no as record_id, algorithm, bits, quality from ${STAGE.bits.table})`,
  );
  if (hashes === null) return;
  try {
    const radiusBitsOf = (algorithm: CalibratedAlgorithm): number => radiusBits ?? BIT_POLICY[algorithm].thresholdBits;
    const hasAny = (algorithm: CalibratedAlgorithm): boolean => hashes.segmentsFor(algorithm).length > 0;
    for (let after = 0; ; ) {
      if (signal.aborted)
        throw new HomewardError(
          'HW_USAGE',
          'expected to compare every stored content, received a stop; nothing was changed',
        );
      const last = await windowEnd(tx, { lastMediaId: Number.MAX_SAFE_INTEGER }, after, MEDIA_PER_WINDOW);
      if (last === null) return;
      const stored = await readStoredFingerprints(tx, after, last, hasAny);
      after = last;
      const hits = (await hitsOfStored(hashes, stored, radiusBitsOf)).filter((hit) =>
        passesQuality(hit.query.algorithm, hit.quality),
      );
      await tx.execute(
        'insert into dry_run_hit (media_id, row_no, by_digest) select distinct *, false from unnest($1::bigint[], $2::bigint[])',
        [hits.map((hit) => stored.of[hit.query.tag]?.mediaId ?? null), hits.map((hit) => hit.recordId)],
      );
    }
  } finally {
    await hashes.close();
  }
}
