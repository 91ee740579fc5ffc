import { createHash } from 'node:crypto';
import { removeSet } from '../engine/hashset/sets.ts';
import { rematch } from '../engine/rematch/rematch.ts';
import { openServer } from '../engine/store/adapters/pg.ts';
import type { Db } from '../engine/store/db.ts';
import { noteAdded } from '../engine/store/queries/known-changes.ts';
import { integer, row } from '../engine/store/row-shape.ts';
import { DEFAULT_SUSPEND_AFTER_CASES, ORIENTATIONS, PIPELINE_VERSION } from '../schemas/constants.ts';
import { type Bench, type BenchOptions, type BenchResult, figure, judged } from './harness.ts';
import { seededRandom } from './random.ts';
import { withServerDatabase } from './real-server.ts';

const SEED = 20_261_201;
const MEDIA_AT_ONCE = 100_000;
const MOST_DISTANCE_BITS = { pdq: 31, blockhash: 12 } as const;

const FULL = { media: 1_000_000, records: 10_000 };
const QUICK = { media: 20_000, records: 1_000 };

/** The hash of a made media in one orientation: what the SQL below computes for it. */
const hashOf = (media: number, part: string): Buffer => createHash('sha256').update(`${media} ${part}`).digest();

/** Media with eight unrelated hashes each, the same in both flavours of PDQ: none is near another but by a plan. */
async function makeMedia(db: Db, count: number): Promise<void> {
  const hash = (part: string) => `sha256(convert_to(m.media_id || ' ${part}', 'UTF8'))`;
  const dihedral = ORIENTATIONS.map((_, turn) => hash(String(turn))).join(' || ');
  for (let from = 1; from <= count; from += MEDIA_AT_ONCE) {
    const to = Math.min(count, from + MEDIA_AT_ONCE - 1);
    await db.execute(
      `insert into media (media_id, sha256, sha1, md5, size_bytes, type) overriding system value
       select m.media_id, ${hash('file')}, substring(${hash('sha1')} from 1 for 20), substring(${hash('md5')} from 1 for 16), 1000, 'image/jpeg'
         from generate_series($1::bigint, $2::bigint) as m(media_id)`,
      [from, to],
    );
    await db.execute(
      `insert into fingerprint (media_id, pipeline_version, mode, outcome, width_pixels, height_pixels, decoder, pdq_512_dihedral,
                                pdq_512_quality, pdq_full_dihedral, pdq_full_quality, blockhash, blockhash_variant)
       select m.media_id, $3, 'exact', 'done', 600, 400, 'made', h.pdq, 90, h.pdq, 90,
              ('x' || encode(${hash('blocks')}, 'hex'))::bit(256), 'blockhash-256-r512'
         from generate_series($1::bigint, $2::bigint) as m(media_id) cross join lateral (select ${dihedral} as pdq offset 0) h`,
      [from, to, PIPELINE_VERSION],
    );
  }
  await db.execute('analyze media, fingerprint');
}

interface Planted {
  readonly setId: number;
  /** Media that must be found. */
  readonly media: number;
}

/**
 * A set in which every record belongs to one made media: 93 in 100 by a PDQ in some orientation with up to 31 bits turned, 5 by a
 * blockhash with up to 12, 2 by a digest alone.
 */
async function makeSet(db: Db, media: number, records: number): Promise<Planted> {
  const random = seededRandom(SEED);
  const turned = (hash: Buffer, most: number): string => {
    const places = new Set<number>();
    for (let bits = random.integer(0, most); places.size < bits; ) places.add(random.integer(0, 255));
    for (const place of places) hash[place >>> 3] = (hash[place >>> 3] ?? 0) ^ (0x80 >>> (place & 7));
    return hash.toString('hex');
  };
  const made = Array.from({ length: records }, (_, at) => {
    const of = 1 + Math.floor((at * media) / records);
    const kind = at % 100;
    if (kind < 93) {
      const turn = String(random.integer(0, ORIENTATIONS.length - 1));
      return { of, algorithm: 'pdq', hex: turned(hashOf(of, turn), MOST_DISTANCE_BITS.pdq) };
    }
    if (kind < 98)
      return {
        of,
        algorithm: 'blockhash-256-r512',
        hex: turned(hashOf(of, 'blocks'), MOST_DISTANCE_BITS.blockhash),
      };
    return { of, algorithm: null, hex: null };
  });
  return await db.transaction(async (tx) => {
    const [set] = await tx.read(
      row({ setId: integer }),
      `insert into hash_set (source, name, version, content_sha256, format, category_scheme, state, imported_by)
       values ('bench', 'new', 1, sha256('new'), 'ndjson', 'unspecified', 'active', 'bench') returning set_id`,
    );
    const [series] = await tx.read(
      row({ seriesId: integer }),
      `insert into series (source, name) values ('bench', 'planted') returning series_id`,
    );
    if (set === undefined || series === undefined) throw new Error('expected a set and a series');
    const digests = made.filter((one) => one.algorithm === null);
    const [range] = await tx.read(
      row({ first: integer, last: integer }),
      `with made as (
         insert into known_record (record_id, set_id, series_id, category_code, sha256, sha1, md5) overriding system value
         select number, $1, $2, '1',
                case when wants = 0 then m.sha256 end, case when wants = 1 then m.sha1 end, case when wants = 2 then m.md5 end
           from unnest($3::bigint[], $4::bigint[]) with ordinality as t(media_id, wants, number)
           left join media m on m.media_id = t.media_id and t.wants is not null
         returning record_id
       ) select min(record_id) as first, max(record_id) as last from made`,
      [
        set.setId,
        series.seriesId,
        made.map((one) => one.of),
        made.map((one) => (one.algorithm === null ? digests.indexOf(one) % 3 : null)),
      ],
    );
    await tx.execute(
      `insert into known_bits (record_id, set_id, algorithm, bits)
       select number, $1, algorithm, ('x' || hex)::bit(256)
         from unnest($2::text[], $3::text[]) with ordinality as t(algorithm, hex, number) where hex is not null`,
      [set.setId, made.map((one) => one.algorithm), made.map((one) => one.hex)],
    );
    await tx.execute('analyze known_record, known_bits');
    await noteAdded(tx, { setId: set.setId, firstRecordId: range?.first ?? 0, lastRecordId: range?.last ?? 0 });
    return { setId: set.setId, media: new Set(made.map((one) => one.of)).size };
  });
}

async function measure(db: Db, options: BenchOptions): Promise<BenchResult> {
  const { media, records } = options.quick ? QUICK : FULL;
  options.say(`making ${media} media`);
  await makeMedia(db, media);
  const planted = await makeSet(db, media, records);
  let saidAtMs = performance.now();
  const begunMs = performance.now();
  const result = await rematch(db, {
    signal: new AbortController().signal,
    suspendAfterCases: DEFAULT_SUSPEND_AFTER_CASES,
    onProgress: ({ passedMediaId }) => {
      if (performance.now() - saidAtMs < 10_000) return;
      saidAtMs = performance.now();
      options.say(`${passedMediaId} of ${media} media`);
    },
  });
  const seconds = (performance.now() - begunMs) / 1000;
  const [found] = result.sets;
  const removalMs = performance.now();
  const followed = await removeSet(db, planted.setId);
  const removalSeconds = (performance.now() - removalMs) / 1000;
  return {
    measures: [
      judged('recall of planted variants and digests', (found?.media ?? 0) / planted.media, '', '>=', 1),
      judged(`${media} media against ${records} new records`, seconds, 's', '<=', 120),
      figure('media matched', found?.media ?? 0, ''),
      figure('leads opened', found?.leads ?? 0, ''),
      judged('removal of that set until its leads are withdrawn', removalSeconds, 's', '<=', 10),
      figure('leads withdrawn', followed.withdrawn, ''),
    ],
    tables: [],
    parameters: { media, records, seed: SEED, database: db.capabilities.description },
    notes: [
      'Every new record belongs to one stored media: 93 in 100 by a PDQ in some orientation with up to 31 bits turned, 5 by a blockhash with up to 12, 2 by a digest alone.',
      'Each media is compared by 17 hashes: eight orientations of two flavours, and blockhash.',
    ],
  };
}

export const bench: Bench = {
  name: 'rematch',
  run: async (options) =>
    await withServerDatabase(options.databaseUrl, async (url) => {
      const db = await openServer({ url });
      try {
        return await measure(db, options);
      } finally {
        await db.close();
      }
    }),
};
