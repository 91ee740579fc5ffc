import type { HostRole } from '../../schemas/host-protocol.ts';
import { HOST_PATH, type ReadOnly, type SandboxPlan, sandboxed } from './sandbox.ts';

export interface LaunchRequest {
  readonly plan: SandboxPlan;
  readonly role: HostRole;
  readonly threads: number;
  /** Whether a picture host says which decoders it has when it is ready; all of them have the same. */
  readonly nameDecoders: boolean;
  /** File that lists the packs a model host opens; null for the others. */
  readonly packList: string | null;
  readonly entry: string;
  /** From `readablePaths`. */
  readonly readable: readonly string[];
  /** Where an unpack host may write. */
  readonly writable: readonly string[];
  /** Back-stop on data segments; the watch on resident memory comes first. */
  readonly dataBytes: number;
}

export interface LaunchCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

const LIBUV_SPARE_THREADS = 3;

/**
 * Lets glibc (2.35 and later) ask for transparent large pages. A decoded picture is tens of megabytes of fresh memory, and touching it
 * in pages of 4 KiB costs more than decoding does: 12 Mpx decode in half the time with it, at the same resident memory.
 * Source: GNU C Library manual, "Memory Allocation Tunables".
 */
export const LARGE_PAGES: Readonly<Record<string, string>> = { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' };

/**
 * Flags of Node's own permission model: JavaScript in a host can read what it is to examine and its own code, start no process, and write
 * nothing (unpack hosts: only in the scratch folder). Native code is held by namespaces, capabilities and limits instead.
 */
function permissionFlags({ role, readable, writable }: LaunchRequest): string[] {
  const flags = ['--permission', ...readable.map((place) => `--allow-fs-read=${place}`)];
  if (role === 'unpack') return [...flags, ...writable.map((place) => `--allow-fs-write=${place}`)];
  return [...flags, '--allow-worker', '--allow-addons'];
}

/** Privileges that remain. Root keeps reading other owners' files; nothing else of root's is needed. */
function privilegeFlags(request: LaunchRequest): string[] {
  const { plan, role } = request;
  if (plan.tools === null || plan.tools.setpriv === null) return [];
  const kept = plan.state.namespace === 'root' ? (role === 'unpack' ? ',+dac_override' : ',+dac_read_search') : '';
  const drop = plan.state.namespace === 'none' ? [] : [`--bounding-set=-all${kept}`];
  // Another host ends with its supervisor even when stopped; an unpack host first removes what it wrote.
  const end = role === 'unpack' ? [] : ['--pdeathsig', 'KILL'];
  return [plan.tools.setpriv, ...drop, '--inh-caps=-all', '--no-new-privs', ...end];
}

function limitFlags(request: LaunchRequest): string[] {
  const { plan, role, dataBytes } = request;
  if (plan.tools === null || plan.tools.prlimit === null) return [];
  // core=1: no core file, and 1 rather than 0 also stops a core handler that the kernel pipes to. fsize=0: native code writes no picture.
  return [plan.tools.prlimit, '--core=1', `--data=${dataBytes}`, ...(role === 'unpack' ? [] : ['--fsize=0'])];
}

/** The whole command of a host, and the short environment it gets in place of the supervisor's. */
export function launchCommand(request: LaunchRequest): LaunchCommand {
  const node = [process.execPath, '--no-warnings', ...permissionFlags(request), request.entry];
  const command = [
    ...privilegeFlags(request),
    ...limitFlags(request),
    ...node,
    '--role',
    request.role,
    '--threads',
    String(request.threads),
    ...(request.nameDecoders ? ['--name-decoders'] : []),
    ...(request.packList === null ? [] : ['--packs', request.packList]),
  ];
  const readOnly: ReadOnly = request.role === 'unpack' ? 'others' : 'all';
  const [program = process.execPath, ...args] = sandboxed(request.plan, readOnly, command);
  return {
    program,
    args,
    environment: {
      PATH: HOST_PATH,
      LANG: 'C.UTF-8',
      // One core a thread, or processor time could not be charged to a file.
      VIPS_CONCURRENCY: '1',
      // libvips would spill large pictures into temporary files past 100 MB.
      VIPS_DISC_THRESHOLD: '1000g',
      UV_THREADPOOL_SIZE: String(request.threads + LIBUV_SPARE_THREADS),
      // glibc gives each thread an arena of its own that keeps freed memory; two keep residence flat.
      MALLOC_ARENA_MAX: '2',
      // As in bin/launch.cjs: nothing is reported to the maker of onnxruntime, whatever release is installed.
      ORT_DISABLE_TELEMETRY: '1',
      ...LARGE_PAGES,
    },
  };
}
