import { execFile } from 'node:child_process';
import { existsSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import type { SandboxState } from '../../schemas/report.ts';
import { canWatchUsage } from './process-usage.ts';
import { isInside, type ReadablePathsRequest, readablePaths } from './readable-paths.ts';
import { PROOF_SCRIPT, SANDBOX_SCRIPT } from './sandbox-script.ts';

export type ReadOnly = 'nothing' | 'others' | 'all';

/** Paths of the small programs of util-linux that stand between the supervisor and a host; null: not on this machine. */
export interface LinuxTools {
  readonly shell: string;
  readonly unshare: string | null;
  readonly mount: string | null;
  readonly setpriv: string | null;
  readonly prlimit: string | null;
}

/** How hosts are kept apart on this machine, found out once and then the same for every host. */
export interface SandboxPlan {
  readonly state: SandboxState;
  readonly tools: LinuxTools | null;
  /** `unshare` and its options, or nothing. */
  readonly prefix: readonly string[];
  readonly mounts: boolean;
  readonly readOnly: boolean;
  /** Real paths, parents before what lies in them. */
  readonly hidden: readonly string[];
  readonly scratchRoot: string;
}

export interface SandboxRequest extends ReadablePathsRequest {
  readonly hiddenFolders: readonly string[];
  /** False: as on a machine that offers no namespaces. */
  readonly namespaces: boolean;
}

const PROOF_TIMEOUT_MS = 10_000;
/**
 * Local sockets (databases, agents) are reached through the file system, which a network namespace does not take away. Control groups
 * may be written by uid 0 without any capability.
 */
const ALSO_HIDDEN = ['/run', '/var/run', '/tmp', '/sys/fs/cgroup'];
export const HOST_PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

const realPath = (given: string): string => {
  try {
    return realpathSync(given);
  } catch {
    return path.resolve(given);
  }
};

function findTool(name: string): string | null {
  for (const folder of HOST_PATH.split(':')) {
    if (existsSync(path.join(folder, name))) return path.join(folder, name);
  }
  return null;
}

function findTools(): LinuxTools | null {
  const shell = findTool('sh');
  if (process.platform !== 'linux' || shell === null) return null;
  return {
    shell,
    unshare: findTool('unshare'),
    mount: findTool('mount'),
    setpriv: findTool('setpriv'),
    prlimit: findTool('prlimit'),
  };
}

/** The shell command that prepares the namespaces and then becomes `command`. */
export function sandboxed(plan: Omit<SandboxPlan, 'state'>, readOnly: ReadOnly, command: readonly string[]): string[] {
  if (plan.tools === null) return [...command];
  const mount = plan.mounts ? (plan.tools.mount ?? '') : '';
  const effective = plan.readOnly ? readOnly : 'nothing';
  const script = [plan.tools.shell, '-c', SANDBOX_SCRIPT, 'homeward-host'];
  return [
    ...plan.prefix,
    ...script,
    mount,
    plan.scratchRoot,
    effective,
    String(plan.hidden.length),
    ...plan.hidden,
    ...command,
  ];
}

interface Proof {
  readonly network: boolean;
  readonly mounts: boolean;
  readonly hidden: boolean;
}

/** Starts the proof where a host would start. Null: it did not even start. */
async function prove(plan: Omit<SandboxPlan, 'state'>): Promise<Proof | null> {
  if (plan.tools === null) return null;
  const [program, ...rest] = sandboxed(plan, 'others', [
    plan.tools.shell,
    '-c',
    PROOF_SCRIPT,
    'homeward-proof',
    ...plan.hidden,
  ]);
  if (program === undefined) return null;
  const output = await new Promise<string | null>((resolve) => {
    execFile(
      program,
      rest,
      { env: { PATH: HOST_PATH }, timeout: PROOF_TIMEOUT_MS, killSignal: 'SIGKILL' },
      (error, stdout) => resolve(error === null ? stdout : null),
    );
  });
  if (output === null) return null;
  const [network, mounts, ...seen] = output.trim().split('\n');
  return {
    network: network !== undefined && network !== readlinkSync('/proc/self/ns/net'),
    mounts: mounts !== undefined && mounts !== readlinkSync('/proc/self/ns/mnt'),
    // Of a folder that holds the scratch folder, the way to it is all that may be seen.
    hidden: plan.hidden.every((folder, index) => Number(seen[index]) <= (isInside(plan.scratchRoot, folder) ? 1 : 0)),
  };
}

interface Covering {
  readonly hidden: string[];
  readonly allCovered: boolean;
  readonly warnings: string[];
}

/** What Node's permission model alone makes of it: a hidden folder inside something readable stays visible. */
function refusal(request: SandboxRequest): 'readRefused' | 'visible' {
  const readable = readablePaths(request);
  const seen = request.hiddenFolders.some((folder) => readable.some((place) => isInside(path.resolve(folder), place)));
  return seen ? 'visible' : 'readRefused';
}

/** Folders that can be covered by a mount, parents first, and a warning for each that cannot. */
function coverable(request: SandboxRequest, scratchRoot: string): Covering {
  const needed = [request.checkout, process.execPath, ...request.readableRoots].map(realPath);
  const inUse = (folder: string) => needed.find((place) => isInside(place, folder));
  const hidden: string[] = [];
  const warnings: string[] = [];
  for (const given of request.hiddenFolders) {
    const folder = realPath(given);
    const user = inUse(folder);
    if (!existsSync(folder)) warnings.push(`${given} does not exist yet, so it cannot be hidden from hosts`);
    else if (user !== undefined)
      warnings.push(`${given} cannot be hidden from hosts, because ${user} in it is to be read`);
    else hidden.push(folder);
  }
  for (const place of ALSO_HIDDEN) {
    const used = inUse(place) !== undefined || isInside(scratchRoot, place);
    if (!used && existsSync(place) && realPath(place) === place && statSync(place).isDirectory()) hidden.push(place);
  }
  hidden.sort((a, b) => a.length - b.length);
  return { hidden, allCovered: warnings.length === 0, warnings };
}

/**
 * Finds the strongest way this machine offers to keep hosts from the network, from the data folder and from writing.
 * As root without a user namespace: inside one, root could no longer read other owners' files, and they would be lost in silence.
 * As another user with one, where the system allows it (Ubuntu 24.04 does not by default).
 */
export async function planSandbox(request: SandboxRequest): Promise<SandboxPlan> {
  const scratchRoot = realPath(request.scratchRoot);
  const { hidden, allCovered, warnings } = coverable(request, scratchRoot);
  const refused = refusal(request);
  const tools = findTools();
  const root = process.getuid?.() === 0;
  const namespace = root ? 'root' : 'user';
  const bare = { tools, prefix: [], mounts: false, readOnly: false, hidden: [], scratchRoot };
  const limits = { memoryLimit: canWatchUsage, cpuLimit: canWatchUsage };
  if (!canWatchUsage)
    warnings.push('memory and processor time of hosts cannot be watched here: only the wall clock limits a file');
  if (tools?.unshare && request.namespaces) {
    const network = [tools.unshare, ...(root ? [] : ['--user', '--map-root-user']), '--net'];
    const withMounts = [...network, '--mount', '--propagation', 'private'];
    const candidates = [
      ...(tools.mount === null
        ? []
        : [
            { ...bare, prefix: withMounts, mounts: true, readOnly: true, hidden },
            { ...bare, prefix: withMounts, mounts: true, hidden },
          ]),
      { ...bare, prefix: network },
    ];
    for (const candidate of candidates) {
      const proof = await prove(candidate);
      if (proof === null || !proof.network || (candidate.mounts && !(proof.mounts && proof.hidden))) continue;
      if (!candidate.mounts)
        warnings.push('no mount namespace: only the runtime keeps hosts from reading the data folder and from writing');
      else if (!candidate.readOnly) warnings.push('file systems could not be made read-only for hosts');
      const state: SandboxState = {
        network: 'none',
        namespace,
        dataFolder: candidate.mounts && allCovered ? 'hidden' : refused,
        ...limits,
        warnings: bounded(warnings),
      };
      return { ...candidate, state };
    }
  }
  warnings.push(
    `no namespaces here (${whyNone(tools)}): hosts have this machine's network, and only the runtime keeps them from reading the data folder`,
  );
  return {
    ...bare,
    state: { network: 'host', namespace: 'none', dataFolder: refused, ...limits, warnings: bounded(warnings) },
  };
}

function whyNone(tools: LinuxTools | null): string {
  if (process.platform !== 'linux') return `not offered by ${process.platform}`;
  return tools?.unshare ? 'this system forbids them to this user' : 'the program unshare of util-linux is missing';
}

const bounded = (warnings: readonly string[]): string[] =>
  warnings.slice(0, 20).map((warning) => warning.slice(0, 300));
