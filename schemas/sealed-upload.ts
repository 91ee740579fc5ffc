import { Type } from 'typebox';
import { BoundedText, Closed, Count, Hex, Nullable, type Static } from './closed.ts';

/**
 * The form in which uploaded material lies on disk, so that whoever has the disk, or the process that received it, cannot read it back: only
 * who has the hosts' private key can. Numbers are big-endian.
 *
 * A file is segments one after the other. A segment is a head of SEALED_HEAD_BYTES, which nobody can change unseen, since its key is derived
 * from it, and records. Head: magic (8), version 1 (1), kind (1: data, 2: trailer), zeros (2), number of the segment (4), identifier of the
 * upload (16), offset of its content in the upload (8), ephemeral X25519 public key (32). Key: HKDF-SHA-256 of the shared secret, salted with
 * the head, for SEALED_KEY_INFO. A record: length of its content (4, highest bit: the last of its segment), content under AES-256-GCM, tag (16);
 * nonce: number of the record in 12 bytes; associated data: the length field. All records but a segment's last one are full. The trailer's
 * content is JSON of SealedTrailer; without one an upload is not whole.
 */
export const SEALED_MAGIC = 'HWSEALED';
export const SEALED_VERSION = 1;
export const SEALED_DATA = 1;
export const SEALED_TRAILER = 2;
export const SEALED_HEAD_BYTES = 72;
export const SEALED_RECORD_BYTES = 262_144;
export const SEALED_TAG_BYTES = 16;
export const SEALED_LENGTH_BYTES = 4;
export const SEALED_LAST = 0x8000_0000;
export const SEALED_KEY_INFO = 'homeward sealed upload 1';
export const SEALED_CIPHER = 'aes-256-gcm';

/** As examined by a host: unpacked like an archive. */
export const SEALED_MEDIA_TYPE = 'application/vnd.homeward.sealed';

export const SealedTrailer = Closed({
  /** As the submitter named it; never made into a path. */
  name: BoundedText(1000),
  sizeBytes: Count(),
  /** Of the content, as the submitter stated it. */
  sha256: Hex(32),
  /** Whoever received it saw all of it and found that digest; otherwise a host does so before it reads it. */
  verified: Type.Boolean(),
  modifiedAt: Nullable(BoundedText(30)),
});
export type SealedTrailer = Static<typeof SealedTrailer>;
