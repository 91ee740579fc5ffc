import { createHash } from 'node:crypto';
import path from 'node:path';
import { HomewardError } from '../../schemas/error.ts';
import type { Db } from '../store/db.ts';
import { listCheckpoints, type SignedCheckpoint } from './checkpoint.ts';
import { witnessLines } from './witness-line.ts';
import { writeWhole } from './write-whole.ts';

/**
 * Writes every checkpoint of an organisation that has not been written yet into a folder, each as a file of its own, whole or not at
 * all. Returns the files. What fails is written the next time.
 * @throws HW_OUTPUT_UNWRITABLE
 */
export async function dropCheckpoints(db: Db, organisation: string, folder: string): Promise<string[]> {
  const waiting = await listCheckpoints(db, organisation, 'undropped');
  const lines = await witnessLines(db, waiting);
  const files: string[] = [];
  for (const [at, signed] of waiting.entries()) {
    const file = path.join(folder, dropFileName(signed));
    await writeCopy(file, `${lines[at] ?? ''}\n`);
    await db.execute('update audit_checkpoint set dropped_at = now() where organisation = $1 and sequence = $2', [
      organisation,
      signed.checkpoint.sequence,
    ]);
    files.push(file);
  }
  return files;
}

/** Names sort in the order of the checkpoints. The name of an organisation may hold anything; its digest is a file name everywhere. */
function dropFileName({ checkpoint, digest }: SignedCheckpoint): string {
  const { organisation, sequence } = checkpoint;
  const plain = /^[a-z0-9][a-z0-9-]{0,62}$/.test(organisation);
  const owner = plain ? organisation : createHash('sha256').update(organisation).digest('hex').slice(0, 16);
  return `audit-${owner}-${String(sequence).padStart(12, '0')}-${digest.slice(0, 12)}.json`;
}

async function writeCopy(file: string, text: string): Promise<void> {
  try {
    await writeWhole(file, text, { ownerOnly: false });
  } catch (error) {
    throw new HomewardError(
      'HW_OUTPUT_UNWRITABLE',
      `expected to write the copy of a checkpoint into the drop folder, received ${error instanceof Error && 'code' in error ? String(error.code) : 'an error'}; see that auditDropFolder is there and writable, it is written with the next checkpoint`,
      { cause: error },
    );
  }
}
