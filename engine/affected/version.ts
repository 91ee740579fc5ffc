import { HomewardError } from '../../schemas/error.ts';
import { ALGORITHMS } from '../match/policy.ts';
import type { Db } from '../store/db.ts';
import { bool, integer, row } from '../store/row-shape.ts';

export const AFFECTED_KINDS = ['hashSet', 'pack', 'algorithm', 'decoder', 'pipeline'] as const;

/** A version of something that results rest on. */
export interface AffectedVersion {
  readonly kind: (typeof AFFECTED_KINDS)[number];
  /** As it was given. */
  readonly version: string;
  /** Of a hash set; null otherwise. */
  readonly setId: number | null;
}

// starts_with: a decoder is recorded with the library it is built on, such as `sharp 0.35.5 (libvips 8.18.7)`.
const RECORDED_SQL = `
select exists (select from embedding_space where pack_id || '@' || pack_version = $1)
    or exists (select from face where detector || '@' || detector_version = $1)
    or exists (select from picture_score where pack_id || '@' || pack_version = $1) as pack,
       exists (select from model_match where algorithm = $1) as algorithm,
       exists (select from fingerprint where decoder = $1 or starts_with(decoder, $1 || ' ')) as decoder,
       exists (select from fingerprint where pipeline_version = $1) as pipeline`;

/**
 * What a version is one of.
 * @param version `SOURCE/NAME@3` (hash set), `dlib-128@1.0.0` (model pack), `pdq-512/1` (algorithm), `sharp 0.35.5` (decoder) or a pipeline version
 * @throws HomewardError HW_VERSION_NOT_FOUND where nothing here was made with it
 */
export async function findVersion(db: Db, version: string): Promise<AffectedVersion> {
  const [set] = await db.read(
    row({ setId: integer }),
    `select set_id from hash_set where source || '/' || name || '@' || version = $1 and state <> 'importing'`,
    [version],
  );
  if (set !== undefined) return { kind: 'hashSet', version, setId: set.setId };
  const [recorded] = await db.read(row({ pack: bool, algorithm: bool, decoder: bool, pipeline: bool }), RECORDED_SQL, [
    version,
  ]);
  const known = ALGORITHMS.some(({ id }) => id === version);
  const kinds = { ...recorded, algorithm: known || recorded?.algorithm === true };
  for (const kind of ['pack', 'algorithm', 'decoder', 'pipeline'] as const)
    if (kinds[kind] === true) return { kind, version, setId: null };
  throw new HomewardError(
    'HW_VERSION_NOT_FOUND',
    `expected a version that something here was made with (SOURCE/NAME@3, pack@1.0.0, pdq-512/1, a decoder or a pipeline version), received ${JSON.stringify(version)}; reports name the versions they rest on`,
  );
}

export interface RelationsOfVersion {
  /** SQL: media_id of every media that the version had a part in; takes the parameter $1. */
  readonly touched: string;
  /** SQL: media_id and series_id of evidence in force that rests on it; takes the parameter $1. */
  readonly evidence: string;
  /** SQL condition on fingerprints that it made; null where it made none. Takes the parameter $1. */
  readonly fingerprints: string | null;
  readonly parameter: string;
}

const HASH_COLUMNS: Readonly<Record<string, string>> = {
  'pdq-512/1': 'pdq_512_dihedral is not null',
  'pdq-full/1': 'pdq_full_dihedral is not null',
  'blockhash-256-r512/1': 'blockhash is not null',
  // Digests are of the file itself, whatever it is.
  sha256: 'true',
  sha1: 'true',
  md5: 'true',
};
const PERCEPTUAL = `t.method in ('pdq', 'blockhash')`;
const byFingerprint = (condition: string): Pick<RelationsOfVersion, 'touched' | 'fingerprints'> => ({
  touched: `select distinct media_id from fingerprint f where $1::text is not null and ${condition}`,
  fingerprints: condition,
});

/** Where in the database a version had a part. */
export function relationsOf({ kind, version, setId }: AffectedVersion): RelationsOfVersion {
  switch (kind) {
    case 'hashSet':
      return {
        touched: 'select distinct media_id from match where set_id = $1::bigint',
        evidence: 'select media_id, series_id from match where set_id = $1::bigint and withdrawn_at is null',
        fingerprints: null,
        parameter: String(setId),
      };
    case 'pack':
      return {
        touched: `
          select f.media_id from face f where f.detector || '@' || f.detector_version = $1
          union select f.media_id from face_vector v join face f on f.face_id = v.face_id join embedding_space s on s.space_ref = v.space_ref
                 where s.pack_id || '@' || s.pack_version = $1
          union select v.media_id from picture_vector v join embedding_space s on s.space_ref = v.space_ref
                 where s.pack_id || '@' || s.pack_version = $1
          union select media_id from picture_score where pack_id || '@' || pack_version = $1`,
        evidence: `
          select v.media_id, v.series_id from model_match v left join face f on f.face_id = v.face_id
           where v.withdrawn_at is null
             and (position('+' || $1 || '/' in '+' || v.algorithm) > 0 or f.detector || '@' || f.detector_version = $1)`,
        fingerprints: null,
        parameter: version,
      };
    case 'algorithm': {
      const column = HASH_COLUMNS[version];
      const evidence = `
        select media_id, series_id from match where algorithm = $1 and withdrawn_at is null
        union all select media_id, series_id from model_match where algorithm = $1 and withdrawn_at is null`;
      if (column !== undefined) return { ...byFingerprint(column), evidence, parameter: version };
      return {
        touched: 'select distinct media_id from model_match where algorithm = $1',
        evidence,
        fingerprints: null,
        parameter: version,
      };
    }
    case 'decoder': {
      const condition = `(f.decoder = $1 or starts_with(f.decoder, $1 || ' '))`;
      return {
        ...byFingerprint(condition),
        evidence: `
          select t.media_id, t.series_id from match t
            join fingerprint f on f.media_id = t.media_id and f.mode = t.mode and f.pipeline_version = t.pipeline_version
           where ${condition} and ${PERCEPTUAL} and t.withdrawn_at is null`,
        parameter: version,
      };
    }
    case 'pipeline':
      return {
        ...byFingerprint('f.pipeline_version = $1'),
        evidence: `
          select media_id, series_id from match t where pipeline_version = $1 and withdrawn_at is null
          union all select media_id, series_id from model_match where pipeline_version = $1 and withdrawn_at is null`,
        parameter: version,
      };
  }
}
