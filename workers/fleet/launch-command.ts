import path from 'node:path';
import { HOST_PATH, type ReadOnly, type SandboxPlan, sandboxed } from './sandbox.ts';

export interface LaunchRequest {
  readonly plan: SandboxPlan;
  readonly role: 'picture' | 'unpack';
  readonly threads: number;
  /** Whether a picture host says which decoders it has when it is ready; all of them have the same. */
  readonly nameDecoders: boolean;
  readonly entry: string;
  readonly checkout: string;
  readonly readableRoots: readonly string[];
  /** Back-stop on data segments; the watch on resident memory comes first. */
  readonly dataBytes: number;
}

export interface LaunchCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** What of the checkout a host loads code from; neither .git nor a data folder beside it. */
const CODE = ['workers', 'schemas', 'models', 'node_modules', 'package.json'];
const MOST_ROOTS = 500;
const LIBUV_SPARE_THREADS = 3;

/**
 * A path as `--allow-fs-read` understands it: `*` would be a pattern, and arguments are UTF-8, so a name that is not cannot be said.
 * Such a root is widened to the nearest folder above that can.
 */
function expressible(root: string): string {
  let place = path.resolve(root);
  while (/[*\uFFFD]/.test(place)) place = path.dirname(place);
  return place;
}

/**
 * Flags of Node's own permission model. Without them a host could still not leave its namespaces; with them its JavaScript can neither
 * start processes nor write files (unpack hosts: only in the scratch folder). Worker threads do not inherit the limits on reading
 * (Node 24), so reading is kept from picture hosts by the mount namespace alone, and the sandbox state claims no more than that.
 */
function permissionFlags(request: LaunchRequest): string[] {
  const code = CODE.map((name) => path.join(request.checkout, name));
  const roots = request.readableRoots.length > MOST_ROOTS ? [path.parse(request.checkout).root] : request.readableRoots;
  const readable = [...new Set([...code, request.entry, ...[...roots, request.plan.scratchRoot].map(expressible)])];
  const flags = ['--permission', ...readable.map((place) => `--allow-fs-read=${place}`)];
  if (request.role === 'unpack') return [...flags, `--allow-fs-write=${expressible(request.plan.scratchRoot)}`];
  return [...flags, '--allow-worker', '--allow-addons'];
}

/** Privileges that remain. Root keeps reading other owners' files; nothing else of root's is needed. */
function privilegeFlags(request: LaunchRequest): string[] {
  const { plan, role } = request;
  if (plan.tools === null || plan.tools.setpriv === null) return [];
  const kept = plan.state.namespace === 'root' ? (role === 'unpack' ? ',+dac_override' : ',+dac_read_search') : '';
  const drop = plan.state.namespace === 'none' ? [] : [`--bounding-set=-all${kept}`];
  // A picture host ends with its supervisor even when stopped; an unpack host first removes what it wrote.
  const end = role === 'picture' ? ['--pdeathsig', 'KILL'] : [];
  return [plan.tools.setpriv, ...drop, '--inh-caps=-all', '--no-new-privs', ...end];
}

function limitFlags(request: LaunchRequest): string[] {
  const { plan, role, dataBytes } = request;
  if (plan.tools === null || plan.tools.prlimit === null) return [];
  // core=1: no core file, and 1 rather than 0 also stops a core handler that the kernel pipes to. fsize=0: native code writes no picture.
  return [plan.tools.prlimit, '--core=1', `--data=${dataBytes}`, ...(role === 'picture' ? ['--fsize=0'] : [])];
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
    },
  };
}
