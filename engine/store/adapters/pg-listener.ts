import pg from 'pg';
import { quoted } from '../db.ts';

const LEAST_WAIT_MS = 250;
const MOST_WAIT_MS = 10_000;
/** Without it a connection that a firewall forgot would stay silent for ever and look like one on which nothing happens. */
const KEEP_ALIVE_AFTER_MS = 30_000;

/**
 * Hears what the server tells on one channel, on a connection of its own: in a pool it would go from hand to hand. Comes back by itself when it
 * is cut. What was told meanwhile is lost, so that `onNotify(null)` asks whoever listens to look for itself.
 */
export class PgListener implements AsyncDisposable {
  readonly #url: string;
  readonly #channel: string;
  readonly #onNotify: (payload: string | null) => void;
  #client: pg.Client | undefined;
  #retry: NodeJS.Timeout | undefined;
  #waitMs = LEAST_WAIT_MS;
  #closing: Promise<void> | undefined;
  #connecting: Promise<void> = Promise.resolve();

  constructor(url: string, channel: string, onNotify: (payload: string | null) => void) {
    this.#url = url;
    this.#channel = channel;
    this.#onNotify = onNotify;
  }

  /** Rejects where the first connection cannot be had; later ones are tried until they can. */
  async start(): Promise<void> {
    this.#connecting = this.#connect();
    await this.#connecting;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    clearTimeout(this.#retry);
    await this.#connecting.catch(() => undefined);
    await this.#client?.end().catch(() => undefined);
  }

  async #connect(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#url,
      connectionTimeoutMillis: MOST_WAIT_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
      application_name: 'homeward listening',
    });
    // Unheard it would end the process; `end` follows and brings it back.
    client.on('error', () => undefined);
    client.on('notification', ({ channel, payload }) => {
      if (channel === this.#channel) this.#onNotify(payload ?? '');
    });
    try {
      await client.connect();
      await client.query(`listen ${quoted(this.#channel)}`);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    client.once('end', () => this.#again());
    this.#client = client;
    this.#waitMs = LEAST_WAIT_MS;
  }

  #again(): void {
    this.#client = undefined;
    if (this.#closing !== undefined) return;
    this.#retry = setTimeout(() => {
      this.#connecting = this.#connect().then(
        () => this.#onNotify(null),
        () => this.#again(),
      );
    }, this.#waitMs);
    // The engine ends when its work is done, whether or not the server came back.
    this.#retry.unref();
    this.#waitMs = Math.min(MOST_WAIT_MS, this.#waitMs * 2);
  }
}
