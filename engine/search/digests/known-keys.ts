import { decodeCopy } from '../../store/binary-copy.ts';
import type { Transaction } from '../../store/db.ts';
import { kindOfLength, lowOfKey } from './digest-key.ts';
import type { ByteRange } from './filter-builder.ts';

/** A record is found by its strongest digest alone (engine/store/queries/record-matches.ts), so that is the only one a filter holds. */
const STRONGEST = 'coalesce(sha256, sha1, md5)';
const SELECT = `select ${STRONGEST} from searched_record`;

/** Keys of the records that are searched and whose digest begins with a byte of this range. */
export async function keysInRange(
  tx: Transaction,
  { first, last }: ByteRange,
  add: (low: number, high: number) => void,
  signal: AbortSignal,
): Promise<void> {
  // Numbers of ours: COPY takes no parameters.
  const where = first === 0 && last === 255 ? '' : ` and get_byte(${STRONGEST}, 0) between ${first} and ${last}`;
  await addKeys(tx, `${SELECT} where ${STRONGEST} is not null${where}`, add, signal);
}

/** Keys of the records with these numbers, both ends included, as far as they are searched. */
export async function keysOfRecords(
  tx: Transaction,
  block: { readonly firstRecordId: number; readonly lastRecordId: number },
  add: (low: number, high: number) => void,
): Promise<void> {
  const { firstRecordId, lastRecordId } = block;
  if (!Number.isSafeInteger(firstRecordId) || !Number.isSafeInteger(lastRecordId))
    throw new RangeError(`expected numbers of records, received ${firstRecordId} and ${lastRecordId}`);
  const where = `record_id between ${firstRecordId} and ${lastRecordId} and ${STRONGEST} is not null`;
  await addKeys(tx, `${SELECT} where ${where}`, add);
}

async function addKeys(
  tx: Transaction,
  select: string,
  add: (low: number, high: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  for await (const [digest] of decodeCopy(tx.copyOut(select))) {
    signal?.throwIfAborted();
    if (digest == null) continue;
    const kind = kindOfLength(digest.length);
    if (kind === undefined) throw new RangeError(`expected a digest of 16, 20 or 32 bytes, received ${digest.length}`);
    add(lowOfKey(kind, digest.readUInt32BE(4)), digest.readUInt32BE(0));
  }
}
