/**
 * `npm run bench [-- [--quick] [NAME...]]`: runs all benches or those named, one after the other, and writes bench/results/
 * (--quick: small subsets and few rounds, printed only).
 * A bench that needs a part which is not there fails by name; the others go on. Exit 1 when one failed or could not run;
 * a missed target is a result, not a failure, unless --strict is given.
 */
import { parseArgs } from 'node:util';
import { type Bench, type BenchResult, machineLine, NotAvailable } from './harness.ts';
import { storeResult, writeSummary } from './results.ts';

const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  'hash-throughput': async () => (await import('./hash-throughput.ts')).bench,
  'pdq-filter': async () => (await import('./pdq-filter.ts')).bench,
  peers: async () => (await import('./peers.ts')).bench,
  'fast-distance': async () => (await import('./fast-distance.ts')).bench,
  'embed-throughput': async () => (await import('./embed-throughput.ts')).bench,
  'scan-throughput': async () => (await import('./scan-throughput.ts')).bench,
  memory: async () => (await import('./memory.ts')).bench,
  'database-share': async () => (await import('./database-share.ts')).bench,
  import: async () => (await import('./import-speed.ts')).bench,
  'radius-search': async () => (await import('./radius-search.ts')).bench,
  'digest-filter': async () => (await import('./digest-filter.ts')).bench,
  'vector-recall': async () => (await import('./vector-recall.ts')).bench,
  'vector-million': async () => (await import('./vector-million.ts')).bench,
  'unseen-first': async () => (await import('./unseen-first.ts')).bench,
  'candidate-series': async () => (await import('./candidate-series.ts')).bench,
  rematch: async () => (await import('./rematch.ts')).bench,
  'start-up': async () => (await import('./start-up.ts')).bench,
  upload: async () => (await import('./upload.ts')).bench,
  'audit-write': async () => (await import('./audit-write.ts')).bench,
  'api-look-ups': async () => (await import('./api-look-ups.ts')).bench,
  bombs: async () => (await import('./bombs.ts')).bench,
};

const { values, positionals } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    strict: { type: 'boolean', default: false },
    list: { type: 'boolean' },
  },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !(name in BENCHES));
if (unknown.length > 0 || values.list === true) {
  const names = Object.keys(BENCHES).join('\n  ');
  process.stderr.write(`${unknown.length > 0 ? `no bench named ${unknown.join(', ')}; ` : ''}benches:\n  ${names}\n`);
  process.exit(unknown.length > 0 ? 2 : 0);
}

const databaseUrl = process.env['HOMEWARD_BENCH_DATABASE_URL'];
const say = (text: string) => process.stderr.write(`  ${text}\n`);
let failures = 0;
let misses = 0;
for (const [name, load] of Object.entries(BENCHES)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  process.stdout.write(`${name}\n`);
  try {
    const machine = machineLine();
    const bench = await load();
    const result = await bench.run({ quick: values.quick, databaseUrl, say });
    if (!values.quick) storeResult(name, machine, result);
    misses += show(result);
  } catch (error) {
    failures += 1;
    const text = error instanceof NotAvailable ? error.message : error instanceof Error ? error.stack : String(error);
    process.stdout.write(`  ${name}: ${text}\n`);
  }
}
if (!values.quick) writeSummary();
process.stdout.write(`${misses} targets missed, ${failures} benches could not run\n`);
process.exit(failures > 0 || (values.strict && misses > 0) ? 1 : 0);

/** Prints the figures; returns how many targets were missed. */
function show(result: BenchResult): number {
  for (const measure of result.measures) {
    const verdict =
      measure.pass === null
        ? ''
        : measure.pass
          ? `  (target ${measure.target})`
          : `  MISSED (target ${measure.target})`;
    process.stdout.write(`  ${measure.name}: ${measure.value} ${measure.unit}${verdict}\n`);
  }
  for (const table of result.tables) {
    process.stdout.write(`  ${table.title}\n    ${table.columns.join('\t')}\n`);
    for (const row of table.rows) process.stdout.write(`    ${row.join('\t')}\n`);
  }
  for (const note of result.notes) process.stdout.write(`  ${note}\n`);
  return result.measures.filter((measure) => measure.pass === false).length;
}
