/** Lets at most `width` tasks run at once; the caller waits for a place before it makes the next one. */
export class Gate {
  readonly #width: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #idle: PromiseWithResolvers<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(width: number) {
    this.#width = width;
  }

  /** Starts `task` as soon as there is a place and resolves then, not when it ends. Rejects if an earlier task failed. */
  async run(task: () => Promise<void>): Promise<void> {
    if (this.#running >= this.#width) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running += 1;
    if (this.#failure !== undefined) {
      this.#leave();
      throw this.#failure.error;
    }
    task()
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#leave());
  }

  /** Resolves when no task runs; rejects with the first failure. */
  async drained(): Promise<void> {
    if (this.#running > 0) {
      this.#idle ??= Promise.withResolvers<void>();
      await this.#idle.promise;
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #leave(): void {
    const next = this.#waiting.shift();
    // The place passes on without being given up, so that nobody slips in between.
    if (next !== undefined) next();
    else this.#running -= 1;
    if (this.#running === 0) {
      this.#idle?.resolve();
      this.#idle = undefined;
    }
  }
}
