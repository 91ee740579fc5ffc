import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';
import { entryHash, NO_PREVIOUS_HASH } from './chain.ts';
import { KeyRing } from './key-ring.ts';
import { Frontier, leafHash } from './merkle.ts';
import { printedCode } from './printed-code.ts';
import {
  type Checkpoint,
  canonicalValue,
  EXPORT_FORMAT,
  isCheckpoint,
  isKeyRecord,
  isSeal,
  type WitnessLine,
} from './records.ts';
import { digestOf } from './signed-text.ts';

/** What is known from elsewhere than the file. The more of it, the less an attacker can have changed. */
export interface KnownFromElsewhere {
  /** Public keys (base64 of SubjectPublicKeyInfo); null where nobody has one. */
  readonly keys: readonly string[] | null;
  /** Copies of checkpoints, as readWitnessLines gives them. */
  readonly witnesses: readonly WitnessLine[];
  /** Printed codes of checkpoints, as readCode gives them. */
  readonly codes: readonly string[];
}

export type ExportFault =
  /** A line is not of the format, is out of its place, or is missing. */
  | 'format'
  /** An entry does not follow the one before, or was changed. */
  | 'chain'
  /** A key is not what its record says. */
  | 'key'
  /** A signature is not that of the key named. */
  | 'signature'
  /** A signature is that of a key that nobody vouches for. */
  | 'untrusted'
  /** A checkpoint is of other entries than those in the file. */
  | 'checkpoint'
  /** A checkpoint does not follow the one before it. */
  | 'follows'
  /** The file is not the one that was closed, or was not closed. */
  | 'seal'
  /** A copy or code from elsewhere shows another history. */
  | 'witness';

export type ExportVerdict =
  | {
      readonly whole: true;
      readonly organisation: string;
      readonly exportedAt: string;
      readonly entries: number;
      readonly checkpoints: number;
      /** Of the last checkpoint, which covers the last entry. */
      readonly code: string;
      readonly keyIds: readonly string[];
    }
  | { readonly whole: false; readonly fault: ExportFault; readonly line: number; readonly says: string };

const LINE_FEED = 0x0a;
/** An entry of 1,000 objects of 300 characters, each written as an escape, is 2 MB. */
const MOST_LINE_BYTES = 8 * 1024 * 1024;

class Broken extends Error {
  readonly fault: ExportFault;
  constructor(fault: ExportFault, says: string) {
    super(says);
    this.fault = fault;
  }
}

/** Checks the bytes of an export line by line in one pass; nothing of the engine has a part in it. */
export async function verifyExport(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  known: KnownFromElsewhere,
): Promise<ExportVerdict> {
  const reader = new ExportReader(known);
  try {
    for await (const line of linesOf(chunks)) reader.take(line);
    return reader.end();
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    return { whole: false, fault: error.fault, line: reader.line, says: error.message };
  }
}

/** Cut at line feeds, which every line ends with, the last one too. */
async function* linesOf(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Buffer> {
  let pieces: Buffer[] = [];
  let heldBytes = 0;
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
      yield Buffer.concat([...pieces, bytes.subarray(start, end)]);
      [pieces, heldBytes, start] = [[], 0, end + 1];
    }
    if (start === bytes.length) continue;
    // A copy: whoever gives the chunks may use their memory again.
    pieces.push(Buffer.from(bytes.subarray(start)));
    heldBytes += bytes.length - start;
    if (heldBytes > MOST_LINE_BYTES) throw new Broken('format', 'a line is longer than any export writes');
  }
  if (heldBytes > 0) throw new Broken('seal', 'the last line does not end: the file was cut off');
}

type Members = ReadonlyMap<string, unknown>;

class ExportReader {
  line = 0;
  readonly #known: KnownFromElsewhere;
  readonly #ring: KeyRing;
  readonly #codesWanted: Set<string>;
  readonly #bytes = createHash('sha256');
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  readonly #tree = new Frontier();
  #organisation: string | null = null;
  #headHash = NO_PREVIOUS_HASH;
  #last: Checkpoint | null = null;
  #checkpoints = 0;
  #sealedAt: string | null = null;

  constructor(known: KnownFromElsewhere) {
    this.#known = known;
    this.#ring = new KeyRing(known.keys);
    this.#codesWanted = new Set(known.codes);
  }

  take(bytes: Buffer): void {
    this.line += 1;
    if (this.#sealedAt !== null) throw new Broken('format', 'something stands behind the end');
    const members = this.#members(bytes);
    const kind = members.get('kind');
    if ((kind === 'header') !== (this.line === 1))
      throw new Broken('format', 'expected the header in the first line only');
    if (kind === 'header') this.#header(members);
    else if (kind === 'key') this.#key(members);
    else if (kind === 'entry') this.#entry(members);
    else if (kind === 'checkpoint') this.#checkpoint(members);
    else if (kind === 'seal') this.#seal(members);
    else throw new Broken('format', 'expected a header, key, entry, checkpoint or seal');
    this.#bytes.update(bytes).update('\n');
  }

  end(): ExportVerdict {
    if (this.#sealedAt === null) throw new Broken('seal', 'the end is missing: the file was cut off');
    const [code] = this.#codesWanted;
    if (code !== undefined) throw new Broken('witness', `no checkpoint has the code ${code}`);
    return {
      whole: true,
      organisation: this.#organisation ?? '',
      exportedAt: this.#sealedAt,
      entries: this.#tree.size,
      checkpoints: this.#checkpoints,
      code: this.#last === null ? '' : codeOf(this.#last),
      keyIds: this.#ring.ids,
    };
  }

  #members(bytes: Buffer): Members {
    let value: unknown = null;
    try {
      value = canonicalValue(this.#decoder.decode(bytes));
    } catch {
      // Not UTF-8: reported as what it is not.
    }
    if (typeof value !== 'object' || value === null) throw new Broken('format', 'expected one line of canonical JSON');
    return new Map<string, unknown>(Object.entries(value));
  }

  #header(members: Members): void {
    const organisation = members.get('organisation');
    if (members.size !== 3 || members.get('format') !== EXPORT_FORMAT || typeof organisation !== 'string')
      throw new Broken('format', `expected a header of the format ${EXPORT_FORMAT}`);
    this.#organisation = organisation;
    for (const { checkpoint } of this.#known.witnesses) {
      if (checkpoint.organisation !== organisation)
        throw new Broken('witness', 'a copy of a checkpoint is of another organisation');
    }
  }

  #key(members: Members): void {
    const [record, signature, endorsement] = [members.get('key'), members.get('signature'), members.get('endorsement')];
    const wellFormed = isKeyRecord(record) && typeof signature === 'string';
    if (members.size !== 4 || !wellFormed || !(typeof endorsement === 'string' || endorsement === null))
      throw new Broken('format', 'expected a key with its signatures');
    if (!this.#ring.add({ record, signature, endorsement }))
      throw new Broken('key', `the key ${record.keyId.slice(0, 16)} is not what its record says`);
  }

  #entry(members: Members): void {
    const entry = members.get('entry');
    if (members.size !== 2 || typeof entry !== 'object' || entry === null)
      throw new Broken('format', 'expected an entry');
    const fields = new Map<string, unknown>(Object.entries(entry));
    const sequence = this.#tree.size + 1;
    if (fields.get('sequence') !== sequence) throw new Broken('chain', `expected entry ${sequence}`);
    if (fields.get('organisation') !== this.#organisation)
      throw new Broken('chain', `entry ${sequence} is of another organisation`);
    if (fields.get('previousHash') !== this.#headHash)
      throw new Broken('chain', `entry ${sequence} does not follow the one before`);
    const hash = entryHash({ ...entry });
    if (fields.get('hash') !== hash) throw new Broken('chain', `entry ${sequence} was changed`);
    this.#headHash = hash;
    this.#tree.add(leafHash(Buffer.from(hash, 'hex')));
    for (const { checkpoint } of this.#known.witnesses) {
      if (checkpoint.sequence === sequence && !this.#coveredBy(checkpoint))
        throw new Broken('witness', `entries up to ${sequence} are not those of the copy from elsewhere`);
    }
  }

  #checkpoint(members: Members): void {
    const [checkpoint, signature] = [members.get('checkpoint'), members.get('signature')];
    if (members.size !== 3 || !isCheckpoint(checkpoint) || typeof signature !== 'string')
      throw new Broken('format', 'expected a checkpoint with its signature');
    this.#signed(checkpoint.keyId, checkpoint, signature);
    if (checkpoint.organisation !== this.#organisation || !this.#coveredBy(checkpoint))
      throw new Broken('checkpoint', `the checkpoint of ${checkpoint.sequence} entries is of others than these`);
    const previous = this.#last;
    const digest = previous === null ? NO_PREVIOUS_HASH : digestOf(canonicalJson(previous));
    if (checkpoint.previousSequence !== (previous?.sequence ?? 0) || checkpoint.previousDigest !== digest)
      throw new Broken('follows', `the checkpoint of ${checkpoint.sequence} entries does not follow the one before`);
    this.#last = checkpoint;
    this.#checkpoints += 1;
    this.#codesWanted.delete(codeOf(checkpoint));
  }

  #seal(members: Members): void {
    const [seal, signature] = [members.get('seal'), members.get('signature')];
    if (members.size !== 3 || !isSeal(seal) || typeof signature !== 'string')
      throw new Broken('format', 'expected the seal with its signature');
    this.#signed(seal.keyId, seal, signature);
    const counts = seal.entries === this.#tree.size && seal.checkpoints === this.#checkpoints;
    if (!counts || seal.organisation !== this.#organisation || seal.digest !== this.#bytes.copy().digest('hex'))
      throw new Broken('seal', 'the file is not the one that was sealed');
    if (this.#last?.sequence !== this.#tree.size)
      throw new Broken('checkpoint', 'entries at the end are covered by no checkpoint');
    const beyond = this.#known.witnesses.find(({ checkpoint }) => checkpoint.sequence > this.#tree.size);
    if (beyond !== undefined)
      throw new Broken(
        'witness',
        `a copy from elsewhere covers ${beyond.checkpoint.sequence} entries, and they are not here`,
      );
    this.#sealedAt = seal.at;
  }

  #signed(keyId: string, value: object, signature: string): void {
    const found = this.#ring.check(keyId, canonicalJson(value), signature);
    if (found === 'bad') throw new Broken('signature', `not signed by the key ${keyId.slice(0, 16)}, or no such key`);
    if (found === 'untrusted')
      throw new Broken('untrusted', `signed by the key ${keyId.slice(0, 16)}, which no trusted key vouches for`);
  }

  #coveredBy(checkpoint: Checkpoint): boolean {
    return (
      checkpoint.sequence === this.#tree.size &&
      checkpoint.headHash === this.#headHash &&
      checkpoint.root === this.#tree.root().toString('hex')
    );
  }
}

const codeOf = (checkpoint: Checkpoint): string => printedCode(digestOf(canonicalJson(checkpoint)));
