import { Piscina } from 'piscina';
import type { Embedding } from '../../schemas/embedding.ts';
import type { CompareTask, EmbedTask } from '../../schemas/host-protocol.ts';
import { openChannel } from './host-channel.ts';
import type { ModelAnswer, ModelThreadMessage, ModelThreadTask } from './model-thread.ts';

/**
 * Runs `threads` threads, each with the nets of all packs and one file at a time. Ready when the first of them has opened the nets.
 * @param packList JSON file with an array of { manifest, file }: the pack's manifest, and the path of its net
 */
export async function startModelHost(threads: number, packList: string): Promise<void> {
  const pool = new Piscina<ModelThreadTask, ModelAnswer>({
    filename: new URL('model-thread.ts', import.meta.url).href,
    workerData: { packList },
    minThreads: threads,
    maxThreads: threads,
    concurrentTasksPerWorker: 1,
  });
  /** Tasks not yet told as started: thread and pool answer over different ports, in no fixed order. */
  const untold = new Set<number>();
  const started = (taskId: number): void => {
    if (untold.delete(taskId)) channel.send({ kind: 'started', taskId });
  };
  const run = async (task: EmbedTask | CompareTask): Promise<void> => {
    const { taskId } = task;
    untold.add(taskId);
    const answer = await pool.run(task).catch((error: unknown): ModelAnswer => ({ embedding: threadDied(error) }));
    started(taskId);
    if ('embedding' in answer) channel.send({ kind: 'embedded', taskId, embedding: answer.embedding });
    else if ('results' in answer) channel.send({ kind: 'compared', taskId, results: [...answer.results] });
  };
  pool.on('message', (message: ModelThreadMessage) => started(message.started));
  const channel = openChannel(
    (task) => {
      if (task.kind === 'embed' || task.kind === 'compare') void run(task);
    },
    () => undefined,
  );
  const warm = await pool.run('warm');
  if ('nets' in warm) channel.send({ kind: 'ready', role: 'model', decoders: warm.nets.slice(0, 10) });
}

/** The thread ended under a file: its JavaScript heap was full, or a net ended the thread. */
function threadDied(error: unknown): Embedding {
  const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return {
    outcome: 'failed',
    reason: { code: 'internal', detail: detail.slice(0, 300).toWellFormed() },
    sha256: null,
    facesFound: null,
    faces: [],
    vectors: [],
    scores: [],
    keypoints: null,
    provider: 'none',
    stepMs: [],
  };
}
