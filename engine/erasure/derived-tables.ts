/**
 * Every table of the database and what becomes of it when a case is erased. A test holds this against the tables there are: one that is
 * made later and forgotten here would keep what was to go.
 */

/** Rows made of seized material go, and what is left is written anew, so that no page and no index holds what went. */
export const DERIVED_TABLES = [
  'batch',
  'item',
  'media',
  'fingerprint',
  'match',
  'media_good',
  'embedding_run',
  'face',
  'face_vector',
  'picture_vector',
  'picture_keypoints',
  'picture_score',
  'model_match',
  'seen_device',
  'camera',
  'subject',
  'place',
  'series',
  'series_media',
  'subject_face',
  'place_media',
  'series_link',
  'lead',
  'disposition',
  'candidate_series',
  'candidate_media',
  'candidate_reason',
  'candidate_change',
  'custody_event',
] as const;

/** What stays, and why nothing of the material is in it. */
export const KEPT_TABLES: Readonly<Record<string, string>> = {
  schema_migration: 'versions of the tables',
  hash_set: 'sets of known material as their sources sent them',
  hash_set_revision: 'deltas to them',
  hash_set_hashes: 'counts of their hashes',
  known_record: 'records of sets, none of which is made of a batch by the engine',
  known_bits: 'as known_record',
  known_photodna: 'as known_record',
  known_block: 'numbers of records',
  known_change: 'numbers of records',
  known_withdrawal: 'numbers of records',
  known_suspension: 'numbers of records, and how many cases they hit',
  known_shard: 'addresses of servers; their copies are named to the operator',
  embedding_space: 'versions of packs',
  series_change: 'numbers of rows, no content',
  method_pause: 'counts of decisions',
  search_alarm: 'names of searches and counts',
  rematch: 'numbers of media',
  rematch_set: 'counts',
  database_identity: 'a number of this database',
  audit_entry: 'who did what and why: identifiers and commitments, never hashes, paths or vectors',
  retention_rule: 'times',
  case_closure: 'counts and the commitment',
  retention_decision: 'decisions of people',
};
