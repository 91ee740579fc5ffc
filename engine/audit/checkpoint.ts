import { hostname } from 'node:os';
import { HomewardError } from '../../schemas/error.ts';
import { type Db, type Queryable, storableText, type Transaction } from '../store/db.ts';
import { bytes, integer, row, text } from '../store/row-shape.ts';
import type { SigningKey } from './signing-key.ts';
import { canonicalJson } from './verify/canonical-json.ts';
import { NO_PREVIOUS_HASH } from './verify/chain.ts';
import { consistencyProof, Frontier, HASH_BYTES, leafHash, rootsSince } from './verify/merkle.ts';
import { CHECKPOINT_FORMAT, type Checkpoint, canonicalValue, isCheckpoint } from './verify/records.ts';
import { digestOf } from './verify/signed-text.ts';

/** A checkpoint as the database holds it. */
export interface SignedCheckpoint {
  readonly checkpoint: Checkpoint;
  /** SHA-256 in hexadecimal of its canonical text. */
  readonly digest: string;
  readonly signature: string;
  /** RFC 9162 proof from the checkpoint before it, in hexadecimal. */
  readonly consistencyProof: readonly string[];
}

const PAGE = 10_000;
const STORED = row({ canonical: text, signature: bytes, proof: bytes, frontier: bytes });
const LINK = row({ sequence: integer, hash: bytes, previous: text, linked: text });
const COLUMNS = 'canonical, signature, proof, frontier';

/**
 * Signs where the chain of an organisation stands. Null where nothing was added since the last checkpoint. The work grows with what was
 * added, not with the chain: the roots of whole subtrees are kept with each checkpoint.
 * @throws HW_AUDIT_BROKEN where the chain does not go on from the last checkpoint: what was changed is not signed anew
 */
export async function makeCheckpoint(
  db: Db,
  organisation: string,
  key: SigningKey,
  { node = hostname(), now = Date.now }: { readonly node?: string; readonly now?: () => number } = {},
): Promise<SignedCheckpoint | null> {
  return await db.transaction(async (tx) => {
    // One maker at a time; writers of entries go on meanwhile.
    await tx.execute('select pg_advisory_xact_lock(hashtextextended($1, 4857003))', [organisation]);
    const last = await lastCheckpoint(tx, organisation);
    const [size, headHash] = [last?.checkpoint.sequence ?? 0, last?.checkpoint.headHash ?? NO_PREVIOUS_HASH];
    const tree = frontierOf(organisation, last);
    const older = new Frontier(tree.size, tree.roots);
    // Kept for the proof that the tree goes on from the last one; the first has none, and may be of millions of entries.
    const leaves: Buffer[] = [];
    let head = headHash;
    for await (const hash of addedHashes(tx, organisation, size, headHash)) {
      const leaf = leafHash(hash);
      tree.add(leaf);
      if (size > 0) leaves.push(leaf);
      head = hash.toString('hex');
    }
    if (tree.size === size) return null;
    const checkpoint: Checkpoint = {
      format: CHECKPOINT_FORMAT,
      organisation,
      sequence: tree.size,
      root: tree.root().toString('hex'),
      headHash: head,
      at: new Date(now()).toISOString(),
      node: storableText(node).slice(0, 200),
      keyId: key.keyId,
      previousSequence: size,
      previousDigest: last?.digest ?? NO_PREVIOUS_HASH,
    };
    const canonical = canonicalJson(checkpoint);
    const [digest, signature] = [digestOf(canonical), key.sign(canonical)];
    const proof = consistencyProof(size, tree.size, rootsSince(older, leaves));
    await tx.execute(
      `insert into audit_checkpoint (organisation, sequence, at, canonical, digest, signature, key_id, frontier, proof)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [
        organisation,
        tree.size,
        checkpoint.at,
        canonical,
        Buffer.from(digest, 'hex'),
        Buffer.from(signature, 'hex'),
        key.keyId,
        Buffer.concat(tree.roots),
        Buffer.concat(proof),
      ],
    );
    return { checkpoint, digest, signature, consistencyProof: proof.map((hash) => hash.toString('hex')) };
  });
}

/** Checkpoints of an organisation in their order, all of them or those that no drop folder has yet. */
export async function listCheckpoints(
  db: Queryable,
  organisation: string,
  which: 'all' | 'undropped' = 'all',
): Promise<SignedCheckpoint[]> {
  const found = await db.read(
    STORED,
    `select ${COLUMNS} from audit_checkpoint where organisation = $1 and ($2 or dropped_at is null) order by sequence`,
    [organisation, which === 'all'],
  );
  return found.map((stored) => signedCheckpoint(organisation, stored));
}

/** Organisations with entries that no checkpoint covers. */
export async function organisationsToSign(db: Queryable): Promise<string[]> {
  const found = await db.read(
    row({ organisation: text }),
    // Organisation by organisation along the key, since there are few of them and many entries.
    `with recursive chain (organisation) as (
       (select organisation from audit_entry order by organisation limit 1)
       union all
       select (select organisation from audit_entry where audit_entry.organisation > chain.organisation
                order by organisation limit 1)
         from chain where chain.organisation is not null)
     select organisation from chain
      where organisation is not null
        and (select max(sequence) from audit_entry where audit_entry.organisation = chain.organisation)
          > coalesce((select max(sequence) from audit_checkpoint where audit_checkpoint.organisation = chain.organisation), 0)`,
  );
  return found.map((one) => one.organisation);
}

async function lastCheckpoint(
  tx: Transaction,
  organisation: string,
): Promise<(SignedCheckpoint & { readonly frontier: Buffer }) | null> {
  const [stored] = await tx.read(
    STORED,
    `select ${COLUMNS} from audit_checkpoint where organisation = $1 order by sequence desc limit 1`,
    [organisation],
  );
  return stored === undefined ? null : { ...signedCheckpoint(organisation, stored), frontier: stored.frontier };
}

function signedCheckpoint(
  organisation: string,
  stored: { readonly canonical: string; readonly signature: Buffer; readonly proof: Buffer },
): SignedCheckpoint {
  const checkpoint = canonicalValue(stored.canonical);
  if (!isCheckpoint(checkpoint)) throw broken(organisation, 'a checkpoint that is none');
  return {
    checkpoint,
    digest: digestOf(stored.canonical),
    signature: stored.signature.toString('hex'),
    consistencyProof: hashesOf(stored.proof).map((hash) => hash.toString('hex')),
  };
}

function hashesOf(joined: Buffer): Buffer[] {
  return Array.from({ length: joined.length / HASH_BYTES }, (_, at) =>
    joined.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES),
  );
}

function frontierOf(
  organisation: string,
  last: { readonly checkpoint: Checkpoint; readonly frontier: Buffer } | null,
): Frontier {
  if (last === null) return new Frontier();
  let tree: Frontier;
  try {
    tree = new Frontier(last.checkpoint.sequence, hashesOf(last.frontier));
  } catch (error) {
    throw broken(organisation, 'subtrees that are not those of the last checkpoint', error);
  }
  // What is kept beside the signed text is not signed; its root is.
  if (tree.root().toString('hex') !== last.checkpoint.root)
    throw broken(organisation, 'subtrees that are not those of the last checkpoint');
  return tree;
}

/** Hashes of the entries after `size`, each looked at: numbered on, linked to the one before, hashed as it says. */
async function* addedHashes(
  tx: Transaction,
  organisation: string,
  size: number,
  headHash: string,
): AsyncGenerator<Buffer> {
  let [previous, sequence] = [headHash, size];
  if (size > 0) {
    const [head] = await tx.read(
      row({ hash: bytes }),
      'select hash from audit_entry where organisation = $1 and sequence = $2',
      [organisation, size],
    );
    if (head?.hash.toString('hex') !== headHash) throw broken(organisation, `another entry ${size} than was signed`);
  }
  for (;;) {
    const page = await tx.read(
      LINK,
      `select sequence, hash, entry->>'previousHash' as previous, encode(sha256(convert_to(canonical, 'UTF8')), 'hex') as linked
         from audit_entry where organisation = $1 and sequence > $2 order by sequence limit ${PAGE}`,
      [organisation, sequence],
    );
    for (const link of page) {
      const hash = link.hash.toString('hex');
      if (link.sequence !== sequence + 1 || link.previous !== previous || link.linked !== hash)
        throw broken(organisation, `an entry ${sequence + 1} that does not follow the one before, or was changed`);
      [sequence, previous] = [link.sequence, hash];
      yield link.hash;
    }
    if (page.length < PAGE) return;
  }
}

function broken(organisation: string, received: string, cause?: unknown): HomewardError {
  return new HomewardError(
    'HW_AUDIT_BROKEN',
    `expected the audit of ${JSON.stringify(organisation)} to go on from its last checkpoint, received ${received}; it was edited in the database: keep it as evidence, and compare it with the copies of its checkpoints`,
    { cause },
  );
}
