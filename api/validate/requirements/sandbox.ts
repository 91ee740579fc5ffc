import { existsSync } from 'node:fs';
import { readlink } from 'node:fs/promises';
import path from 'node:path';
import type { CaseToRun, Finding, RequirementToRun } from '../case.ts';
import type { Ground, HostsUnderTest } from '../ground.ts';

/** A host that is up, by its process number. */
const anyHost = (hosts: HostsUnderTest): number | undefined =>
  hosts.stats().hosts.find(({ ready, processId }) => ready && processId !== undefined)?.processId;

const whyNot = (ground: Ground): string =>
  ground.hosts.sandbox.warnings.join('; ') || 'this machine offers no namespaces';

/** Where the system lets one look at another process: what it says is compared with what the sandbox claims. */
async function network(ground: Ground): Promise<Finding> {
  const { sandbox } = ground.hosts;
  if (sandbox.network !== 'none') return { notApplicable: `hosts have the network of this machine: ${whyNot(ground)}` };
  const host = anyHost(ground.hosts);
  if (host === undefined) throw new Error('expected a host that is up, received none');
  const [own, theirs] = await Promise.all([readlink('/proc/self/ns/net'), readlink(`/proc/${host}/ns/net`)]);
  return {
    expected: 'another network namespace than ours',
    received: own === theirs ? 'ours' : `another one (${sandbox.namespace})`,
    holds: own !== theirs,
  };
}

async function dataFolder(ground: Ground): Promise<Finding> {
  const { sandbox } = ground.hosts;
  if (sandbox.dataFolder === 'visible') return { notApplicable: `hosts can see the data folder: ${whyNot(ground)}` };
  const host = anyHost(ground.hosts);
  if (host === undefined) throw new Error('expected a host that is up, received none');
  const root = `/proc/${host}/root`;
  const seen = (file: string): boolean => existsSync(path.join(root, file));
  const picture = path.join(ground.picturesFolder, 'scene-0.png');
  // Seeing the pictures proves that one can look there at all.
  if (!seen(picture)) return { notApplicable: 'this system does not let one look into the file system of a host' };
  const secret = path.join(ground.hiddenFolder, 'secret.txt');
  return {
    expected: 'the file is there for us, not for a host',
    received: `${existsSync(secret) ? 'there' : 'not there'} for us, ${seen(secret) ? 'there' : 'not there'} for a host`,
    holds: existsSync(secret) && !seen(secret),
  };
}

const environmentCase: CaseToRun = {
  id: 'limits',
  assertion: 'Memory and processor time of a file are watched.',
  check: async (ground) => {
    const { memoryLimit, cpuLimit } = ground.hosts.sandbox;
    if (!memoryLimit || !cpuLimit) return { notApplicable: `only the clock is watched here: ${whyNot(ground)}` };
    return { expected: 'both', received: 'both', holds: true };
  },
};

export const sandbox: RequirementToRun = {
  id: 'sandbox',
  goals: ['S7'],
  requirement: 'Processes that open files have no network and do not see the data folder.',
  cases: [
    { id: 'network', assertion: 'A host has a network namespace of its own, without a way out.', check: network },
    { id: 'data-folder', assertion: 'A file in the data folder is not there for a host.', check: dataFolder },
    environmentCase,
  ],
};
