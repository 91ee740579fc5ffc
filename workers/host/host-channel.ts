import type { HostMessage, HostTask } from '../../schemas/host-protocol.ts';

/** The host's end of the channel to its supervisor. */
export interface HostChannel {
  send(message: HostMessage): void;
}

/**
 * Takes tasks, which come from the process that started this one and are believed (loading TypeBox to check them would add 0.5 s of
 * processor time to every start of a host; the other direction is checked by the fleet),
 * and ends this process when the channel closes, which is how a host learns that its supervisor is gone, even by kill -9.
 * `leaving` is the last chance to remove what was written. The end is a SIGKILL of our own: an orderly exit would wait for native code
 * that still decodes.
 */
export function openChannel(onTask: (task: HostTask) => void, leaving: () => void): HostChannel {
  const end = (): never => {
    try {
      leaving();
    } finally {
      process.kill(process.pid, 'SIGKILL');
    }
    throw new Error('unreachable: this process was killed');
  };
  if (process.send === undefined) {
    process.stderr.write('expected to be started by a Homeward supervisor, found no channel to one\n');
    return end();
  }
  process.on('disconnect', end);
  process.on('message', (task: HostTask) => onTask(task));
  // A key pressed in the terminal reaches the whole process group; the supervisor decides when its hosts end.
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
  return {
    send: (message) => {
      // A channel that closes while this is under way ends the process a moment later.
      process.send?.(message, undefined, undefined, () => undefined);
    },
  };
}
