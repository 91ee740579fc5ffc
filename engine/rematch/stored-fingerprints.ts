import { DECODE_MODES } from '../../schemas/constants.ts';
import type { DecodeMode } from '../../schemas/fingerprint.ts';
import { comparedBy } from '../match/bit-evidence.ts';
import { CALIBRATED_ALGORITHMS, type CalibratedAlgorithm } from '../match/calibration.ts';
import { decodeCopy } from '../store/binary-copy.ts';
import type { Transaction } from '../store/db.ts';

/** Hashes of one algorithm that pass the quality gates. */
interface PackedHashes {
  /** The fingerprint that each belongs to, by its place; of PDQ for eight hashes together. */
  readonly owners: readonly number[];
  /** One after the other: of PDQ eight of 32 bytes in the order of ORIENTATIONS, of blockhash one. */
  readonly bits: Uint8Array;
}

/** Fingerprints of some media, packed for a search. */
export interface StoredFingerprints {
  readonly of: readonly {
    readonly mediaId: number;
    readonly mode: DecodeMode;
    readonly pipelineVersion: string;
  }[];
  readonly hashes: Readonly<Record<CalibratedAlgorithm, PackedHashes>>;
}

const COLUMNS =
  'media_id, mode, pipeline_version, pdq_512_dihedral, pdq_512_quality, pdq_full_dihedral, pdq_full_quality, blockhash';
/** A bit string is sent as its length in four bytes and then its bits. */
const BIT_LENGTH_BYTES = 4;

/**
 * Every fingerprint (of each mode and pipeline) of the media behind one number up to another, by binary COPY; only those that some
 * perceptual hash can be compared by.
 *
 * @param wanted algorithms that there is something to compare with
 */
export async function readStoredFingerprints(
  tx: Transaction,
  afterMediaId: number,
  lastMediaId: number,
  wanted: (algorithm: CalibratedAlgorithm) => boolean,
): Promise<StoredFingerprints> {
  const of: StoredFingerprints['of'][number][] = [];
  const parts = new Map(CALIBRATED_ALGORITHMS.map((name) => [name, { owners: [] as number[], bits: [] as Buffer[] }]));
  const select = `select ${COLUMNS} from fingerprint
    where media_id > ${afterMediaId} and media_id <= ${lastMediaId}
      and (pdq_512_dihedral is not null or pdq_full_dihedral is not null)`;
  for await (const fields of decodeCopy(tx.copyOut(select))) {
    const [mediaId, mode, version, pdq512, pdq512Quality, pdqFull, pdqFullQuality, blockhash] = fields;
    const named = DECODE_MODES.find((one) => one === mode?.toString('latin1'));
    if (mediaId == null || named === undefined || version == null) continue;
    const bitsOf: Readonly<Record<CalibratedAlgorithm, Buffer | null | undefined>> = {
      'pdq-512': pdq512,
      'pdq-full': pdqFull,
      'blockhash-256-r512': blockhash?.subarray(BIT_LENGTH_BYTES),
    };
    const compared = comparedBy({
      pdq512Quality: pdq512Quality?.readInt16BE() ?? null,
      pdqFullQuality: pdqFullQuality?.readInt16BE() ?? null,
      hasBlockhash: blockhash != null,
    }).filter(wanted);
    if (compared.length === 0) continue;
    for (const algorithm of compared) {
      const bits = bitsOf[algorithm];
      const part = parts.get(algorithm);
      if (bits == null || part === undefined) continue;
      part.owners.push(of.length);
      // A copy: the view is valid until the next row is asked for.
      part.bits.push(Buffer.from(bits));
    }
    of.push({
      mediaId: Number(mediaId.readBigInt64BE()),
      mode: named,
      pipelineVersion: version.toString('utf8'),
    });
  }
  const packed = (algorithm: CalibratedAlgorithm): PackedHashes => {
    const { owners = [], bits = [] } = parts.get(algorithm) ?? {};
    return { owners, bits: Buffer.concat(bits) };
  };
  return {
    of,
    hashes: {
      'pdq-512': packed('pdq-512'),
      'pdq-full': packed('pdq-full'),
      'blockhash-256-r512': packed('blockhash-256-r512'),
    },
  };
}
