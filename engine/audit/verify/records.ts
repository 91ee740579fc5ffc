import { canonicalJson } from './canonical-json.ts';

/** What is signed, each record with its format in it. All of them are written as canonical JSON. */

export const CHECKPOINT_FORMAT = 'homeward-audit-checkpoint/1';
export const KEY_FORMAT = 'homeward-audit-key/1';
export const SEAL_FORMAT = 'homeward-audit-seal/1';
export const EXPORT_FORMAT = 'homeward-audit-export/1';

export interface Checkpoint {
  readonly format: typeof CHECKPOINT_FORMAT;
  readonly organisation: string;
  /** How many entries it covers. */
  readonly sequence: number;
  /** Of the Merkle tree over the hashes of these entries, in hexadecimal. */
  readonly root: string;
  /** Of the last of them. */
  readonly headHash: string;
  readonly at: string;
  readonly node: string;
  readonly keyId: string;
  /** The checkpoint before it, 0 and 64 zeros for the first. */
  readonly previousSequence: number;
  readonly previousDigest: string;
}

export interface KeyRecord {
  readonly format: typeof KEY_FORMAT;
  readonly keyId: string;
  /** Base64 of the SubjectPublicKeyInfo. */
  readonly publicKey: string;
  readonly firstAt: string;
  readonly previousKeyId: string | null;
}

/** Last line of an export: closes it, so that nothing can be cut off behind a checkpoint. */
export interface Seal {
  readonly format: typeof SEAL_FORMAT;
  readonly organisation: string;
  readonly at: string;
  readonly entries: number;
  readonly checkpoints: number;
  /** SHA-256 in hexadecimal over all bytes before this line. */
  readonly digest: string;
  readonly keyId: string;
}

/** A checkpoint outside its database, with all that is needed to check it: what the drop folder gets and a witness keeps. */
export interface WitnessLine {
  readonly kind: 'witness';
  readonly checkpoint: Checkpoint;
  readonly signature: string;
  /** Of the key that `checkpoint.keyId` names. */
  readonly publicKey: string;
  /** RFC 9162 proof that this tree begins with that of `previousSequence`, in hexadecimal. */
  readonly consistencyProof: readonly string[];
}

type FieldCheck = (value: unknown) => boolean;
const text =
  (most: number): FieldCheck =>
  (value) =>
    // NUL, which PostgreSQL cannot hold, no honest writer has.
    typeof value === 'string' && value.length <= most && !value.includes('\0');
const hex =
  (bytes: number): FieldCheck =>
  (value) =>
    typeof value === 'string' && value.length === 2 * bytes && /^[0-9a-f]*$/.test(value);
const count: FieldCheck = (value) => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const positive: FieldCheck = (value) => count(value) && value !== 0;
const time: FieldCheck = (value) => typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value);
const exactly =
  (wanted: string): FieldCheck =>
  (value) =>
    value === wanted;
const base64: FieldCheck = (value) => typeof value === 'string' && /^[A-Za-z0-9+/]{1,200}={0,2}$/.test(value);

function fits(value: unknown, fields: Readonly<Record<string, FieldCheck>>): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const members = new Map<string, unknown>(Object.entries(value));
  const names = Object.keys(fields);
  return members.size === names.length && names.every((name) => fields[name]?.(members.get(name)) === true);
}

const CHECKPOINT_FIELDS = {
  format: exactly(CHECKPOINT_FORMAT),
  organisation: text(200),
  sequence: positive,
  root: hex(32),
  headHash: hex(32),
  at: time,
  node: text(200),
  keyId: hex(32),
  previousSequence: count,
  previousDigest: hex(32),
} satisfies Record<keyof Checkpoint, FieldCheck>;

const KEY_FIELDS = {
  format: exactly(KEY_FORMAT),
  keyId: hex(32),
  publicKey: base64,
  firstAt: time,
  previousKeyId: (value) => value === null || hex(32)(value),
} satisfies Record<keyof KeyRecord, FieldCheck>;

const SEAL_FIELDS = {
  format: exactly(SEAL_FORMAT),
  organisation: text(200),
  at: time,
  entries: count,
  checkpoints: count,
  digest: hex(32),
  keyId: hex(32),
} satisfies Record<keyof Seal, FieldCheck>;

const WITNESS_FIELDS = {
  kind: exactly('witness'),
  checkpoint: isCheckpoint,
  signature: hex(64),
  publicKey: base64,
  consistencyProof: (value) => Array.isArray(value) && value.length <= 110 && value.every(hex(32)),
} satisfies Record<keyof WitnessLine, FieldCheck>;

export function isCheckpoint(value: unknown): value is Checkpoint {
  return fits(value, CHECKPOINT_FIELDS);
}
export function isKeyRecord(value: unknown): value is KeyRecord {
  return fits(value, KEY_FIELDS);
}
export function isSeal(value: unknown): value is Seal {
  return fits(value, SEAL_FIELDS);
}
export function isWitnessLine(value: unknown): value is WitnessLine {
  return fits(value, WITNESS_FIELDS);
}

/**
 * What a line holds, or null where it is not the one canonical text of what it says: a second text for one value is a place
 * where an edit could hide.
 */
export function canonicalValue(line: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(line);
    return canonicalJson(value) === line ? value : null;
  } catch {
    // No JSON, or nothing that has a canonical text.
    return null;
  }
}
