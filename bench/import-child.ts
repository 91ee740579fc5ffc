/** Imports one file in a process of its own and prints seconds, rows and peak memory: `import-child.ts URL FILE`. */
import { importSetFile } from '../engine/hashset/import.ts';
import { openServer } from '../engine/store/adapters/pg.ts';
import { residentMemory } from './process-tree.ts';
import { meterStaging } from './staging-meter.ts';

const [url, file] = process.argv.slice(2);
if (url === undefined || file === undefined) throw new Error('usage: import-child.ts URL FILE');
const db = await openServer({ url });
const meter = meterStaging(db, false);
const started = performance.now();
const { records } = await importSetFile(meter.db, {
  file,
  source: 'bench',
  importedBy: 'bench',
  signal: new AbortController().signal,
});
const seconds = (performance.now() - started) / 1000;
await db.close();
const peakBytes = residentMemory(process.pid)?.peakBytes ?? 0;
process.stdout.write(JSON.stringify({ seconds, stagingSeconds: meter.stagingSeconds(), records, peakBytes }));
