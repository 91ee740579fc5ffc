import type { KnownBits, KnownRecord } from '../../../../schemas/known-record.ts';
import { inBuffers } from '../output-buffer.ts';
import { CONTEXT_KEY, contextUrl, VICS_CLAIM } from './envelope.ts';

/**
 * Writes records as a VICS 2.0 document of media: VICS-compatible, not certified.
 *
 * What VICS has no place for goes into OData annotations, members named `@homeward.*`, which a client that does not know them has to
 * ignore (OData JSON Format 4.0, 4.5.13): the source's own key, since a MediaID has to be a number that is unique in the file, and the
 * flavour and quality of a PDQ. SHA-256, PDQ and blockhash are AlternativeHashes named SHA256, PDQ and blockhash-256-r512; the first
 * PhotoDNA value is the PhotoDNA of its Media object, further ones are AlternativeHashes.
 * A record without MD5 has an empty one, as some exporters write it. Empty text and no text are one thing in VICS.
 */
export function writeVics(
  records: AsyncIterable<KnownRecord>,
  categoryScheme: string,
): AsyncGenerator<Buffer, void, undefined> {
  return inBuffers(pieces(records, categoryScheme));
}

async function* pieces(
  records: AsyncIterable<KnownRecord>,
  categoryScheme: string,
): AsyncGenerator<string, void, undefined> {
  const head = {
    [CONTEXT_KEY.since20]: contextUrl(categoryScheme),
    '@homeward.note': VICS_CLAIM,
    '@homeward.categoryScheme': categoryScheme,
  };
  yield `${JSON.stringify(head).slice(0, -1)},"value":[`;
  let count = 0;
  for await (const record of records) {
    yield `${count === 0 ? '' : ','}\n${JSON.stringify(mediaOf(record, count))}`;
    count++;
  }
  yield '\n]}\n';
}

function mediaOf(record: KnownRecord, mediaId: number): object {
  const md5 = record.md5?.toUpperCase() ?? '';
  const [photoDna, ...further] = record.photoDna ?? [];
  const alternatives = [
    ...(record.sha256 === null ? [] : [{ MD5: md5, HashName: 'SHA256', HashValue: record.sha256.toUpperCase() }]),
    ...record.bits.map((bits) => alternativeOf(md5, bits)),
    ...further.map((value) => ({ MD5: md5, HashName: 'PhotoDNA', HashValue: inBase64(value) })),
  ];
  return {
    MediaID: mediaId,
    ...(record.sourceKey === String(mediaId) ? {} : { '@homeward.sourceKey': record.sourceKey }),
    Category: categoryOf(record.categoryCode),
    MD5: md5,
    ...(record.sha1 === null ? {} : { SHA1: record.sha1.toUpperCase() }),
    ...(record.sizeBytes === null ? {} : { MediaSize: record.sizeBytes }),
    ...(record.series === null ? {} : { Series: record.series }),
    ...(record.tags === null ? {} : { Tags: record.tags }),
    ...flagsOf(record),
    ...(photoDna === undefined ? {} : { PhotoDNA: inBase64(photoDna) }),
    ...(alternatives.length === 0 ? {} : { AlternativeHashes: alternatives }),
  };
}

/** As VICS has PhotoDNA values. */
const inBase64 = (hex: string): string => Buffer.from(hex, 'hex').toString('base64');

/** Flags that were not given are left out: absent is not false. */
function flagsOf(record: KnownRecord): object {
  const flags = {
    VictimIdentified: record.victimIdentified,
    OffenderIdentified: record.offenderIdentified,
    IsDistributed: record.distributed,
    IsPrecategorized: record.precategorised,
    IsSuspected: record.suspected,
  };
  return Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== null));
}

/** A code that is a plain number is written as one, as VICS has it; any other stays text. */
function categoryOf(code: string | null): number | string | null {
  return code !== null && /^(?:0|[1-9]\d{0,8})$/.test(code) ? Number(code) : code;
}

function alternativeOf(md5: string, bits: KnownBits): object {
  return {
    MD5: md5,
    HashName: bits.algorithm === 'pdq' ? 'PDQ' : bits.algorithm,
    HashValue: bits.hex,
    ...(bits.flavour === null ? {} : { '@homeward.flavour': bits.flavour }),
    ...(bits.quality === null ? {} : { '@homeward.quality': bits.quality }),
  };
}
