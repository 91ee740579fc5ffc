/** One process of the bare loop: some threads, fed by its parent with a file at a time. */
import { Worker } from 'node:worker_threads';

const threads = Number(process.argv[2]);
const send = (message: string) => process.send?.(message);
const waiting: { path: string; fast: boolean }[] = [];
const idle: Worker[] = [];

function handOut(): void {
  while (waiting.length > 0) {
    const worker = idle.pop();
    if (worker === undefined) return;
    worker.postMessage(waiting.shift());
  }
}

let ready = 0;
for (let thread = 0; thread < threads; thread++) {
  const worker = new Worker(new URL('bare-thread.ts', import.meta.url));
  worker.on('message', (pixelBytes: number) => {
    idle.push(worker);
    if (pixelBytes > 0) send('decoded');
    else if (++ready === threads) send('ready');
    handOut();
  });
  worker.on('error', (error) => {
    throw error;
  });
}
process.on('message', (task: { path: string; fast: boolean }) => {
  waiting.push(task);
  handOut();
});
process.on('disconnect', () => process.exit(0));
