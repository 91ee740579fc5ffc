/**
 * Does something again and again, at once first, as long as a process runs; never twice at the same time. Trouble is told and it goes on.
 * Disposing of it ends that and waits for what is under way. The timer keeps no process alive.
 */
export function repeatedly(
  intervalMs: number,
  work: () => Promise<unknown>,
  onError: (error: unknown) => void,
): AsyncDisposable {
  let running: Promise<void> | undefined;
  const run = (): void => {
    running ??= work()
      .then(() => undefined, onError)
      .finally(() => {
        running = undefined;
      });
  };
  run();
  const timer = setInterval(run, intervalMs).unref();
  return {
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
