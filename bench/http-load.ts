import { connect, type Socket } from 'node:net';
import { percentile } from './harness.ts';

/**
 * HTTP load over kept connections, as cheap as can be: the client shares the machine with what it measures, so what it does itself is taken
 * from the server. Each connection has one request under way.
 */
export interface Load {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  /** Requests a second over all connections; null: as fast as answers come. */
  readonly perSecond: number | null;
  /** Whole requests, taken in turn. */
  readonly requests: readonly Buffer[];
}

export interface LoadResult {
  readonly perSecond: number;
  /** Answers by status. */
  readonly statuses: Readonly<Record<number, number>>;
  /** Of answers with 200. */
  readonly medianMs: number;
  readonly p99Ms: number;
}

export function post(path: string, headers: Readonly<Record<string, string>>, body: object): Buffer {
  const text = JSON.stringify(body);
  const lines = Object.entries({
    host: '127.0.0.1',
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(text)),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}`);
  return Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${text}`);
}

export async function load(options: Load): Promise<LoadResult> {
  const { seconds, connections, perSecond } = options;
  const statuses: Record<number, number> = {};
  const waitsMs: number[] = [];
  let sent = 0;
  const startedMs = performance.now();
  const endMs = startedMs + seconds * 1000;
  const run = async (): Promise<void> => {
    const connection = await Connection.open(options.port);
    try {
      while (performance.now() < endMs) {
        const number = sent;
        sent += 1;
        // Its place in time is set before it is free: a server that falls behind is not asked less for it.
        const dueMs = perSecond === null ? performance.now() : startedMs + (number * 1000) / perSecond;
        const earlyMs = dueMs - performance.now();
        if (earlyMs > 0) await new Promise((resolve) => setTimeout(resolve, earlyMs));
        const status = await connection.ask(options.requests[number % options.requests.length] ?? Buffer.alloc(0));
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (status === 200) waitsMs.push(performance.now() - dueMs);
      }
    } finally {
      connection.close();
    }
  };
  await Promise.all(Array.from({ length: connections }, run));
  const tookSeconds = (performance.now() - startedMs) / 1000;
  return {
    perSecond: waitsMs.length / tookSeconds,
    statuses,
    medianMs: percentile(waitsMs, 0.5),
    p99Ms: percentile(waitsMs, 0.99),
  };
}

const HEAD_END = Buffer.from('\r\n\r\n');

class Connection {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #waiting: PromiseWithResolvers<number> | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (bytes) => this.#take(bytes));
    const end = (): void => this.#waiting?.resolve(0);
    socket.on('close', end);
    socket.on('error', end);
  }

  static async open(port: number): Promise<Connection> {
    const socket = connect(port, '127.0.0.1');
    await new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new Connection(socket);
  }

  /** Status of the answer; 0 where the connection ended. */
  async ask(request: Buffer): Promise<number> {
    if (this.#socket.destroyed) return 0;
    this.#waiting = Promise.withResolvers<number>();
    this.#socket.write(request);
    return await this.#waiting.promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(bytes: Buffer): void {
    this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
    const headEnd = this.#received.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = this.#received.toString('latin1', 0, headEnd);
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (this.#received.length < headEnd + HEAD_END.length + length) return;
    this.#received = Buffer.alloc(0);
    this.#waiting?.resolve(Number(head.slice(9, 12)));
  }
}
