import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Compile } from 'typebox/compile';
import { openEmbedded } from '../../engine/store/adapters/pglite.ts';
import { HomewardError } from '../../schemas/error.ts';
import { PIPELINE_VERSION } from '../../schemas/fingerprint.ts';
import { DEFAULT_FILE_BUDGET } from '../../schemas/host-protocol.ts';
import {
  type DrawnPicture,
  DrawnPictures,
  VALIDATION_SCHEMA_VERSION,
  type ValidationCase,
  ValidationReport,
} from '../../schemas/validation.ts';
import { Fleet } from '../../workers/fleet/fleet.ts';
import type { RequirementToRun } from '../validate/case.ts';
import type { Ground } from '../validate/ground.ts';
import { LIMITS, REQUIREMENTS } from '../validate/requirements.ts';
import { runRequirements, verdictOf } from '../validate/run.ts';
import { ENGINE_VERSION } from '../version.ts';

const CHECKOUT = path.resolve(import.meta.dirname, '..', '..');
const DRAWING_ENTRY = path.join(CHECKOUT, 'workers', 'validate', 'main.ts');
const COMMAND_LINE = path.join(CHECKOUT, 'api', 'cli', 'main.ts');
/** Drawing takes some 7 s of processor time; a busy machine may need many times that. */
const CHILD_TIMEOUT_MS = 120_000;

const drawnPictures = Compile(DrawnPictures);
const validationReport = Compile(ValidationReport);

export interface ValidationRun {
  readonly operator: string;
  readonly organisation: string;
  /** Folder with vectors.json; null to leave the published conformance data out. */
  readonly vectorsFolder: string | null;
  readonly heicFile: string | null;
  readonly signal: AbortSignal;
  /** All of them unless a test says otherwise. */
  readonly requirements?: readonly RequirementToRun[];
  readonly onCase?: (requirement: RequirementToRun, ended: ValidationCase) => void;
}

/**
 * Tries what this installation promises, with its real hosts, decoders and database, in a temporary folder that is removed
 * afterwards. The unit's own data folder and database are not opened.
 * @throws HomewardError HW_WORKER_START when no host starts or the pictures cannot be drawn.
 */
export async function validateInstallation(run: ValidationRun): Promise<ValidationReport> {
  const startedAt = new Date().toISOString();
  const folder = await mkdtemp(path.join(os.tmpdir(), `homeward-validate-${process.pid}-`));
  try {
    const { ground, hosts } = await prepare(folder, run);
    try {
      const requirements = await runRequirements(run.requirements ?? REQUIREMENTS, ground, run.signal, run.onCase);
      const report: ValidationReport = {
        schemaVersion: VALIDATION_SCHEMA_VERSION,
        engineVersion: ENGINE_VERSION,
        pipelineVersion: PIPELINE_VERSION,
        runtime: `Node ${process.versions.node} (${process.platform} ${process.arch})`,
        machine: `${os.hostname()}, ${os.cpus()[0]?.model ?? 'unknown processor'}, ${os.availableParallelism()} cores, ${Math.round(os.totalmem() / 2 ** 30)} GiB, ${os.type()} ${os.release()}`,
        operator: run.operator,
        organisation: run.organisation,
        decoders: [...(await hosts.decoders())],
        sandbox: hosts.sandbox,
        startedAt,
        finishedAt: new Date().toISOString(),
        ...verdictOf(requirements),
        requirements,
        limits: [...LIMITS],
      };
      if (!validationReport.Check(report))
        throw new HomewardError('HW_INTERNAL', 'expected a validation report of the published form, received another');
      return report;
    } finally {
      await hosts.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function prepare(folder: string, run: ValidationRun): Promise<{ ground: Ground; hosts: Fleet }> {
  const [picturesFolder, scratchFolder, hiddenFolder] = ['pictures', 'scratch', 'hidden'].map((name) =>
    path.join(folder, name),
  );
  if (picturesFolder === undefined || scratchFolder === undefined || hiddenFolder === undefined)
    throw new RangeError('three folders');
  await Promise.all(
    [picturesFolder, scratchFolder, hiddenFolder].map(async (each) => await mkdir(each, { mode: 0o700 })),
  );
  await writeFile(path.join(hiddenFolder, 'secret.txt'), 'not for hosts');
  const start = async (hosts: number, threadsPerHost: number): Promise<Fleet> =>
    await Fleet.start({
      hosts,
      threadsPerHost,
      fileBudget: DEFAULT_FILE_BUDGET,
      scratchRoot: scratchFolder,
      readableRoots: [picturesFolder, ...[run.vectorsFolder, run.heicFile].filter((each) => each !== null)],
      hiddenFolders: [hiddenFolder],
    });
  const pictures = await drawPictures(picturesFolder);
  const hosts = await start(2, 1);
  const ground: Ground = {
    folder,
    picturesFolder,
    pictures,
    scratchFolder,
    hiddenFolder,
    hosts,
    startHosts: start,
    openDatabase: async (dataFolder) => await openEmbedded({ dataFolder }),
    runHomeward: async (args) => await runChild(COMMAND_LINE, args),
    vectorsFolder: run.vectorsFolder,
    heicFile: run.heicFile,
  };
  return { ground, hosts };
}

async function drawPictures(folder: string): Promise<DrawnPicture[]> {
  const { exitCode, stderr } = await runChild(DRAWING_ENTRY, [folder]);
  if (exitCode !== 0) {
    throw new HomewardError(
      'HW_WORKER_START',
      `expected the pictures for the validation to be drawn, received exit code ${exitCode}; run homeward doctor`,
      { cause: new Error(stderr) },
    );
  }
  const drawn: unknown = JSON.parse(await readFile(path.join(folder, 'drawn.json'), 'utf8'));
  if (!drawnPictures.Check(drawn))
    throw new HomewardError('HW_INTERNAL', 'expected the list of drawn pictures in the agreed form, received another');
  return drawn;
}

/** With nothing of our environment but where programs and temporary files are: no keys, no settings of the unit. */
async function runChild(entry: string, args: readonly string[]): Promise<{ exitCode: number | null; stderr: string }> {
  return await new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [entry, ...args],
      {
        cwd: os.tmpdir(),
        env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
        timeout: CHILD_TIMEOUT_MS,
        killSignal: 'SIGKILL',
      },
      (_error, _stdout, stderr) => resolve({ exitCode: child.exitCode, stderr }),
    );
  });
}
