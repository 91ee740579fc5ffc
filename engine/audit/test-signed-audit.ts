import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { AuditAct } from '../../schemas/audit.ts';
import type { Db } from '../store/db.ts';
import { AuditWriter } from './audit-writer.ts';
import { makeCheckpoint, type SignedCheckpoint } from './checkpoint.ts';
import { exportAudit } from './export.ts';
import type { SigningKey } from './signing-key.ts';

/** For tests of what is signed: acts, checkpoints and exports, and a folder for the key. */

export const actOf = (organisation: string, object = 'batch 1'): AuditAct => ({
  operation: 'consultation',
  action: 'lookup',
  actor: 'A. Examiner',
  organisation,
  purpose: null,
  justification: 'asked by the prosecutor',
  caseRef: '24-017',
  recipient: null,
  objects: [object],
  outcome: 'done',
});

export async function addEntries(db: Db, organisation: string, entries: number): Promise<void> {
  await using writer = new AuditWriter(db);
  await Promise.all(Array.from({ length: entries }, (_, at) => writer.append(actOf(organisation, `act ${at}`))));
}

export async function checkpointOf(db: Db, organisation: string, key: SigningKey): Promise<SignedCheckpoint> {
  const made = await makeCheckpoint(db, organisation, key);
  if (made === null) throw new Error('expected new entries to sign');
  return made;
}

export async function exportText(db: Db, upTo: SignedCheckpoint, key: SigningKey): Promise<string> {
  return (await Array.fromAsync(exportAudit(db, upTo, key))).join('');
}

export class KeyFolder implements AsyncDisposable {
  readonly path: string;
  readonly keyFile: string;
  private constructor(folder: string) {
    this.path = folder;
    this.keyFile = path.join(folder, 'audit-key.pem');
  }
  static async make(): Promise<KeyFolder> {
    return new KeyFolder(await mkdtemp(path.join(tmpdir(), 'homeward-audit-')));
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}
