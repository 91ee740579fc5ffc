/**
 * Look-ups by digest through the whole API (authenticated, admitted, counted, looked up, recorded, checked) over ten million records on a
 * server, beside a bare route that answers the same: requests a second, waits at half of that, batches, and ten times too many callers.
 * Client, server and database share the machine. A bench of `npm run bench`.
 */
import { createHash } from 'node:crypto';
import { openServer } from '../engine/store/adapters/pg.ts';
import type { Db } from '../engine/store/db.ts';
import { noteAdded } from '../engine/store/queries/known-changes.ts';
import { integer, row } from '../engine/store/row-shape.ts';
import { type ApiCaller, addCaller, startServer } from './api-server.ts';
import { type Bench, type BenchOptions, type BenchResult, figure, judged, significant } from './harness.ts';
import { load, post } from './http-load.ts';
import { withServerDatabase } from './real-server.ts';

/** As many requests as the API has under way at once. */
const CALLERS = 64;
const BATCH = 1000;

async function seed(db: Db, records: number): Promise<ApiCaller> {
  const [set] = await db.read(
    row({ setId: integer }),
    `insert into hash_set (source, name, version, content_sha256, format, category_scheme, state, imported_by, record_count)
     values ('bench', 'synthetic', 1, $1, 'ndjson', 'vic-us', 'active', 'bench', $2) returning set_id`,
    [Buffer.alloc(32), records],
  );
  const setId = set?.setId ?? 0;
  // Digests of numbers: nothing real can match them.
  await db.transaction(async (tx) => {
    await tx.script('set local statement_timeout = 0');
    await tx.execute(
      `insert into known_record (set_id, md5, category_code) select $1, decode(md5(n::text), 'hex'), '1' from generate_series(1, $2::bigint) n`,
      [setId, records],
    );
    const [range] = await tx.read(
      row({ first: integer, last: integer }),
      'select min(record_id) as first, max(record_id) as last from known_record where set_id = $1',
      [setId],
    );
    await noteAdded(tx, { setId, firstRecordId: range?.first ?? 0, lastRecordId: range?.last ?? 0 });
  });
  await db.execute('vacuum analyze known_record');
  // Else the server writes two gigabytes of what was just loaded beside the look-ups, for minutes.
  await db.execute('checkpoint');
  return await addCaller(db);
}

/** One in twenty is known, as in a list that a lab sends. */
function digests(count: number, records: number, from: number): string[] {
  return Array.from({ length: count }, (_, at) =>
    createHash('md5')
      .update(at % 20 === 0 ? String(1 + ((from + at * 7919) % records)) : `unknown ${from + at}`)
      .digest('hex'),
  );
}

async function run({ quick, databaseUrl, say }: BenchOptions): Promise<BenchResult> {
  const records = quick ? 100_000 : 10_000_000;
  const seconds = quick ? 3 : 15;
  return await withServerDatabase(databaseUrl, async (url) => {
    const db = await openServer({ url });
    say(`${records} records`);
    const { headers } = await seed(db, records).finally(async () => await db.close());
    const server = await startServer(url);
    try {
      const { api, bare } = server;
      const memoryMegabytes = async (): Promise<number> => (await server.memoryBytes()) / 1e6;
      const single = digests(20_000, records, 1).map((md5) => post('/look-ups', headers, { records: [{ md5 }] }));
      const batches = Array.from({ length: 40 }, (_, at) =>
        post('/look-ups', headers, { records: digests(BATCH, records, at * BATCH).map((md5) => ({ md5 })) }),
      );
      const all = { seconds, perSecond: null, requests: single };
      say('warming up');
      await load({ ...all, port: bare, connections: CALLERS, seconds: 2 });
      await load({ ...all, port: api, connections: CALLERS, seconds: 3 });
      say('a bare route');
      const plain = await load({ ...all, port: bare, connections: CALLERS });
      say('the API');
      const ours = await load({ ...all, port: api, connections: CALLERS });
      say('half of that');
      const half = await load({ ...all, port: api, connections: CALLERS, perSecond: ours.perSecond / 2 });
      say('batches');
      const batched = await load({ ...all, port: api, connections: 4, requests: batches });
      say('ten times as many callers');
      const beforeMegabytes = await memoryMegabytes();
      const flooded = await load({ ...all, port: api, connections: CALLERS * 10 });
      const afterMegabytes = await memoryMegabytes();
      const refused = Object.entries(flooded.statuses).filter(([status]) => status !== '200' && status !== '503');
      return {
        measures: [
          judged('look-ups a second through the API / a bare route', ours.perSecond / plain.perSecond, '', '>=', 0.1),
          figure('look-ups a second through the API', ours.perSecond, '/s'),
          figure('a bare route', plain.perSecond, '/s'),
          judged('p99 at half of that load', half.p99Ms, 'ms', '<=', 20),
          figure('median at half of that load', half.medianMs, 'ms'),
          judged(`digests a second in batches of ${BATCH}`, batched.perSecond * BATCH, '/s', '>=', 20_000),
          judged('ten times the callers: p99 of what was accepted', flooded.p99Ms, 'ms', '<', 1000),
          judged(
            'ten times the callers: answers that are neither 200 nor 503',
            refused.reduce((sum, [, count]) => sum + count, 0),
            '',
            '<=',
            0,
          ),
          figure('ten times the callers: memory after / before', afterMegabytes / beforeMegabytes, ''),
        ],
        tables: [
          {
            title: 'Answers',
            columns: ['load', '200 a second', 'median ms', 'p99 ms', '503'],
            rows: [
              { name: 'bare route', result: plain },
              { name: 'API', result: ours },
              { name: 'API at half of that', result: half },
              { name: 'API, ten times the callers', result: flooded },
            ].map(({ name, result }) => [
              name,
              ...[result.perSecond, result.medianMs, result.p99Ms, result.statuses[503] ?? 0].map(significant),
            ]),
          },
        ],
        parameters: { records, seconds, callers: CALLERS, batch: BATCH },
        notes: [
          'Each look-up of the API is authenticated, admitted for a purpose and a case, counted, looked up in the database, and in the audit before its answer leaves.',
          'Client, API and PostgreSQL share two cores; the bare route has no database.',
        ],
      };
    } finally {
      server.stop();
    }
  });
}

export const bench: Bench = { name: 'api-look-ups', run };
