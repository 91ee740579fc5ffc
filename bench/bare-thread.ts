/** One thread of the bare loop: reads, digests and decodes the files it is handed, and does nothing with the pixels. */
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { decodeBare, prepareBareDecoder } from './bare-decode.ts';

const port = parentPort;
if (port === null) throw new Error('expected to run as a worker thread of bare-host.ts');
prepareBareDecoder();
port.on('message', async ({ path, fast }: { path: string; fast: boolean }) => {
  const bytes = readFileSync(path);
  for (const algorithm of ['md5', 'sha1', 'sha256']) hash(algorithm, bytes);
  port.postMessage(await decodeBare(bytes, fast));
});
port.postMessage(0);
