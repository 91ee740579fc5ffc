import { spawn } from 'node:child_process';
import { type FileHandle, open } from 'node:fs/promises';
import { devNull } from 'node:os';
import path from 'node:path';
import { isPackVerdict } from '../../schemas/checks/is-pack-verdict.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { ModelPackManifest, ModelProvider, PackTrial, PackVerdict } from '../../schemas/model-pack.ts';
import type { SandboxState } from '../../schemas/report.ts';
import { type LaunchCommand, launchCommand } from './launch-command.ts';
import { ProcessUsage } from './process-usage.ts';
import { expressible, readablePaths, workingFolder } from './readable-paths.ts';
import { planSandbox, type SandboxPlan } from './sandbox.ts';

const CHECKOUT = path.resolve(import.meta.dirname, '..', '..');
const ENTRY = path.join(CHECKOUT, 'workers', 'verify', 'main.ts');
const MEBIBYTE = 1024 * 1024;
const WATCH_INTERVAL_MS = 20;
const COMPLAINT_LENGTH = 300;

/** What trying one net may cost. */
export interface TrialLimits {
  readonly timeMs: number;
  /** Resident memory beside the file itself. */
  readonly memoryBytes: number;
}

/** Opening the largest net named in docs/models.md and running it once on one thread takes some 10 s and 2 GB. */
const LIMITS: TrialLimits = { timeMs: 120_000, memoryBytes: 1536 * MEBIBYTE };
/** The file is in memory as read, as parsed and as prepared for running. */
const COPIES_OF_NET = 4;

export interface VerifierSettings {
  /** An empty folder that exists; nothing is written there. */
  readonly scratchRoot: string;
  /** Of the data folder and the like: kept from the process that tries a net. */
  readonly hiddenFolders: readonly string[];
  readonly limits?: Partial<TrialLimits>;
}

/** Tries nets, each in a process of its own without network, data folder or leave to write. */
export class PackVerifier {
  readonly sandbox: SandboxState;
  readonly #plan: SandboxPlan;
  readonly #readable: readonly string[];
  readonly #limits: TrialLimits;

  private constructor(plan: SandboxPlan, readable: readonly string[], limits: TrialLimits) {
    this.sandbox = plan.state;
    this.#plan = plan;
    this.#readable = readable;
    this.#limits = limits;
  }

  static async start({ scratchRoot, hiddenFolders, limits }: VerifierSettings): Promise<PackVerifier> {
    const paths = { checkout: CHECKOUT, entry: ENTRY, readableRoots: [], scratchRoot };
    const plan = await planSandbox({ ...paths, hiddenFolders, namespaces: true });
    const readable = [...new Set([...readablePaths(paths), expressible(plan.scratchRoot)])];
    return new PackVerifier(plan, readable, { ...LIMITS, ...limits });
  }

  /**
   * @param netPath absolute, of the file that the manifest names as its net
   * @throws HomewardError with the code of what is wrong with it; HW_MODEL_LIMIT where it costs too much or ends its process
   */
  async verify(manifest: ModelPackManifest, netPath: string, provider: ModelProvider): Promise<PackVerdict> {
    const verdict = await this.#ask({ manifest, provider }, netPath, manifest.id);
    if (verdict.refusal !== null) throw new HomewardError(verdict.refusal.code, verdict.refusal.message);
    return verdict;
  }

  /** Providers that onnxruntime was made with on this machine. */
  async offeredProviders(): Promise<readonly ModelProvider[]> {
    return (await this.#ask({ manifest: null, provider: 'cpu' }, devNull, 'onnxruntime')).offered;
  }

  async #ask(trial: PackTrial, netPath: string, what: string): Promise<PackVerdict> {
    let net: FileHandle;
    try {
      net = await open(netPath, 'r');
    } catch (error) {
      throw new HomewardError(
        'HW_MODEL_FILE',
        `expected the net of ${what} to be a file that can be read, it is none; install or build the pack again`,
        { cause: error },
      );
    }
    try {
      const { size } = await net.stat();
      const memoryBytes = this.#limits.memoryBytes + COPIES_OF_NET * size;
      return await runTrial(
        this.#command(memoryBytes),
        trial,
        net.fd,
        { timeMs: this.#limits.timeMs, memoryBytes },
        what,
      );
    } finally {
      await net.close();
    }
  }

  #command(memoryBytes: number): LaunchCommand {
    return launchCommand({
      plan: this.#plan,
      role: 'model',
      threads: 1,
      nameDecoders: false,
      packList: null,
      entry: ENTRY,
      readable: this.#readable,
      writable: [],
      dataBytes: 2 * memoryBytes + 512 * MEBIBYTE,
    });
  }
}

/** One process, one question, one answer. */
async function runTrial(
  command: LaunchCommand,
  trial: PackTrial,
  netDescriptor: number,
  limits: TrialLimits,
  what: string,
): Promise<PackVerdict> {
  const child = spawn(command.program, command.args, {
    cwd: workingFolder(CHECKOUT),
    env: command.environment,
    stdio: [netDescriptor, 'ignore', 'pipe', 'ipc'],
    serialization: 'json',
    windowsHide: true,
  });
  const heard: { verdict?: PackVerdict; unsound?: true; over?: string } = {};
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(0, 4 * COMPLAINT_LENGTH);
  });
  const usage = child.pid === undefined ? null : new ProcessUsage(child.pid);
  const end = (why: string): void => {
    heard.over ??= why;
    child.kill('SIGKILL');
  };
  const startedMs = performance.now();
  const watch = setInterval(() => {
    const residentBytes = usage?.read()?.residentBytes ?? 0;
    if (residentBytes > limits.memoryBytes) end(`more than ${limits.memoryBytes} bytes of memory`);
    if (performance.now() - startedMs > limits.timeMs) end(`more than ${limits.timeMs} ms`);
  }, WATCH_INTERVAL_MS);
  try {
    const ended = await new Promise<string>((resolve) => {
      child.on('message', (message) => {
        if (isPackVerdict(message)) heard.verdict ??= message;
        else heard.unsound = true;
      });
      child.on('error', (error) => resolve(error.message));
      child.on('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
      child.send(trial, () => undefined);
    });
    const { verdict, unsound, over } = heard;
    if (over === undefined && !unsound && verdict !== undefined) return verdict;
    const received = over ?? (unsound ? 'an answer outside the protocol' : `its end (${ended})${complaintIn(stderr)}`);
    throw new HomewardError(
      'HW_MODEL_LIMIT',
      `expected the process that tries ${what} to come to an answer within its limits, received ${received}; the net is hostile, damaged or too large for this machine`,
    );
  } finally {
    clearInterval(watch);
    usage?.[Symbol.dispose]();
  }
}

/** The line that names the error, without the stack around it. */
function complaintIn(stderr: string): string {
  const line = stderr
    .split('\n')
    .map((one) => one.trim())
    .find((one) => /^\w*Error\b|^terminate|what\(\)/.test(one));
  return line === undefined ? '' : `: ${line.slice(0, COMPLAINT_LENGTH)}`;
}
