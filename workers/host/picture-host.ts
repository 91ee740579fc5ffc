import { Piscina } from 'piscina';
import type { Examination } from '../../schemas/fingerprint.ts';
import type { ExamineTask } from '../../schemas/host-protocol.ts';
import { openChannel } from './host-channel.ts';
import type { PictureThreadMessage, PictureThreadTask, default as work } from './picture-thread.ts';

/** Runs `threads` threads, each with one file at a time, and speaks for them. Ready when the first of them has loaded its decoders. */
export async function startPictureHost(threads: number, nameDecoders: boolean): Promise<void> {
  const pool = new Piscina<PictureThreadTask, Awaited<ReturnType<typeof work>>>({
    filename: new URL('picture-thread.ts', import.meta.url).href,
    minThreads: threads,
    maxThreads: threads,
    concurrentTasksPerWorker: 1,
  });
  /** Tasks not yet told as started: thread and pool answer over different ports, in no fixed order. */
  const untold = new Set<number>();
  const started = (taskId: number): void => {
    if (untold.delete(taskId)) channel.send({ kind: 'started', taskId });
  };
  const examine = async (task: ExamineTask): Promise<void> => {
    untold.add(task.taskId);
    const examination = await pool.run(task).catch(threadDied);
    started(task.taskId);
    if (!Array.isArray(examination)) channel.send({ kind: 'examined', taskId: task.taskId, examination });
  };
  pool.on('message', (message: PictureThreadMessage) => started(message.started));
  const channel = openChannel(
    (task) => {
      if (task.kind === 'examine') void examine(task);
    },
    () => undefined,
  );
  const decoders = await pool.run(nameDecoders ? 'nameDecoders' : 'warm');
  if (Array.isArray(decoders)) channel.send({ kind: 'ready', role: 'picture', decoders });
}

/** The thread ended under a file: its JavaScript heap was full, or a decoder ended the thread. */
function threadDied(error: unknown): Examination {
  const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return {
    outcome: 'failed',
    reason: { code: 'internal', detail: detail.slice(0, 300) },
    type: 'application/octet-stream',
    sizeBytes: null,
    digests: null,
    trailingBytes: null,
    picture: null,
    capture: null,
  };
}
