import type { FileBudget, HostMessage, HostTask } from '../../schemas/host-protocol.ts';
import type { Reason } from '../../schemas/outcome.ts';

/**
 * shared: among others. alone: by itself in the isolation host, since it was in a host that died. digests: alone too, after it failed,
 * for what can still be said of it.
 */
export type Stage = 'shared' | 'alone' | 'digests';

/** One piece of work on its way through a pool of hosts, whatever it asks of its host. */
export interface HostJob {
  /** The file it is about, or empty. */
  readonly path: Buffer;
  /** What it may spend in its present stage. */
  readonly budget: FileBudget;
  /** Whether there is something left to find out about a file that failed. */
  readonly hasDigestsStage: boolean;
  stage: Stage;
  /** Why it failed, once that is certain. */
  failure: Reason | null;
  /** What is sent to the host in its present stage. */
  taskOf(taskId: number): HostTask;
  /** Takes the host's answer and is settled by it; false where the message answers something else. */
  answer(message: HostMessage): boolean;
  /** Settles it as failed: nothing more will be found out. Must hold a failure. */
  fail(): void;
  reject(error: Error): void;
}
