import { canonicalJson } from './canonical-json.ts';
import { entryHash } from './chain.ts';
import { leafHash, verifyInclusion } from './merkle.ts';
import { type Checkpoint, canonicalValue, isCheckpoint } from './records.ts';
import { isSignedBy, keyIdOf } from './signed-text.ts';

/** One entry, shown to be in the audit without the others: its path in the tree to the root of a signed checkpoint. */
export interface InclusionLine {
  readonly kind: 'inclusion';
  readonly entry: Readonly<Record<string, unknown>>;
  /** RFC 9162, 2.1.3, in hexadecimal. */
  readonly inclusionProof: readonly string[];
  readonly checkpoint: Checkpoint;
  readonly signature: string;
  /** Base64 of the SubjectPublicKeyInfo. */
  readonly publicKey: string;
}

export type InclusionVerdict =
  | { readonly whole: true; readonly checkpoint: Checkpoint; readonly sequence: number }
  | { readonly whole: false; readonly fault: 'format' | 'entry' | 'signature' | 'untrusted' | 'proof' };

/** `trusted`: public keys from elsewhere; null where nobody has one. A key that another vouches for is not followed here: give it. */
export function verifyInclusionLine(line: string, trusted: readonly string[] | null): InclusionVerdict {
  const value = canonicalValue(line.replace(/\n$/, ''));
  if (!isInclusionLine(value)) return { whole: false, fault: 'format' };
  const { entry, checkpoint, signature, publicKey, inclusionProof } = value;
  const [sequence, hash] = [entry['sequence'], entryHash(entry)];
  if (entry['hash'] !== hash || entry['organisation'] !== checkpoint.organisation || typeof sequence !== 'number')
    return { whole: false, fault: 'entry' };
  if (keyIdOf(publicKey) !== checkpoint.keyId || !isSignedBy(publicKey, canonicalJson(checkpoint), signature))
    return { whole: false, fault: 'signature' };
  if (trusted !== null && !trusted.includes(publicKey)) return { whole: false, fault: 'untrusted' };
  const holds = verifyInclusion(
    leafHash(Buffer.from(hash, 'hex')),
    sequence - 1,
    checkpoint.sequence,
    inclusionProof.map((step) => Buffer.from(step, 'hex')),
    Buffer.from(checkpoint.root, 'hex'),
  );
  return holds ? { whole: true, checkpoint, sequence } : { whole: false, fault: 'proof' };
}

function isInclusionLine(value: unknown): value is InclusionLine {
  if (typeof value !== 'object' || value === null) return false;
  const members = new Map<string, unknown>(Object.entries(value));
  const [entry, proof] = [members.get('entry'), members.get('inclusionProof')];
  return (
    members.size === 6 &&
    members.get('kind') === 'inclusion' &&
    typeof entry === 'object' &&
    entry !== null &&
    !Array.isArray(entry) &&
    Array.isArray(proof) &&
    proof.length <= 64 &&
    proof.every((step) => typeof step === 'string' && /^[0-9a-f]{64}$/.test(step)) &&
    isCheckpoint(members.get('checkpoint')) &&
    typeof members.get('signature') === 'string' &&
    typeof members.get('publicKey') === 'string'
  );
}
