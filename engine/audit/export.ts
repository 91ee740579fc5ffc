import { createHash } from 'node:crypto';
import type { Db } from '../store/db.ts';
import { listAuditKeys } from './audit-keys.ts';
import { listCheckpoints, type SignedCheckpoint } from './checkpoint.ts';
import { listAudit } from './list.ts';
import type { SigningKey } from './signing-key.ts';
import { canonicalJson } from './verify/canonical-json.ts';
import { EXPORT_FORMAT, SEAL_FORMAT, type Seal } from './verify/records.ts';

const CHUNK_CHARACTERS = 64 * 1024;

/**
 * The audit of an organisation up to a checkpoint, as lines of canonical JSON in chunks of text: header, keys, entries with each
 * checkpoint behind the last entry it covers, and a signed seal over all of it. Nothing is judged here: the verifier does that, and shares
 * no code with what made the entries.
 */
export async function* exportAudit(
  db: Db,
  upTo: SignedCheckpoint,
  key: SigningKey,
  now: () => number = Date.now,
): AsyncGenerator<string> {
  const { organisation, sequence: size } = upTo.checkpoint;
  const digest = createHash('sha256');
  let chunk = '';
  const add = (value: object): void => {
    const line = `${canonicalJson(value)}\n`;
    digest.update(line, 'utf8');
    chunk += line;
  };
  add({ kind: 'header', format: EXPORT_FORMAT, organisation });
  for (const { record, signature, endorsement } of await listAuditKeys(db)) {
    add({ kind: 'key', key: record, signature, endorsement });
  }
  const checkpoints = await listCheckpoints(db, organisation);
  let made = 0;
  let entries = 0;
  for await (const entry of listAudit(db, organisation)) {
    if (entry.sequence > size) break;
    add({ kind: 'entry', entry });
    entries += 1;
    const next = checkpoints[made];
    if (next !== undefined && next.checkpoint.sequence <= entry.sequence) {
      add({ kind: 'checkpoint', checkpoint: next.checkpoint, signature: next.signature });
      made += 1;
    }
    if (chunk.length >= CHUNK_CHARACTERS) {
      yield chunk;
      chunk = '';
    }
  }
  const seal: Seal = {
    format: SEAL_FORMAT,
    organisation,
    at: new Date(now()).toISOString(),
    entries,
    checkpoints: made,
    digest: digest.digest('hex'),
    keyId: key.keyId,
  };
  yield `${chunk}${canonicalJson({ kind: 'seal', seal, signature: key.sign(canonicalJson(seal)) })}\n`;
}
