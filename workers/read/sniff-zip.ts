import { archive, notExamined, type SniffedType } from './type-tables.ts';

const LOCAL_HEADER = 0x04034b50;
const MAX_NAMES = 64;

/** Documents are zip files by construction; the names of their first entries tell which. */
const DOCUMENT_NAMES: readonly (readonly [RegExp, string])[] = [
  [/^word\//, 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
  [/^xl\//, 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
  [/^ppt\//, 'application/vnd.openxmlformats-officedocument.presentationml.presentation'],
  [/^(?:\[Content_Types\]\.xml|_rels\/\.rels)$/, 'application/vnd.openxmlformats-package'],
];

/** A zip archive, or an office document or book in a zip. An archive that is encrypted is found out when it is unpacked. */
export function sniffZip(head: Buffer): SniffedType | undefined {
  if (head.length < 4 || head[0] !== 0x50 || head[1] !== 0x4b) return undefined;
  const kind = head.readUInt16LE(2);
  // 'PK' followed by 3 4 (entry), 5 6 (empty archive) or 7 8 (first part of a split one).
  if (kind !== 0x0403 && kind !== 0x0605 && kind !== 0x0807) return undefined;
  const names = entryNames(head);
  if (names[0] === 'mimetype') {
    const declared = head.toString('latin1', 38, 38 + 100);
    const match = /^application\/(?:vnd\.oasis\.opendocument\.[a-z-]{1,40}|epub\+zip|vnd\.sun\.xml\.[a-z.]{1,40})/.exec(
      declared,
    );
    if (match !== null) return notExamined(match[0], 'document');
  }
  for (const [pattern, mediaType] of DOCUMENT_NAMES)
    if (names.some((name) => pattern.test(name))) return documentOrArchive(names, mediaType);
  return archive('application/zip', 'zip');
}

/** Any folder may be called `word`; only with the package's own list of types is it a document. */
function documentOrArchive(names: readonly string[], mediaType: string): SniffedType {
  const isPackage = names.some((name) => name === '[Content_Types].xml' || name === '_rels/.rels');
  return isPackage ? notExamined(mediaType, 'document') : archive('application/zip', 'zip');
}

/** Names in the local headers of the first entries, as far as they can be followed within the head. */
function entryNames(head: Buffer): string[] {
  const names: string[] = [];
  let at = 0;
  while (names.length < MAX_NAMES && at >= 0 && at + 30 <= head.length && head.readUInt32LE(at) === LOCAL_HEADER) {
    const nameBytes = head.readUInt16LE(at + 26);
    const dataAt = at + 30 + nameBytes + head.readUInt16LE(at + 28);
    names.push(head.toString('latin1', at + 30, Math.min(at + 30 + nameBytes, head.length)));
    const dataBytes = head.readUInt32LE(at + 18);
    // With bit 3 the sizes stand behind the data, so the next header has to be looked for.
    const sizesKnown = (head.readUInt16LE(at + 6) & 8) === 0 && dataBytes !== 0xffffffff;
    at = sizesKnown ? dataAt + dataBytes : head.indexOf('PK\x03\x04', dataAt, 'latin1');
  }
  return names;
}
