import assert from 'node:assert/strict';
import { execFile, fork } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { HostMessage } from '../../schemas/host-protocol.ts';
import type { SandboxState } from '../../schemas/report.ts';
import { planSandbox, sandboxed } from './sandbox.ts';
import type { PryingOrders } from './test-prying-host.ts';

const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;
const CHECKOUT = path.resolve(import.meta.dirname, '..', '..');
const ATTEMPTS = ['tcp', 'socket', 'read', 'threadRead', 'alter', 'write', 'spawn'];
interface Pried {
  readonly sandbox: SandboxState;
  readonly found: Record<string, string>;
}

/**
 * Runs a fleet of prying hosts in a process of its own, as this user or another. Another user sees the checkout at a place that it can
 * reach, in a mount namespace of its own: the checkout itself may lie in a folder that is closed to it.
 */
async function pry(folder: string, task: 'pry' | 'pry-bare', userId?: number): Promise<Pried> {
  const reachable = path.join(folder, 'checkout');
  const at = (file: string) => (userId === undefined ? file : path.join(reachable, path.relative(CHECKOUT, file)));
  const script = fileURLToPath(new URL('./test-supervisor.ts', import.meta.url));
  let command = [at(process.execPath), '--no-warnings', at(script), folder, task];
  if (userId !== undefined) {
    mkdirSync(reachable);
    const become = ['setpriv', `--reuid=${userId}`, `--regid=${userId}`, '--clear-groups'];
    const mounted = 'mount --bind "$1" "$2" && shift 2 && exec "$@"';
    command = ['unshare', '--mount', 'sh', '-c', mounted, 'sh', CHECKOUT, reachable, ...become, ...command];
  }
  return await new Promise((resolve, reject) => {
    execFile(command[0] ?? '', command.slice(1), { cwd: '/' }, (error, stdout, stderr) => {
      if (error === null) resolve(JSON.parse(stdout));
      else reject(new Error(`${error.message} ${stderr}`));
    });
  });
}

describe('S7: what a host can reach', {
  skip: process.platform === 'linux' ? false : 'sandboxes are a matter of Linux',
}, () => {
  let folder: string;
  let connections = 0;
  const servers: Server[] = [];
  const serve = async (target: number | string): Promise<Server> => {
    const server = createServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(target, resolve));
    return server;
  };
  before(() => {
    // The ordinary user has to get there, which a private TMPDIR of root would prevent.
    folder = mkdtempSync(path.join(isRoot ? '/tmp' : tmpdir(), 'hw-sandbox-'));
    chmodSync(folder, 0o755);
  });
  after(async () => {
    for (const server of servers) await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  });

  /** A case with evidence, a secret in its data folder and listeners, and the orders to get at them. */
  const prepare = async (name: string, userId?: number): Promise<{ own: string; orders: PryingOrders }> => {
    const own = path.join(folder, name);
    for (const part of ['', 'evidence', 'data', 'scratch']) {
      mkdirSync(path.join(own, part));
      if (userId !== undefined) chownSync(path.join(own, part), userId, userId);
    }
    const address = (await serve(0)).address();
    assert.ok(address !== null && typeof address === 'object');
    const orders: PryingOrders = {
      port: address.port,
      socket: path.join(own, 'data', 'agent.sock'),
      secret: path.join(own, 'data', 'key'),
      evidence: path.join(own, 'evidence', 'seized.bin'),
      elsewhere: path.join(own, 'spilled.bin'),
    };
    await serve(orders.socket);
    chmodSync(orders.socket, 0o777);
    writeFileSync(orders.secret, 'secret', { mode: 0o644 });
    writeFileSync(orders.evidence, 'seized', { mode: 0o666 });
    writeFileSync(path.join(own, 'evidence', 'orders.json'), JSON.stringify(orders));
    connections = 0;
    return { own, orders };
  };

  for (const userId of isRoot ? [undefined, NOBODY] : [undefined]) {
    const who = userId === undefined ? 'this user' : 'an ordinary user';
    test(`S7: as ${who}, a host can neither connect, read the data folder, nor write`, async (context) => {
      const { own, orders } = await prepare(`by-${userId ?? 'self'}`, userId);
      const { sandbox, found } = await pry(own, 'pry', userId);
      if (sandbox.namespace === 'none') return context.skip(`no namespaces here: ${sandbox.warnings.join('; ')}`);
      const { network, dataFolder, namespace, warnings } = sandbox;
      assert.deepEqual(
        { network, dataFolder, namespace, warnings },
        {
          network: 'none',
          dataFolder: 'hidden',
          namespace: isRoot && userId === undefined ? 'root' : 'user',
          warnings: [],
        },
      );
      for (const what of ATTEMPTS) assert.notEqual(found[what], 'done', `a host could do this: ${what}`);
      assert.doesNotMatch(found['environment'] ?? 'HOME', /HOME|USER|DATABASE|HOMEWARD|TOKEN|PASSWORD/);
      assert.equal(readFileSync(orders.evidence, 'utf8'), 'seized');
      assert.equal(connections, 0);
    });
  }

  test('S7: what the kernel keeps from a host, native code in it cannot have either', async (context) => {
    const { own, orders } = await prepare('native');
    const plan = await planSandbox({
      hiddenFolders: [path.join(own, 'data')],
      readableRoots: [path.join(own, 'evidence')],
      scratchRoot: path.join(own, 'scratch'),
      checkout: CHECKOUT,
      entry: import.meta.filename,
      namespaces: true,
    });
    if (!plan.mounts || plan.tools === null) return context.skip('no mount namespaces here');
    const script = `cat '${orders.secret}'; echo altered > '${orders.evidence}'; echo spilled > '${orders.elsewhere}'
      echo kept > '${own}/scratch/0'; cat '${orders.evidence}'; cat /proc/self/net/dev | wc -l`;
    const [program = '', ...args] = sandboxed(plan, 'others', [plan.tools.shell, '-c', script]);
    const seen = await new Promise((resolve) => execFile(program, args, (_error, stdout) => resolve(stdout)));
    // The evidence as it was, and of network interfaces the loopback under two lines of heading.
    assert.equal(seen, 'seized3\n');
    assert.equal(existsSync(orders.elsewhere), false);
    assert.equal(readFileSync(path.join(own, 'scratch', '0'), 'utf8'), 'kept\n');
  });

  test('S7: without namespaces the runtime still refuses files and processes, and the state says what is missing', async () => {
    const { own } = await prepare('bare');
    const { sandbox, found } = await pry(own, 'pry-bare');
    assert.deepEqual([sandbox.network, sandbox.namespace, sandbox.dataFolder], ['host', 'none', 'readRefused']);
    assert.match(sandbox.warnings.join(), /have this machine's network/);
    for (const what of ['read', 'threadRead', 'alter', 'write', 'spawn'])
      assert.equal(found[what], 'ERR_ACCESS_DENIED', what);
  });

  test('the same host outside of any sandbox reaches all of it, so the tests above can fail', async () => {
    const { orders } = await prepare('control');
    const host = fork(path.join(import.meta.dirname, 'test-prying-host.ts'), { stdio: 'ignore' });
    const found = await new Promise<Record<string, string>>((resolve) => {
      host.on('message', (message: HostMessage) => {
        if (message.kind === 'examined') resolve(JSON.parse(message.examination.reason?.detail ?? '{}'));
      });
      host.send({ kind: 'examine', taskId: 0, path: Buffer.from(JSON.stringify(orders)).toString('base64') });
    });
    await new Promise((resolve) => host.once('exit', resolve).kill());
    for (const what of ATTEMPTS) assert.equal(found[what], 'done', what);
    assert.equal(connections, 2);
  });

  test('S7: a folder that holds what is to be examined cannot be hidden, and the state says so', async () => {
    const plan = await planSandbox({
      hiddenFolders: [folder],
      readableRoots: [path.join(folder, 'evidence-in-it')],
      scratchRoot: folder,
      checkout: CHECKOUT,
      entry: import.meta.filename,
      namespaces: true,
    });
    assert.equal(plan.state.dataFolder, 'visible');
    assert.match(plan.state.warnings.join('\n'), /cannot be hidden/);
  });
});
