import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { COPY_HEADER, COPY_TRAILER } from '../binary-copy.ts';
import { SqlError } from '../sqlstate.ts';
import type { ThreadCommand, ThreadData, ThreadReply, ThreadResult } from './pglite-messages.ts';
import type { Session, StatementResult } from './session.ts';

interface Waiting {
  readonly resolve: (result: ThreadResult) => void;
  readonly reject: (error: Error) => void;
}

/** This thread's end of the line to PGlite: requests by number, and what becomes of them when its thread dies. */
export class PGliteSession implements Session {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  /** Called for all that is told on the channels this session listens on. */
  onNotification: (channel: string, payload: string) => void = () => undefined;
  #lastId = 0;
  #dead: SqlError | undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  static async start(data: ThreadData): Promise<PGliteSession> {
    keepWasmCode();
    const worker = new Worker(new URL('./pglite-thread.ts', import.meta.url), {
      workerData: data,
      name: 'pglite',
      // What PostgreSQL prints would get between the lines of progress; unread it would pile up.
      stdout: true,
      stderr: true,
    });
    worker.stdout.resume();
    worker.stderr.resume();
    const session = new PGliteSession(worker);
    const ready = Promise.withResolvers<void>();
    worker.on('message', (reply: ThreadReply) => {
      if (reply.kind === 'ready') ready.resolve();
      else if (reply.kind === 'notification') session.onNotification(reply.channel, reply.payload);
      else if (reply.kind === 'unopened')
        ready.reject(new SqlError(reply.failure.sqlState ?? 'none', reply.failure.message));
      else session.#settle(reply);
    });
    const die = (error: SqlError): void => {
      session.#die(error);
      ready.reject(error);
    };
    worker.on('error', (cause) => die(new SqlError('none', 'the thread of the embedded database failed', { cause })));
    worker.on('exit', (code) => die(new SqlError('none', `the thread of the embedded database ended (${code})`)));
    try {
      await ready.promise;
    } catch (error) {
      await session.stop();
      throw error;
    }
    return session;
  }

  async statement(sql: string, params: readonly (string | null)[]): Promise<StatementResult> {
    return await this.#ask({ kind: 'query', sql, params });
  }

  async script(sql: string): Promise<void> {
    await this.#ask({ kind: 'script', sql });
  }

  /** PGlite takes a COPY as one piece in memory, so each chunk becomes a COPY of its own. */
  async copyIn(copy: string, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<number> {
    let rows = 0;
    for await (const chunk of chunks) {
      if (chunk.length === 0) continue;
      const bytes = Buffer.concat([COPY_HEADER, chunk, COPY_TRAILER]);
      rows += (await this.#ask({ kind: 'copyIn', sql: `${copy} from '/dev/blob' with (format binary)`, bytes }))
        .affectedRows;
    }
    return rows;
  }

  async *copyOut(select: string): AsyncGenerator<Uint8Array> {
    const { bytes } = await this.#ask({ kind: 'copyOut', sql: `copy (${select}) to '/dev/blob' with (format binary)` });
    if (bytes !== null) yield bytes;
  }

  /** Closes PostgreSQL with a checkpoint. */
  async end(): Promise<void> {
    await this.#ask({ kind: 'close' });
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }

  #ask(command: ThreadCommand): Promise<ThreadResult> {
    if (this.#dead !== undefined) return Promise.reject(this.#dead);
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ ...command, id });
    });
  }

  #settle(reply: Extract<ThreadReply, { id: number }>): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (reply.kind === 'result') waiting?.resolve(reply.result);
    else waiting?.reject(new SqlError(reply.failure.sqlState ?? 'none', reply.failure.message));
  }

  #die(error: SqlError): void {
    this.#dead ??= error;
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }
}

/**
 * Keeps V8 from collecting WebAssembly code that a better compilation has replaced. Collecting it has ended a whole process here
 * once, after some dozen databases were opened and closed in it (`Check failed: jit_page_->allocations_.erase(addr) == 1`, Node
 * 24.21), as others saw with PGlite (nodejs/node issue 64500). What is kept is bounded by the size of the code.
 */
function keepWasmCode(): void {
  setFlagsFromString('--no-wasm-code-gc');
}
