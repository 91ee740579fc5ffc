import { HomewardError } from '../../schemas/error.ts';
import { ORIENTATIONS } from '../../schemas/fingerprint.ts';
import { MATCH_METHODS } from '../../schemas/match.ts';
import { bitLog10LikelihoodRatio } from '../match/bit-weight.ts';
import { CALIBRATED_ALGORITHMS, CALIBRATION } from '../match/calibration.ts';
import { BIT_POLICY } from '../match/policy.ts';
import type { Queryable } from '../store/db.ts';
import { bytes, integer, nullable, oneOf, type RowOf, real, row, text, timestamp } from '../store/row-shape.ts';
import { explainModelMatch, type ModelFacts } from './explain-model.ts';
import { isUncorroborated } from './fuse.ts';
import { evidenceInForce, mergedSeries, pairKey } from './lead-evidence.ts';

export interface ExplainOptions {
  readonly models: ModelFacts;
  /** Perceptual hashes of both sides too. */
  readonly hashes: boolean;
}

/**
 * Everything another tool needs to compute a match again, as plain JSON: no vector ever, perceptual hashes only when asked for.
 * @param id `m12` of match, `v45` of model_match
 * @throws HomewardError HW_MATCH_NOT_FOUND, HW_USAGE for an id of another form
 */
export async function explainMatch(
  db: Queryable,
  id: string,
  options: ExplainOptions,
): Promise<Record<string, unknown>> {
  const given = /^([mv])([1-9]\d{0,14})$/.exec(id);
  if (given === null) {
    throw new HomewardError(
      'HW_USAGE',
      `expected the id of a match, such as m12 or v45, received ${JSON.stringify(id)}`,
    );
  }
  const matchId = Number(given[2]);
  const explained =
    given[1] === 'm'
      ? await explainKnownMatch(db, matchId, options)
      : await explainModelMatch(db, matchId, options.models);
  if (explained === null) {
    throw new HomewardError(
      'HW_MATCH_NOT_FOUND',
      `expected the id of a match, received ${id}, which is not here; homeward leads list shows ids`,
    );
  }
  return { id, ...explained, ...(await corroborationOf(db, given[1] === 'm' ? 'match' : 'model_match', matchId)) };
}

/** Of everything in force that ties the content to the series, which families of methods it is of; null where there is no series. */
async function corroborationOf(db: Queryable, table: 'match' | 'model_match', matchId: number) {
  const [of] = await db.read(
    row({ mediaId: integer, seriesId: nullable(integer) }),
    `select media_id, series_id from ${table} where match_id = $1`,
    [matchId],
  );
  if (of === undefined || of.seriesId === null) return { corroboration: null };
  const seriesId = (await mergedSeries(db))(of.seriesId);
  const { evidence, heldBySeries } = await evidenceInForce(db, [of.mediaId]);
  const about = evidence.filter((one) => one.seriesId === seriesId);
  const held = heldBySeries.has(pairKey(of.mediaId, seriesId));
  const methods = about.filter((one) => one.contradictedBy === null).map((one) => one.method);
  return {
    corroboration: {
      families: [...new Set([...(held ? ['digest'] : []), ...methods])].sort(),
      uncorroborated: isUncorroborated(about, held),
    },
  };
}

const KNOWN = row({
  method: oneOf(MATCH_METHODS),
  algorithm: text,
  mode: text,
  pipelineVersion: text,
  distanceBits: integer,
  thresholdBits: integer,
  orientation: nullable(oneOf(ORIENTATIONS)),
  flavour: nullable(text),
  expectedFalseMatches: nullable(real),
  setRevision: integer,
  contradictedBy: nullable(text),
  contradictedDistanceBits: nullable(integer),
  categoryCode: nullable(text),
  createdAt: timestamp,
  withdrawnAt: nullable(timestamp),
  sha256: bytes,
  sha1: bytes,
  md5: bytes,
  sizeBytes: integer,
  decoder: nullable(text),
  reductionFactor: nullable(integer),
  quality: nullable(integer),
  recordId: integer,
  sourceKey: nullable(text),
  knownSha256: nullable(bytes),
  knownSha1: nullable(bytes),
  knownMd5: nullable(bytes),
  source: text,
  setName: text,
  setVersion: integer,
  setSha256: bytes,
  setFormat: text,
  setState: text,
  series: nullable(text),
  dihedral512: nullable(bytes),
  dihedralFull: nullable(bytes),
  blockhash: nullable(text),
});

const KNOWN_SQL = `
select t.method, t.algorithm, t.mode, t.pipeline_version, t.distance_bits, t.threshold_bits, t.orientation, t.flavour,
       t.expected_false_matches, t.set_revision,
       c.source || ' ' || c.name || ' version ' || c.version as contradicted_by, t.contradicted_distance_bits, t.category_code, t.created_at, t.withdrawn_at, m.sha256, m.sha1, m.md5, m.size_bytes,
       f.decoder, f.reduction_factor, least(f.pdq_512_quality, f.pdq_full_quality) as quality,
       t.record_id, r.source_key, r.sha256 as known_sha256, r.sha1 as known_sha1, r.md5 as known_md5,
       s.source, s.name as set_name, s.version as set_version, s.content_sha256 as set_sha256, s.format as set_format,
       s.state as set_state, e.name as series,
       f.pdq_512_dihedral as dihedral512, f.pdq_full_dihedral as dihedral_full, f.blockhash::text as blockhash
  from match t
  join media m on m.media_id = t.media_id
  join hash_set s on s.set_id = t.set_id
  left join known_record r on r.record_id = t.record_id
  left join hash_set c on c.set_id = t.contradicted_by_set and c.state = 'active'
  left join series e on e.series_id = t.series_id
  left join fingerprint f on f.media_id = t.media_id and f.pipeline_version = t.pipeline_version and f.mode = t.mode
 where t.match_id = $1`;

async function explainKnownMatch(
  db: Queryable,
  matchId: number,
  options: ExplainOptions,
): Promise<Record<string, unknown> | null> {
  const [found] = await db.read(KNOWN, KNOWN_SQL, [matchId]);
  if (found === undefined) return null;
  const hex = (value: Buffer | null): string | null => value?.toString('hex') ?? null;
  const perceptual = found.method === 'pdq' || found.method === 'blockhash';
  return {
    method: found.method,
    algorithm: found.algorithm,
    inForce: found.withdrawnAt === null && found.setState === 'active',
    foundAt: found.createdAt,
    withdrawnAt: found.withdrawnAt,
    pipelineVersion: found.pipelineVersion,
    decoding: perceptual ? { mode: found.mode, decoder: found.decoder, reductionFactor: found.reductionFactor } : null,
    media: { sha256: hex(found.sha256), sha1: hex(found.sha1), md5: hex(found.md5), sizeBytes: found.sizeBytes },
    known: {
      recordId: found.recordId,
      sourceKey: found.sourceKey,
      sha256: hex(found.knownSha256),
      sha1: hex(found.knownSha1),
      md5: hex(found.knownMd5),
      categoryCode: found.categoryCode,
      series: found.series,
    },
    set: {
      source: found.source,
      name: found.setName,
      version: found.setVersion,
      // As it was when this was found: the file of the version and so many deltas.
      revision: found.setRevision,
      sha256: hex(found.setSha256),
      format: found.setFormat,
      state: found.setState,
    },
    distanceBits: found.distanceBits,
    thresholdBits: found.thresholdBits,
    orientation: found.orientation,
    flavour: found.flavour,
    quality: perceptual ? found.quality : null,
    expectedFalseMatches: found.expectedFalseMatches,
    contradictedBy:
      found.contradictedBy === null
        ? null
        : { set: found.contradictedBy, distanceBits: found.contradictedDistanceBits },
    ...(perceptual
      ? bitCalibration(found.algorithm, found.thresholdBits)
      : { rule: 'The digests are equal, byte for byte.' }),
    ...(perceptual && options.hashes ? { hashes: await hashesOf(db, found) } : {}),
  };
}

function bitCalibration(id: string, thresholdBits: number): Record<string, unknown> {
  const algorithm = CALIBRATED_ALGORITHMS.find((name) => BIT_POLICY[name].id === id);
  return {
    rule: 'Hamming distance over 256 bits between the hash of the media in the orientation named and the known hash, of pictures whose quality reaches the minimum; at or below the threshold is evidence.',
    minimumQuality: algorithm === undefined ? null : BIT_POLICY[algorithm].minimumQuality,
    calibration: algorithm === undefined ? null : CALIBRATION[algorithm],
    log10LikelihoodRatio: bitLog10LikelihoodRatio(id, thresholdBits),
    formulas: {
      expectedFalseMatches:
        'comparisons x normal tail at (threshold + 0.5 - mean) / standard deviation; comparisons = known hashes then x orientations looked for',
      log10LikelihoodRatio:
        '-log10(1 - 0.05^(1 / comparisons)) of the calibration, none of which came within the threshold',
    },
  };
}

async function hashesOf(db: Queryable, found: RowOf<typeof KNOWN>) {
  const at = ORIENTATIONS.indexOf(found.orientation ?? 'original') * 32;
  const dihedral = found.flavour === 'pdq-512' ? found.dihedral512 : found.dihedralFull;
  const known = await db.read(
    row({ algorithm: text, hex: text, quality: nullable(integer) }),
    `select algorithm, encode(substring(bit_send(bits) from 5), 'hex') as hex, quality from known_bits
      where record_id = $1 order by algorithm, bits`,
    [found.recordId],
  );
  return {
    media:
      found.method === 'pdq' ? (dihedral?.subarray(at, at + 32).toString('hex') ?? null) : bitsAsHex(found.blockhash),
    known: known.filter((one) => one.algorithm.startsWith(found.method)),
  };
}

function bitsAsHex(bits: string | null): string | null {
  return bits === null
    ? null
    : BigInt(`0b${bits}`)
        .toString(16)
        .padStart(bits.length / 4, '0');
}
