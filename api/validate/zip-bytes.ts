import { crc32 } from 'node:zlib';

export interface StoredEntry {
  readonly name: string;
  readonly bytes: Buffer;
  /** Writes a checksum that is not that of the bytes. */
  readonly badCrc?: boolean;
}

/** A zip file of stored entries (APPNOTE 6.3.10, version 2.0): names and checksums are written as told, also wrong ones. */
export function zipBytes(entries: readonly StoredEntry[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, bytes, badCrc = false } of entries) {
    const rawName = Buffer.from(name);
    const sum = (crc32(bytes) ^ (badCrc ? 1 : 0)) >>> 0;
    // From "version needed" to "length of the extra field" both headers have the same 26 bytes.
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x0800, 2);
    common.writeUInt16LE(0x21, 8);
    common.writeUInt32LE(sum, 10);
    common.writeUInt32LE(bytes.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(rawName.length, 22);
    const local = Buffer.concat([Buffer.from('PK\u0003\u0004'), common, rawName, bytes]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(at, 10);
    directory.push(Buffer.concat([Buffer.from('PK\u0001\u0002'), Buffer.from([20, 0]), common, rest, rawName]));
    parts.push(local);
    at += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\u0005\u0006', 0, 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, central, end]);
}
