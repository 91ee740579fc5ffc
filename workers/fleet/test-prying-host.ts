import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';
import type { HostMessage, HostTask } from '../../schemas/host-protocol.ts';

// A host gone bad, for tests of the walls around it: tries to get out, and says how far it came. The path of its file is what to try.

/** What the test sends in place of a path. */
export interface PryingOrders {
  readonly port: number;
  readonly socket: string;
  readonly secret: string;
  readonly evidence: string;
  readonly elsewhere: string;
}

const send = (message: HostMessage) => process.send?.(message);

const attempt = (act: () => unknown): string => {
  try {
    act();
    return 'done';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
};

const attemptToConnect = (target: { port: number; host: string } | { path: string }): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(target, () => {
      socket.destroy();
      resolve('done');
    });
    socket.on('error', (error) => resolve('code' in error ? String(error.code) : error.message));
  });

/** Worker threads do not inherit what Node's permission model forbids to read, so what they can read is asked too. */
const attemptInThread = (file: string): Promise<string> =>
  new Promise((resolve) => {
    const code = `const { parentPort, workerData } = require('node:worker_threads');
      try { require('node:fs').readFileSync(workerData); parentPort.postMessage('done'); }
      catch (error) { parentPort.postMessage(error.code); }`;
    new Worker(code, { eval: true, workerData: file }).once('message', resolve);
  });

async function pry(orders: PryingOrders): Promise<Record<string, string>> {
  return {
    tcp: await attemptToConnect({ port: orders.port, host: '127.0.0.1' }),
    socket: await attemptToConnect({ path: orders.socket }),
    read: attempt(() => readFileSync(orders.secret)),
    threadRead: await attemptInThread(orders.secret),
    alter: attempt(() => writeFileSync(orders.evidence, 'altered')),
    write: attempt(() => writeFileSync(orders.elsewhere, 'spilled')),
    spawn: attempt(() => {
      const { error } = spawnSync('/bin/true');
      if (error !== undefined) throw error;
    }),
    // Not the names that every host is given: an answer has room for 300 characters.
    environment: Object.keys(process.env)
      .filter((name) => !/^(GLIBC|LANG|MALLOC|PATH|UV|VIPS)/.test(name))
      .join(' ')
      .slice(0, 120),
  };
}

process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.on('message', async (task: HostTask) => {
  if (task.kind !== 'examine') return;
  send({ kind: 'started', taskId: task.taskId });
  const found = await pry(JSON.parse(Buffer.from(task.path, 'base64').toString()));
  send({
    kind: 'examined',
    taskId: task.taskId,
    examination: {
      outcome: 'failed',
      reason: { code: 'internal', detail: JSON.stringify(found).slice(0, 300) },
      type: 'text/plain',
      sizeBytes: null,
      digests: null,
      trailingBytes: null,
      picture: null,
      capture: null,
    },
  });
});
send({ kind: 'ready', role: 'picture', decoders: ['none 0'] });
