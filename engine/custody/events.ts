import { randomBytes } from 'node:crypto';
import { CUSTODY_OUTPUT_VERSION, type CustodyEvent, type CustodyReport, DIGESTS_OF } from '../../schemas/custody.ts';
import { type Db, type Queryable, storableText, type Transaction } from '../store/db.ts';
import { bytes, integer, nullable, oneOf, type RowOf, row, text, timestamp } from '../store/row-shape.ts';
import { retrying } from '../store/sqlstate.ts';
import { custodyHash, type HashedEvent, type StoredEvent, verifyCustody } from './chain.ts';

/** What whoever records a hand-over says of it. */
export interface HandOver
  extends Omit<HashedEvent, 'sequence' | 'recordedAt' | 'previousHash' | 'sha256Before' | 'from'> {
  /** Null: whoever the exhibit was handed to last. */
  readonly from: string | null;
  /** Undefined: what was recorded last of the same exhibit and kind. */
  readonly sha256Before?: string | null;
  /** 32 bytes over the roots of a batch; null where a person tells the digest. */
  readonly sourceKey: Buffer | null;
}

/** Where nobody recorded an earlier hand-over. */
const NOT_RECORDED = 'not recorded';

const EVENT = row({
  organisation: text,
  caseRef: text,
  sequence: integer,
  exhibitRef: text,
  batchId: nullable(text),
  handedFrom: text,
  handedTo: text,
  place: text,
  at: timestamp,
  reason: text,
  digestOf: nullable(oneOf(DIGESTS_OF)),
  sha256Before: nullable(bytes),
  sha256After: nullable(bytes),
  tool: text,
  toolVersion: text,
  recordedBy: text,
  recordedAt: timestamp,
  salt: nullable(bytes),
  previousHash: bytes,
  hash: bytes,
  erasedAt: nullable(timestamp),
});

const COLUMNS = `organisation, case_ref, sequence, exhibit_ref, batch_id, handed_from, handed_to, place, at, reason, digest_of,
  sha256_before, sha256_after, tool, tool_version, recorded_by, recorded_at, salt, previous_hash, hash, erased_at`;

/** Adds an event to the chain of its case and returns it. One at a time within a case, so that no two follow the same one. */
export async function addCustodyEvent(db: Db, handOver: HandOver): Promise<CustodyEvent> {
  return await retrying(async () => await db.transaction(async (tx) => await append(tx, handOver)));
}

async function append(tx: Transaction, handOver: HandOver): Promise<CustodyEvent> {
  const { sourceKey, ...told } = handOver;
  const organisation = storableText(told.organisation);
  const caseRef = storableText(told.caseRef);
  const exhibitRef = storableText(told.exhibitRef);
  await tx.execute('select pg_advisory_xact_lock(hashtextextended($1, 4857006))', [`${organisation}\n${caseRef}`]);
  const [head] = await tx.read(
    row({ sequence: integer, hash: bytes }),
    'select sequence, hash from custody_event where organisation = $1 and case_ref = $2 order by sequence desc limit 1',
    [organisation, caseRef],
  );
  const exhibit = [organisation, caseRef, exhibitRef] as const;
  const before =
    told.sha256Before === undefined ? await lastDigest(tx, exhibit, told.digestOf, sourceKey) : told.sha256Before;
  const salt = randomBytes(16);
  const hashed: HashedEvent = {
    organisation,
    caseRef,
    sequence: (head?.sequence ?? 0) + 1,
    exhibitRef,
    batchId: told.batchId,
    from: storableText(told.from ?? (await lastHolder(tx, exhibit)) ?? NOT_RECORDED),
    to: storableText(told.to),
    place: storableText(told.place),
    at: new Date(told.at).toISOString(),
    reason: storableText(told.reason),
    digestOf: told.digestOf,
    sha256Before: before,
    sha256After: told.sha256After,
    tool: storableText(told.tool),
    toolVersion: storableText(told.toolVersion),
    recordedBy: storableText(told.recordedBy),
    recordedAt: new Date().toISOString(),
    previousHash: head?.hash.toString('hex') ?? '0'.repeat(64),
  };
  const hash = custodyHash(hashed, salt.toString('hex'));
  const binary = (hex: string | null): Buffer | null => (hex === null ? null : Buffer.from(hex, 'hex'));
  await tx.execute(
    `insert into custody_event (${COLUMNS}, source_key)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, null, $21)`,
    [
      hashed.organisation,
      hashed.caseRef,
      hashed.sequence,
      hashed.exhibitRef,
      hashed.batchId,
      hashed.from,
      hashed.to,
      hashed.place,
      hashed.at,
      hashed.reason,
      hashed.digestOf,
      binary(hashed.sha256Before),
      binary(hashed.sha256After),
      hashed.tool,
      hashed.toolVersion,
      hashed.recordedBy,
      hashed.recordedAt,
      salt,
      binary(hashed.previousHash),
      binary(hash),
      sourceKey,
    ],
  );
  return { ...hashed, changed: isChanged(hashed), hash, erasedAt: null };
}

const isChanged = ({ sha256Before, sha256After }: Pick<CustodyEvent, 'sha256Before' | 'sha256After'>): boolean =>
  sha256Before !== null && sha256After !== null && sha256Before !== sha256After;

/** As it was found last: by a scan of the same roots, or told by a person. */
async function lastDigest(
  tx: Transaction,
  exhibit: readonly [string, string, string],
  digestOf: HandOver['digestOf'],
  sourceKey: Buffer | null,
): Promise<string | null> {
  const [found] = await tx.read(
    row({ sha256: bytes }),
    `select sha256_after as sha256 from custody_event
      where organisation = $1 and case_ref = $2 and exhibit_ref = $3 and digest_of = $4 and sha256_after is not null
        and ($5::bytea is null or source_key is null or source_key = $5)
      order by sequence desc limit 1`,
    [...exhibit, digestOf, sourceKey],
  );
  return found?.sha256.toString('hex') ?? null;
}

async function lastHolder(tx: Transaction, exhibit: readonly [string, string, string]): Promise<string | null> {
  const [found] = await tx.read(
    row({ handedTo: text }),
    `select handed_to from custody_event where organisation = $1 and case_ref = $2 and exhibit_ref = $3
      order by sequence desc limit 1`,
    [...exhibit],
  );
  return found?.handedTo ?? null;
}

export interface CustodyQuery {
  readonly organisation: string;
  readonly caseRef: string;
  /** Undefined: of all exhibits. */
  readonly exhibitRef?: string | undefined;
}

/** The custody of a case, and whether its chain is whole; with an exhibit, the events of that one alone. */
export async function custodyOf(
  db: Queryable,
  { organisation, caseRef, exhibitRef }: CustodyQuery,
): Promise<CustodyReport> {
  const stored = (
    await db.read(
      EVENT,
      `select ${COLUMNS} from custody_event where organisation = $1 and case_ref = $2 order by sequence`,
      [organisation, caseRef],
    )
  ).map(storedEvent);
  const verdict = verifyCustody(stored);
  const events = stored
    .map(({ event }) => event)
    .filter((event) => exhibitRef === undefined || event.exhibitRef === exhibitRef);
  return {
    schemaVersion: CUSTODY_OUTPUT_VERSION,
    organisation,
    caseRef,
    exhibitRef: exhibitRef ?? null,
    chain: {
      whole: verdict.whole,
      events: stored.length,
      erased: stored.filter(({ saltHex }) => saltHex === null).length,
      brokenAt: verdict.whole ? null : verdict.brokenAt,
    },
    changed: events.filter((event) => event.changed).length,
    events,
  };
}

function storedEvent(found: RowOf<typeof EVENT>): StoredEvent {
  const { handedFrom, handedTo, salt, sha256Before, sha256After, previousHash, hash, erasedAt, ...same } = found;
  const digests = {
    sha256Before: sha256Before?.toString('hex') ?? null,
    sha256After: sha256After?.toString('hex') ?? null,
  };
  return {
    event: {
      ...same,
      from: handedFrom,
      to: handedTo,
      ...digests,
      changed: isChanged(digests),
      previousHash: previousHash.toString('hex'),
      hash: hash.toString('hex'),
      erasedAt,
    },
    saltHex: salt?.toString('hex') ?? null,
  };
}
