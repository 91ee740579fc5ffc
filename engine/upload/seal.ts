import { createCipheriv, diffieHellman, generateKeyPairSync, hkdfSync, type KeyObject } from 'node:crypto';
import {
  SEALED_CIPHER,
  SEALED_DATA,
  SEALED_HEAD_BYTES,
  SEALED_KEY_INFO,
  SEALED_LAST,
  SEALED_LENGTH_BYTES,
  SEALED_MAGIC,
  SEALED_RECORD_BYTES,
  SEALED_TRAILER,
  SEALED_VERSION,
  type SealedTrailer,
} from '../../schemas/sealed-upload.ts';

export interface SegmentPlace {
  readonly number: number;
  /** UUID. */
  readonly uploadId: string;
  /** Of its content in the upload. */
  readonly offsetBytes: number;
}

/** Seals one segment (schemas/sealed-upload.ts) for who has the private key of `recipient`, an X25519 public key. Holds less than a record. */
export class SegmentSealer {
  readonly #key: Buffer;
  readonly #pending: Buffer = Buffer.allocUnsafe(SEALED_RECORD_BYTES);
  #pendingBytes = 0;
  #records = 0;
  /** Comes before everything else. */
  readonly head: Buffer;

  constructor(
    recipient: KeyObject,
    place: SegmentPlace,
    kind: typeof SEALED_DATA | typeof SEALED_TRAILER = SEALED_DATA,
  ) {
    const { publicKey, privateKey } = generateKeyPairSync('x25519');
    this.head = headOf(place, kind, rawPublicKey(publicKey));
    const secret = diffieHellman({ privateKey, publicKey: recipient });
    this.#key = Buffer.from(hkdfSync('sha256', secret, this.head, SEALED_KEY_INFO, 32));
  }

  /** Whole records that the content makes up, in parts to be written in their order. */
  add(content: Uint8Array): Buffer[] {
    const sealed: Buffer[] = [];
    for (let at = 0; at < content.length; ) {
      // The last record is one that nothing follows, so a full one is kept back until something does.
      if (this.#pendingBytes === SEALED_RECORD_BYTES) sealed.push(...this.#seal(false));
      const part = content.subarray(at, at + SEALED_RECORD_BYTES - this.#pendingBytes);
      this.#pending.set(part, this.#pendingBytes);
      this.#pendingBytes += part.length;
      at += part.length;
    }
    return sealed;
  }

  /** The last record in its parts; nothing may be added after it. */
  end(): Buffer[] {
    return this.#seal(true);
  }

  #seal(last: boolean): Buffer[] {
    const length = Buffer.allocUnsafe(SEALED_LENGTH_BYTES);
    length.writeUInt32BE((this.#pendingBytes | (last ? SEALED_LAST : 0)) >>> 0, 0);
    const nonce = Buffer.alloc(12);
    nonce.writeUInt32BE(this.#records, 8);
    const cipher = createCipheriv(SEALED_CIPHER, this.#key, nonce);
    cipher.setAAD(length);
    const content = cipher.update(this.#pending.subarray(0, this.#pendingBytes));
    cipher.final();
    this.#records += 1;
    this.#pendingBytes = 0;
    return [length, content, cipher.getAuthTag()];
  }
}

/** The end of a whole upload. */
export function sealTrailer(recipient: KeyObject, place: SegmentPlace, trailer: SealedTrailer): Buffer {
  const sealer = new SegmentSealer(recipient, place, SEALED_TRAILER);
  const records = sealer.add(Buffer.from(JSON.stringify(trailer)));
  return Buffer.concat([sealer.head, ...records, ...sealer.end()]);
}

function headOf(place: SegmentPlace, kind: number, ephemeral: Buffer): Buffer {
  const head = Buffer.alloc(SEALED_HEAD_BYTES);
  head.write(SEALED_MAGIC, 0, 'latin1');
  head.writeUInt8(SEALED_VERSION, 8);
  head.writeUInt8(kind, 9);
  head.writeUInt32BE(place.number, 12);
  head.write(place.uploadId.replaceAll('-', ''), 16, 'hex');
  head.writeBigUInt64BE(BigInt(place.offsetBytes), 32);
  head.set(ephemeral, 40);
  return head;
}

/** The 32 bytes that RFC 7748 speaks of. */
function rawPublicKey(key: KeyObject): Buffer {
  return Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url');
}
