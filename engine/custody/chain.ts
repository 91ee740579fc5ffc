import { createHash } from 'node:crypto';
import type { CustodyEvent } from '../../schemas/custody.ts';
import { canonicalJson } from '../audit/verify/canonical-json.ts';

/** What the hash of an event covers: all of it but the hash itself, what is derived, and when it was erased. */
export type HashedEvent = Omit<CustodyEvent, 'hash' | 'changed' | 'erasedAt'>;

/** SHA-256 over the canonical JSON of an event and its salt (16 bytes in hexadecimal). */
export function custodyHash(event: HashedEvent, saltHex: string): string {
  return createHash('sha256')
    .update(canonicalJson({ ...event, salt: saltHex }), 'utf8')
    .digest('hex');
}

export type CustodyVerdict =
  | { readonly whole: true; readonly events: number; readonly erased: number }
  | { readonly whole: false; readonly events: number; readonly erased: number; readonly brokenAt: number };

/** An event as it is stored, with its salt; null where that went with the digests. */
export interface StoredEvent {
  readonly event: CustodyEvent;
  readonly saltHex: string | null;
}

/** Follows the chain of one case from its first event. Of an erased event only its place in the chain can be told. */
export function verifyCustody(events: readonly StoredEvent[]): CustodyVerdict {
  let previousHash = '0'.repeat(64);
  let erased = 0;
  for (const [at, { event, saltHex }] of events.entries()) {
    const { hash, changed: _derived, erasedAt: _erased, ...hashed } = event;
    const linked = event.sequence === at + 1 && event.previousHash === previousHash;
    const same = saltHex === null ? event.erasedAt !== null : custodyHash(hashed, saltHex) === hash;
    if (!linked || !same) return { whole: false, events: at, erased, brokenAt: at + 1 };
    if (saltHex === null) erased += 1;
    previousHash = hash;
  }
  return { whole: true, events: events.length, erased };
}
