import { readFileSync } from 'node:fs';
import path from 'node:path';
import { DEFAULT_ARCHIVE_BUDGET } from '../../schemas/host-protocol.ts';
import { Fleet } from './fleet.ts';

// A supervisor in a process of its own, for tests that kill it or run it as another user. Arguments: its folder (with evidence, data and
// scratch in it), and `pry` (`pry-bare`: without namespaces), to let the prying host try the orders in evidence/orders.json and print what
// it could do, or `work`, to examine and unpack what is in evidence until it is killed, printing the process numbers of its hosts.
const [folder = '', task = ''] = process.argv.slice(2);
const prying = task.startsWith('pry');
const evidence = path.join(folder, 'evidence');
const fleet = await Fleet.start({
  hosts: prying ? 1 : 2,
  spareHosts: 0,
  namespaces: task !== 'pry-bare',
  scratchRoot: path.join(folder, 'scratch'),
  hiddenFolders: [path.join(folder, 'data')],
  readableRoots: [evidence],
  ...(prying ? { hostEntry: path.join(import.meta.dirname, 'test-prying-host.ts') } : {}),
});
if (prying) {
  const { reason } = await fleet.examine(readFileSync(path.join(evidence, 'orders.json')), { mode: 'exact' });
  process.stdout.write(JSON.stringify({ sandbox: fleet.sandbox, found: JSON.parse(reason?.detail ?? '{}') }));
  await fleet.close();
} else {
  const picture = Buffer.from(path.join(evidence, 'large.bmp'));
  const examineForEver = async () => {
    for (;;) await fleet.examine(picture, { mode: 'exact' });
  };
  for (let n = 0; n < fleet.capacity; n += 1) void examineForEver();
  // The first entry is never taken on, so the host stays in the middle of its archive.
  const scratchFolder = path.join(folder, 'scratch');
  const unpacking = { scratchFolder, budget: DEFAULT_ARCHIVE_BUDGET };
  void fleet.unpack(Buffer.from(path.join(evidence, 'archive.zip')), unpacking, async () => {
    const hosts = fleet.stats().hosts.map((host) => host.processId);
    process.stdout.write(`${JSON.stringify(hosts)}\n`);
    await new Promise(() => setInterval(() => undefined, 1000));
  });
}
