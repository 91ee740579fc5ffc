import { AuditEntry } from '../../schemas/audit.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { Db } from '../store/db.ts';
import { bytes, json, row } from '../store/row-shape.ts';
import { listAuditKeys } from './audit-keys.ts';
import type { SignedCheckpoint } from './checkpoint.ts';
import { canonicalJson } from './verify/canonical-json.ts';
import { inclusionProof, leafHash, rootsOfLeaves } from './verify/merkle.ts';
import type { InclusionLine } from './verify/verify-inclusion.ts';

/**
 * One entry as a line that shows it to be under a checkpoint, for whoever may see this one and no other. Reads the hashes of all
 * entries under it: 32 bytes each.
 * @throws HW_USAGE where the checkpoint does not cover the entry
 */
export async function proveEntry(db: Db, sequence: number, under: SignedCheckpoint): Promise<string> {
  const { checkpoint, signature } = under;
  const { organisation, keyId } = checkpoint;
  const [found] = await db.read(
    row({ entry: json(AuditEntry) }),
    'select entry from audit_entry where organisation = $1 and sequence = $2 and sequence <= $3',
    [organisation, sequence, checkpoint.sequence],
  );
  if (found === undefined) {
    throw new HomewardError(
      'HW_USAGE',
      `expected the number of an entry from 1 to ${checkpoint.sequence}, received ${sequence}; homeward audit list shows them`,
    );
  }
  const hashes = await db.read(
    row({ hash: bytes }),
    'select hash from audit_entry where organisation = $1 and sequence <= $2 order by sequence',
    [organisation, checkpoint.sequence],
  );
  const leaves = hashes.map(({ hash }) => leafHash(hash));
  const proof = inclusionProof(sequence - 1, checkpoint.sequence, rootsOfLeaves(leaves));
  const key = (await listAuditKeys(db)).find(({ record }) => record.keyId === keyId);
  const line: InclusionLine = {
    kind: 'inclusion',
    entry: found.entry,
    inclusionProof: proof.map((hash) => hash.toString('hex')),
    checkpoint,
    signature,
    publicKey: key?.record.publicKey ?? '',
  };
  return canonicalJson(line);
}
