import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { readReport } from '../engine/report/compare.ts';
import { type Bench, type BenchResult, type BenchTable, figure } from './harness.ts';
import { mixOf, readManifest } from './picture-set.ts';
import { processTree, residentMemory, TICKS_PER_SECOND } from './process-tree.ts';
import { readLabels, sharedFile } from './quality-kit.ts';
import { startScan } from './scan-process.ts';

const FACES = ['--faces', '--authority', 'bench', '--necessity', 'measurement on public pictures'];
const SAMPLE_MS = 250;
const BAR_CHARACTERS = 40;

/** What a process was last seen to have used. */
interface Usage {
  readonly role: string;
  readonly cpuSeconds: number;
  readonly peakBytes: number;
}

/** `model`, `picture` or `unpack` for a host, by its command line; everything else belongs to the supervisor. */
function roleOf(pid: number): string {
  try {
    const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    const at = args.indexOf('--role');
    return at < 0 || !(args[0] ?? '').endsWith('node') ? 'supervisor' : (args[at + 1] ?? '');
  } catch {
    return 'supervisor';
  }
}

function watch(rootPid: number): { readonly usage: ReadonlyMap<number, Usage>; stop(): void } {
  const usage = new Map<number, Usage>();
  const look = () => {
    for (const { pid, ownTicks } of processTree(rootPid)) {
      const memory = residentMemory(pid);
      // A process that has ended and was not waited for yet has no memory any more.
      if (memory === undefined || Number.isNaN(memory.peakBytes)) continue;
      usage.set(pid, { role: roleOf(pid), cpuSeconds: ownTicks / TICKS_PER_SECOND, peakBytes: memory.peakBytes });
    }
  };
  const timer = setInterval(look, SAMPLE_MS);
  return { usage, stop: () => clearInterval(timer) };
}

function chart(title: string, parts: readonly (readonly [name: string, seconds: number])[]): BenchTable {
  const whole = parts.reduce((sum, [, seconds]) => sum + seconds, 0);
  return {
    title,
    columns: ['part', 'processor seconds', 'share', ''],
    rows: parts.map(([name, seconds]) => [
      name,
      seconds.toFixed(1),
      `${((100 * seconds) / whole).toFixed(1)} %`,
      '█'.repeat(Math.round((BAR_CHARACTERS * seconds) / whole)),
    ]),
  };
}

/** A scan as a user starts it, with hashes, models and faces, on an embedded database: pictures a second and where the time goes. */
export const bench: Bench = {
  name: 'scan-throughput',
  async run({ quick, say }): Promise<BenchResult> {
    const labels = readLabels();
    const labelled = [...labels.faces, ...labels.places].map(({ file }) => sharedFile(file));
    const files = [
      ...mixOf(readManifest(), quick ? 40 : 200),
      ...(quick ? labelled.filter((_, i) => i % 8 === 0) : labelled),
    ];
    const folder = mkdtempSync(path.join(tmpdir(), 'hw-bench-'));
    try {
      const scratchFolder = path.join(folder, 'scratch');
      mkdirSync(scratchFolder);
      const places = { dataFolder: path.join(folder, 'data'), scratchFolder };
      // The packs are converted once in the life of a data folder, which is not what is measured.
      await startScan(files.slice(0, 1), { ...places, options: FACES }).done;
      const reportFile = path.join(folder, 'report.json');
      const started = performance.now();
      const scan = startScan(files, { ...places, options: [...FACES, '--report', reportFile] });
      const watched = watch(scan.child.pid ?? 0);
      await scan.done.finally(() => watched.stop());
      const wallSeconds = (performance.now() - started) / 1000;
      const { counts, models } = (await readReport(reportFile)).head;
      if (models === null || models.left > 0) throw new Error('expected a scan whose models were gone through');
      const stageSeconds = (stage: 'hashes' | 'models') => {
        const times = scan.progress.filter(({ line }) => line.stage === stage).map(({ atMs }) => atMs);
        return (Math.max(...times) - Math.min(...times)) / 1000;
      };
      const used = [...watched.usage.values()];
      const cpuOf = (role: string) =>
        used.filter((one) => one.role === role).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
      const peakOf = (role: string) =>
        Math.max(...used.filter((one) => one.role === role).map(({ peakBytes }) => peakBytes)) / 1e6;
      const modelCpu = cpuOf('model');
      const stepsMs = models.stepMs.reduce((sum, { durationMs }) => sum + durationMs, 0);
      say(`${files.length} pictures in ${wallSeconds.toFixed(1)} s`);
      return {
        measures: [
          figure('pictures a second from start to report, everything on', files.length / wallSeconds, '/s'),
          figure('pictures a second in the stage of the models', models.done / stageSeconds('models'), '/s'),
          figure('pictures a second in the stage of the hashes', files.length / stageSeconds('hashes'), '/s'),
          figure('peak memory of a model host', peakOf('model'), 'MB'),
          figure('peak memory of a picture host', peakOf('picture'), 'MB'),
          figure('peak memory of the supervisor with the embedded database', peakOf('supervisor'), 'MB'),
        ],
        tables: [
          chart('Processor time by process', [
            ['models (all steps below)', modelCpu],
            ['hashes', cpuOf('picture')],
            ['database, search, report, start', cpuOf('supervisor')],
          ]),
          chart(
            'Within the models, by step',
            models.stepMs.map(({ step, durationMs }) => [step, (modelCpu * durationMs) / stepsMs] as const),
          ),
        ],
        parameters: {
          pictures: files.length,
          items: counts.items,
          faces: models.faces ?? 0,
          cores: availableParallelism(),
        },
        notes: [
          'Pictures of the benchmark set (0.5 to 48 Mpx, its own mix) and the labelled faces and places. Packs were converted before; no series is known, so what matches cost is not in it.',
          'The processor time of model hosts is shared among steps by the time these took; starting the hosts and opening the nets is in it.',
        ],
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
