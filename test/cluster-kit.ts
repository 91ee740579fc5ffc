import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { requireShared, sharedData } from './shared-data.ts';

const run = promisify(execFile);

/** For tests that stop and start servers: clusters of their own on this machine, beside the one that HOMEWARD_TEST_DATABASE_URL names. */
export interface Cluster {
  readonly url: string;
  /** Stops it; its data stays. */
  stop(): Promise<void>;
  /** Starts it again on the same port. */
  start(): Promise<void>;
  /** Stops it and deletes its data. */
  wipe(): Promise<void>;
}

export const needsClusters: { skip: string | false } = {
  skip: sharedData('tools/real-postgres.sh') === undefined ? 'needs real-postgres.sh, which is absent here' : false,
};

/** Starts a small cluster of that name, made anew. */
export async function startCluster(name: string): Promise<Cluster> {
  const script = requireShared('tools/real-postgres.sh');
  const env: NodeJS.ProcessEnv = { ...process.env, VIE_PG_NAME: name, VIE_PG_SHARED_BUFFERS: '64MB' };
  const call = async (what: string): Promise<string> => (await run(script, [what], { env })).stdout;
  await call('wipe');
  const url =
    (await call('up'))
      .trim()
      .split('\n')
      .at(-1)
      ?.replace(/^DATABASE_URL=/, '') ?? '';
  env['VIE_PG_PORT'] = new URL(url).port;
  return {
    url,
    stop: async () => void (await call('down')),
    start: async () => void (await call('up')),
    wipe: async () => void (await call('wipe')),
  };
}
