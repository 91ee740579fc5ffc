import { parentPort } from 'node:worker_threads';
import type { Examination } from '../../schemas/fingerprint.ts';
import type { ExamineTask } from '../../schemas/host-protocol.ts';
import { decoderNames } from '../decode/decode.ts';
import { examineFile } from '../examine.ts';
import { PictureHasher } from '../hash/picture-hasher.ts';

/** Warms the thread; otherwise a file to examine. */
export type PictureThreadTask = ExamineTask | 'warm';

/** Said over the thread's own port as soon as it takes a file. */
export interface PictureThreadMessage {
  readonly started: number;
}

const hasher = PictureHasher.load();

/** What one thread of a picture host does with a task; one at a time. Names of decoders for 'warm'. */
export default async function work(task: PictureThreadTask): Promise<Examination | string[]> {
  if (task === 'warm') {
    await hasher;
    return await decoderNames();
  }
  parentPort?.postMessage({ started: task.taskId } satisfies PictureThreadMessage);
  return await examineFile(
    { path: Buffer.from(task.path, 'base64'), mode: task.mode, budget: task.budget },
    await hasher,
  );
}
