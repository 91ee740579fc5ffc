import { spawn } from 'node:child_process';
import path from 'node:path';
import type { ReportBuilder } from '../../engine/report/build.ts';
import type { Config } from '../../schemas/config.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { ReportHead, ReportItem } from '../../schemas/report.ts';
import { demoPlan } from '../demo/plan.ts';
import { makeHashSetWith } from './make-hash-set.ts';
import { openFleet } from './open-fleet.ts';
import type { ScanProgress } from './scan-progress.ts';
import { type KnownSource, scanSeizure } from './scan-seizure.ts';

const RENDERER = path.resolve(import.meta.dirname, '..', '..', 'workers', 'demo', 'render.ts');

export interface DemoRun {
  readonly config: Config;
  /** Empty folder in which everything is made. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly progress: ScanProgress;
  /** Told in a sentence what comes next. */
  readonly say: (sentence: string) => void;
  readonly report: (builder: ReportBuilder, items: (item: ReportItem) => void) => Promise<ReportHead>;
}

/** Renders the demo's pictures, makes a known series of some, scans the rest, and returns what was found, with paths below the folder. */
export async function runDemo(demo: DemoRun): Promise<readonly ReportItem[]> {
  const plan = demoPlan();
  demo.say('Rendering a dozen scenes (rooms, landscapes, objects; no people) and variants of them ...');
  await render(demo.folder, JSON.stringify(plan.order), demo.signal);
  const config = { ...demo.config, dataFolder: path.join(demo.folder, 'data'), databaseUrl: null };
  const known: KnownSource[] = [];
  {
    await using open = await openFleet(config, [path.join(demo.folder, plan.knownFolder)]);
    for (const [at, { series, folder }] of plan.series.entries()) {
      const out = path.join(demo.folder, `series-${at + 1}.ndjson`);
      demo.say(`Making a hash set of the unit's own known pictures: ${series} ...`);
      await makeHashSetWith(open, config, { folder: path.join(demo.folder, folder), series, out, signal: demo.signal });
      known.push({ file: out, source: plan.source, name: `${plan.setName}-${at + 1}` });
    }
  }
  demo.say('Importing them and scanning the seized folder ...');
  const found: ReportItem[] = [];
  await scanSeizure({
    config,
    roots: [path.join(demo.folder, plan.seizedFolder)],
    caseRef: 'demo',
    exhibitRef: '1',
    mode: 'exact',
    known,
    resume: false,
    models: null,
    reveal: false,
    signal: demo.signal,
    progress: demo.progress,
    report: async (builder) =>
      await demo.report(builder, (item) => found.push({ ...item, path: path.relative(demo.folder, item.path) })),
  });
  return found;
}

/** Drawing and encoding pictures is done where pixels may be: in a process of its own. */
async function render(folder: string, order: string, signal: AbortSignal): Promise<void> {
  const child = spawn(process.execPath, ['--no-warnings', RENDERER, '--out', folder], {
    stdio: ['pipe', 'ignore', 'pipe'],
    signal,
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-500);
  });
  child.stdin.end(order);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code !== 0)
    throw new HomewardError('HW_INTERNAL', `expected the demo's renderer to end well, received code ${code}: ${said}`);
}
