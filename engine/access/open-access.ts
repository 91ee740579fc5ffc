import type { Member } from '../../schemas/access.ts';
import { HomewardError } from '../../schemas/error.ts';
import type { Db } from '../store/db.ts';
import { integer, row } from '../store/row-shape.ts';
import { unauthenticated } from './access-error.ts';
import { digestOfKey, parseApiKey, provesSecret } from './api-key.ts';
import { type Credential, type FoundMember, findMember } from './find-member.ts';

/** Told by the triggers of 0004-access.sql with every change of who may do what. */
const ACCESS_CHANNEL = 'homeward_access';
/** What a server that was cut off did not tell is found by looking. */
const POLL_MS = 250;
/** Nothing is answered from memory that was not held against the database within this time: what ends stops answering within a second. */
const MOST_UNSEEN_MS = 700;
/** Members and presented keys that are remembered; beyond it all are forgotten, which costs each a look-up. */
const MOST_REMEMBERED = 10_000;

export interface AccessOptions {
  /** Unix time in ms; by it keys expire and agreements begin and end. */
  readonly now?: () => number;
}

/**
 * Who a caller is and what his organisation's agreement lets him do.
 * Each method @throws HW_UNAUTHENTICATED where what was presented is unknown, expired or revoked; HW_AGREEMENT_ENDED where it is good and the
 * organisation has no agreement in force; and what the database throws: without it nobody is let in from memory.
 */
export interface Access {
  /** `hw_<keyId>_<secret>`. */
  memberOfKey(presentedKey: string): Promise<Member>;
  /** SHA-256 of the DER form of a client certificate that the TLS layer has verified, in hexadecimal. */
  memberOfCertificate(sha256Hex: string): Promise<Member>;
  /** Of an identity token that was verified. */
  memberOfSubject(issuer: string, subject: string): Promise<Member>;
  /** May be called twice. */
  close(): Promise<void>;
}

/** Opens it over a migrated database, and follows every change of access until it is closed. */
export async function openAccess(db: Db, options: AccessOptions = {}): Promise<Access> {
  const access = new RememberedAccess(db, options.now ?? Date.now);
  await access.start();
  return access;
}

class RememberedAccess implements Access {
  readonly #db: Db;
  readonly #now: () => number;
  readonly #members = new Map<string, FoundMember>();
  /** SHA-256 of keys whose secret was proved. A secret never changes; whether its key still holds the database says. */
  readonly #proved = new Set<string>();
  /** Trials of secrets under way: the same key presented many times at once is tried once. */
  readonly #trials = new Map<string, Promise<boolean>>();
  #seenRevision = -1;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #listening: AsyncDisposable | undefined;

  constructor(db: Db, now: () => number) {
    this.#db = db;
    this.#now = now;
  }

  async start(): Promise<void> {
    const look = (): void => {
      // A look that fails is made again by whoever asks next, and fails to him.
      this.#look().catch(() => undefined);
    };
    this.#listening = await this.#db.listen(ACCESS_CHANNEL, look);
    this.#timer = setInterval(look, POLL_MS);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    const listening = this.#listening;
    this.#listening = undefined;
    await listening?.[Symbol.asyncDispose]();
    await this.#looking?.catch(() => undefined);
  }

  async memberOfKey(presentedKey: string): Promise<Member> {
    const parsed = parseApiKey(presentedKey);
    if (parsed === null) throw unauthenticated();
    const found = await this.#find(`key ${parsed.keyId}`, { kind: 'key', keyId: parsed.keyId });
    if (!(await this.#proves(presentedKey, parsed.secret, found))) throw unauthenticated();
    return admitted(found);
  }

  async memberOfCertificate(sha256Hex: string): Promise<Member> {
    if (!/^[0-9a-f]{64}$/i.test(sha256Hex)) throw unauthenticated();
    const sha256 = Buffer.from(sha256Hex, 'hex');
    return admitted(await this.#find(`certificate ${sha256.toString('hex')}`, { kind: 'certificate', sha256 }));
  }

  async memberOfSubject(issuer: string, subject: string): Promise<Member> {
    // Text that PostgreSQL cannot hold names nobody.
    if (issuer.includes('\0') || subject.includes('\0')) throw unauthenticated();
    const key = `subject ${JSON.stringify([issuer, subject])}`;
    return admitted(await this.#find(key, { kind: 'subject', issuer, subject }));
  }

  async #find(key: string, credential: Credential): Promise<FoundMember> {
    if (performance.now() - this.#lookedAtMs > MOST_UNSEEN_MS) await this.#look();
    const nowMs = this.#now();
    const remembered = this.#members.get(key);
    if (remembered !== undefined && remembered.revision >= this.#seenRevision && nowMs < remembered.validUntilMs)
      return remembered;
    this.#members.delete(key);
    const found = await findMember(this.#db, credential, nowMs);
    if (found === null) throw unauthenticated();
    if (this.#members.size >= MOST_REMEMBERED) this.#members.clear();
    // One that was read before a change that is seen by now is remembered with its old revision, and so never used.
    this.#members.set(key, found);
    return found;
  }

  async #proves(presented: string, secret: string, { secret: stored }: FoundMember): Promise<boolean> {
    if (stored === null) return false;
    const digest = digestOfKey(presented);
    if (this.#proved.has(digest)) return true;
    let trial = this.#trials.get(digest);
    if (trial === undefined) {
      trial = provesSecret(secret, stored).finally(() => this.#trials.delete(digest));
      this.#trials.set(digest, trial);
    }
    const proved = await trial;
    if (proved) {
      if (this.#proved.size >= MOST_REMEMBERED) this.#proved.clear();
      this.#proved.add(digest);
    }
    return proved;
  }

  /** Asks for the revision of access; what is remembered of another one is forgotten. */
  async #look(): Promise<void> {
    this.#looking ??= this.#readRevision().finally(() => {
      this.#looking = undefined;
    });
    await this.#looking;
  }

  async #readRevision(): Promise<void> {
    const startedMs = performance.now();
    const [found] = await this.#db.read(row({ revision: integer }), 'select revision from access_revision');
    const revision = found?.revision ?? 0;
    // A lower one than seen: the database was restored, and what is remembered is of another history.
    if (revision < this.#seenRevision) this.#members.clear();
    this.#seenRevision = revision;
    for (const [key, member] of this.#members) if (member.revision < revision) this.#members.delete(key);
    this.#lookedAtMs = startedMs;
  }
}

function admitted({ member, home }: FoundMember): Member {
  if (home || member.agreement !== null) return member;
  throw new HomewardError(
    'HW_AGREEMENT_ENDED',
    'expected an agreement of your organisation that is in force today, received none; ask the organisation that runs the engine for a new one',
  );
}
