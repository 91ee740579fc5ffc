import { parentPort } from 'node:worker_threads';
import type { Examination } from '../../schemas/fingerprint.ts';
import type { ExamineTask } from '../../schemas/host-protocol.ts';
import { decoderNames } from '../decode/decode.ts';
import { examineFile } from '../examine.ts';
import { PictureHasher } from '../hash/picture-hasher.ts';

/** A file to examine; or only to get ready, with or without saying by which decoders. */
export type PictureThreadTask = ExamineTask | 'warm' | 'nameDecoders';

/** Said over the thread's own port as soon as it takes a file. */
export interface PictureThreadMessage {
  readonly started: number;
}

const hasher = PictureHasher.load();

/** What one thread of a picture host does with a task; one at a time. */
export default async function work(task: PictureThreadTask): Promise<Examination | string[]> {
  if (task === 'warm' || task === 'nameDecoders') {
    await hasher;
    // Asking loads the HEIC decoder, which most files do without: 0.1 s of processor time.
    return task === 'warm' ? [] : await decoderNames();
  }
  parentPort?.postMessage({ started: task.taskId } satisfies PictureThreadMessage);
  return await examineFile(
    {
      path: Buffer.from(task.path, 'base64'),
      mode: task.mode,
      budget: task.budget,
      scratchKey: task.scratchKey === null ? null : Buffer.from(task.scratchKey, 'base64'),
    },
    await hasher,
  );
}
