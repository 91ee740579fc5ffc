/** For benches of the API: it as a process of its own, and somebody who may call it. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { assignCase, openCase } from '../engine/access/cases.ts';
import { addApiKey } from '../engine/access/credentials.ts';
import { addOrganisation } from '../engine/access/organisations.ts';
import { addPrincipal } from '../engine/access/principals.ts';
import { addPurpose } from '../engine/access/purposes.ts';
import type { Db } from '../engine/store/db.ts';

const BY = { label: 'the bench', principalId: null };
const PURPOSE = 'victim-identification';
const ORGANISATION = 'unit';

export interface ApiCaller {
  /** That each request carries. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A lab of the organisation that runs the engine, with a key and a case. */
export async function addCaller(db: Db): Promise<ApiCaller> {
  await addOrganisation(
    db,
    { organisationId: ORGANISATION, name: ORGANISATION, contactReference: null, home: true },
    BY,
  );
  await addPurpose(db, { code: PURPOSE, description: 'bench', reviewedBy: 'bench', reviewedOn: '2026-01-01' }, BY);
  const principalId = await addPrincipal(
    db,
    { organisationId: ORGANISATION, kind: 'key', label: 'caller', roles: ['lab'] },
    BY,
  );
  const { presented } = await addApiKey(db, { principalId, roles: ['lab'], validDays: 1 }, BY);
  const caseId = await openCase(db, { organisationId: ORGANISATION, caseRef: 'bench', jointUntil: null }, BY);
  await assignCase(db, { caseId, principalId }, BY);
  return {
    headers: {
      authorization: `Bearer ${presented}`,
      'homeward-purpose': PURPOSE,
      'homeward-case': caseId,
      'homeward-justification': 'requests%20of%20the%20bench',
    },
  };
}

export interface ServerProcess {
  /** Ports of the API and of a bare route that answers alike. */
  readonly api: number;
  readonly bare: number;
  /** Resident, of the server's process. */
  memoryBytes(): Promise<number>;
  stop(): void;
}

export async function startServer(databaseUrl: string): Promise<ServerProcess> {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'api-server-child.ts'), databaseUrl], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const [api = 0, bare = 0] = String((await lines.next()).value)
    .split(' ')
    .map(Number);
  return {
    api,
    bare,
    memoryBytes: async () => {
      child.stdin.write('memory\n');
      return Number((await lines.next()).value);
    },
    stop: () => child.kill(),
  };
}
