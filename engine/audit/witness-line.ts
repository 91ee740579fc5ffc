import type { Queryable } from '../store/db.ts';
import { listAuditKeys } from './audit-keys.ts';
import type { SignedCheckpoint } from './checkpoint.ts';
import { canonicalJson } from './verify/canonical-json.ts';
import type { WitnessLine } from './verify/records.ts';

/** Checkpoints as they leave the machine: each with the public key and the proof that one needs to check it, one line of text each. */
export async function witnessLines(db: Queryable, checkpoints: readonly SignedCheckpoint[]): Promise<string[]> {
  const keys = new Map((await listAuditKeys(db)).map(({ record }) => [record.keyId, record.publicKey]));
  return checkpoints.map(({ checkpoint, signature, consistencyProof }) => {
    const publicKey = keys.get(checkpoint.keyId) ?? '';
    const line: WitnessLine = { kind: 'witness', checkpoint, signature, publicKey, consistencyProof };
    return canonicalJson(line);
  });
}
