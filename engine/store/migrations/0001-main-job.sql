-- The main job: batches, media, fingerprints, known records, matches, audit.
-- Works on PostgreSQL 15 to 18 and on PGlite with pgvector >= 0.8. No column can hold imagery: bytea columns are digests,
-- hashes or raw file names and every one of them is bounded.

create extension if not exists vector;

create table batch (
  batch_id uuid primary key,
  -- SHA-256 over case, exhibit, organisation, mode and the roots: scanning the same thing again finds this batch again.
  identity bytea not null unique check (octet_length(identity) = 32),
  case_ref text not null,
  exhibit_ref text not null,
  organisation text not null,
  actor text not null,
  mode text not null check (mode in ('exact', 'fast')),
  roots jsonb not null,
  pipeline_version text not null,
  hashes_stage text not null default 'pending' check (hashes_stage in ('pending', 'interrupted', 'complete')),
  models_stage text not null default 'pending' check (models_stage in ('pending', 'interrupted', 'complete')),
  started_at timestamptz not null,
  finished_at timestamptz
);

create table media (
  media_id bigint generated always as identity primary key,
  sha256 bytea not null unique check (octet_length(sha256) = 32),
  sha1 bytea not null check (octet_length(sha1) = 20),
  md5 bytea not null check (octet_length(md5) = 16),
  size_bytes bigint not null check (size_bytes >= 0),
  type text not null check (length(type) <= 100),
  created_at timestamptz not null default now()
);

create table fingerprint (
  media_id bigint not null references media on delete cascade,
  pipeline_version text not null,
  mode text not null check (mode in ('exact', 'fast')),
  outcome text not null check (outcome in ('done', 'partial', 'rejected', 'notExamined', 'failed')),
  reason text,
  reason_detail text check (length(reason_detail) <= 300),
  width_pixels integer,
  height_pixels integer,
  decoder text check (length(decoder) <= 80),
  reduction_factor smallint,
  frames integer,
  trailing_bytes bigint,
  -- The eight dihedral hashes of each flavour, 32 bytes each in the order of ORIENTATIONS; the first is the hash itself.
  pdq_512_dihedral bytea check (octet_length(pdq_512_dihedral) = 256),
  pdq_512_quality smallint,
  pdq_full_dihedral bytea check (octet_length(pdq_full_dihedral) = 256),
  pdq_full_quality smallint,
  blockhash bit(256),
  blockhash_variant text,
  -- The longest capture that the schema lets through takes some 19 kB, all of it four-byte characters: a bound below that would let
  -- one file fail the transaction of two hundred.
  capture jsonb check (pg_column_size(capture) < 32768),
  created_at timestamptz not null default now(),
  primary key (media_id, pipeline_version, mode)
);

create table item (
  item_id bigint generated always as identity primary key,
  batch_id uuid not null references batch on delete cascade,
  -- SHA-256 over the raw path and, in an archive, the entry's index: names may repeat there and may be too long for an index.
  path_key bytea not null check (octet_length(path_key) = 32),
  path bytea not null check (octet_length(path) <= 16384),
  container_path_key bytea check (octet_length(container_path_key) = 32),
  media_id bigint references media,
  size_bytes bigint,
  modified_at timestamptz,
  type text not null check (length(type) <= 100),
  outcome text not null check (outcome in ('done', 'partial', 'rejected', 'notExamined', 'failed')),
  reason text,
  reason_detail text check (length(reason_detail) <= 300),
  created_at timestamptz not null default now()
);
-- One item for one content at one place; a changed file at the same place is another item.
create unique index item_place on item (batch_id, path_key, coalesce(media_id, 0));
create index item_media on item (media_id);

create table hash_set (
  set_id bigint generated always as identity primary key,
  source text not null check (length(source) <= 200),
  name text not null check (length(name) <= 200),
  version integer not null,
  -- SHA-256 of the file as received.
  content_sha256 bytea not null check (octet_length(content_sha256) = 32),
  format text not null,
  format_version text,
  category_scheme text not null,
  state text not null check (state in ('importing', 'active', 'superseded', 'removed')),
  record_count bigint not null default 0,
  -- Rejected records by reason, and what else the import noted.
  counts jsonb not null default '{}',
  imported_at timestamptz not null default now(),
  imported_by text not null,
  unique (source, name, version)
);
create unique index hash_set_in_force on hash_set (source, name) where state = 'active';

create table series (
  series_id bigint generated always as identity primary key,
  source text not null check (length(source) <= 200),
  name text not null check (length(name) <= 300),
  created_at timestamptz not null default now(),
  unique (source, name)
);

-- Millions of rows come in one statement here. What points from them elsewhere is therefore no foreign key, which would be looked
-- up row by row and takes more than half of the time of an import, but is kept from both ends: only the importer writes here, with
-- the set that it has locked, series that it has joined and records that it has numbered itself, and the triggers below refuse to
-- let a set or series go that has records and take the hashes of a record along with it.
create table known_record (
  record_id bigint generated always as identity primary key,
  set_id bigint not null,
  source_key text,
  md5 bytea check (octet_length(md5) = 16),
  sha1 bytea check (octet_length(sha1) = 20),
  sha256 bytea check (octet_length(sha256) = 32),
  size_bytes bigint,
  category_code text,
  series_id bigint,
  tags text,
  -- Five flags, two bits each: present, value (victim identified, offender identified, distributed, precategorised, suspected).
  flags smallint not null default 0
);
create index known_record_set on known_record (set_id);
-- A record is found by its strongest digest alone (a SHA-256 that differs is another file, whatever its MD5 says), so each is in
-- one of these: the index of a digest is the dearest part of a record.
create index known_record_md5 on known_record (md5) where md5 is not null and sha1 is null and sha256 is null;
create index known_record_sha1 on known_record (sha1) where sha1 is not null and sha256 is null;
create index known_record_sha256 on known_record (sha256) where sha256 is not null;
create index known_record_series on known_record (series_id) where series_id is not null;

create table known_bits (
  record_id bigint not null,
  set_id bigint not null,
  -- pdq (flavour not named by the source), pdq-512, pdq-full, blockhash-256-r512
  algorithm text not null,
  bits bit(256) not null,
  quality smallint
);
create index known_bits_record on known_bits (record_id);
create index known_bits_algorithm on known_bits (algorithm, set_id);

create function take_known_bits_along() returns trigger language plpgsql as $$
begin
  delete from known_bits where record_id in (select record_id from gone);
  return null;
end $$;
create trigger take_known_bits_along after delete on known_record
  referencing old table as gone for each statement execute function take_known_bits_along();

create function keep_set_of_known_records() returns trigger language plpgsql as $$
begin
  if exists (select from known_record where set_id = old.set_id) then
    raise foreign_key_violation using message = 'a hash set that has known records must stay';
  end if;
  return old;
end $$;
create trigger keep_set_of_known_records before delete on hash_set
  for each row execute function keep_set_of_known_records();

create function keep_series_of_known_records() returns trigger language plpgsql as $$
begin
  if exists (select from known_record where series_id = old.series_id) then
    raise foreign_key_violation using message = 'a series that has known records must stay';
  end if;
  return old;
end $$;
create trigger keep_series_of_known_records before delete on series
  for each row execute function keep_series_of_known_records();

create table match (
  match_id bigint generated always as identity primary key,
  media_id bigint not null references media on delete cascade,
  -- What the evidence rested on at the time, kept when the record is withdrawn.
  set_id bigint not null references hash_set,
  record_id bigint not null,
  method text not null check (method in ('md5', 'sha1', 'sha256', 'pdq', 'blockhash')),
  algorithm text not null,
  mode text not null check (mode in ('exact', 'fast')),
  pipeline_version text not null,
  distance_bits smallint not null,
  threshold_bits smallint not null,
  orientation text,
  flavour text,
  expected_false_matches double precision,
  series_id bigint references series,
  category_code text,
  created_at timestamptz not null default now(),
  withdrawn_at timestamptz
);
create unique index match_evidence on match (media_id, record_id, method, mode, pipeline_version);
create index match_set on match (set_id);

create table audit_entry (
  organisation text not null,
  sequence bigint not null,
  at timestamptz not null,
  -- The entry as it was hashed (canonical JSON), so that a verifier needs nothing else.
  entry jsonb not null,
  canonical text not null,
  hash bytea not null check (octet_length(hash) = 32),
  primary key (organisation, sequence)
);
