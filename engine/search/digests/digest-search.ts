import type { Transaction } from '../../store/db.ts';
import type { DigestHit } from '../../store/queries/record-matches.ts';

/** A content to look for. Digests are lower-case hexadecimal. */
export interface SoughtContent {
  readonly mediaId: number;
  readonly sizeBytes: number;
  readonly md5: string;
  readonly sha1: string;
  readonly sha256: string;
}

/**
 * Exact look-up of contents by digest among all records that are searched, known and known-good: what was committed before `find` is
 * called is found. The empty file is never found.
 */
export interface DigestSearch {
  /** How look-ups are answered now, for reports. */
  readonly description: string;
  /** Contents must be stored as media by now, `tx` itself may have done so. */
  find(tx: Transaction, contents: readonly SoughtContent[]): Promise<DigestHit[]>;
  /** Resolves when nothing is loaded in the background any more. */
  settled(): Promise<void>;
  /** May be called twice. Ends what is loaded in the background. */
  close(): Promise<void>;
}
