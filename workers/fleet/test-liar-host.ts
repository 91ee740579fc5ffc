import type { HostTask } from '../../schemas/host-protocol.ts';

// A host that answers what no host may, for tests of the check on answers. The path of its file names the lie.

const examination = {
  outcome: 'done',
  reason: null,
  type: 'image/png',
  sizeBytes: 1,
  digests: null,
  trailingBytes: null,
  picture: null,
  capture: null,
};

const lies: Readonly<Record<string, (taskId: number) => unknown>> = {
  thumbnail: (taskId) => ({ kind: 'examined', taskId, examination: { ...examination, thumbnail: 'iVBORw0KGgo=' } }),
  longText: (taskId) => ({ kind: 'examined', taskId, examination: { ...examination, type: 'x'.repeat(101) } }),
  noNumber: (taskId) => ({ kind: 'examined', taskId, examination: { ...examination, sizeBytes: -1 } }),
  otherTask: (taskId) => ({ kind: 'examined', taskId: taskId + 1000, examination }),
  unasked: (taskId) => ({ kind: 'unpacked', taskId, outcome: 'done', reason: null, entries: 0, totalBytes: 0 }),
  unknownKind: () => ({ kind: 'log', text: 'hello' }),
  noObject: () => 'hello',
};

process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.on('message', (task: HostTask) => {
  if (task.kind !== 'examine') return;
  process.send?.({ kind: 'started', taskId: task.taskId });
  const lie = lies[Buffer.from(task.path, 'base64').toString()];
  process.send?.(lie === undefined ? { kind: 'examined', taskId: task.taskId, examination } : lie(task.taskId));
});
process.send?.({ kind: 'ready', role: 'picture', decoders: ['none 0'] });
