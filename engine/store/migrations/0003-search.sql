-- Search at national scale: what each set is for, changes that search indexes follow, single records withdrawn or suspended, PhotoDNA
-- values as labs supply them, and known material that arrives after the media that it is to be compared with.

-- ---- Sets ----

alter table hash_set
  -- known: material of series. good: files that are nobody's evidence (operating systems, programs). negative: pictures that perceptual
  -- hashes were found to confuse with known ones; near one of these a perceptual hit is contradicted.
  add column purpose text not null default 'known' check (purpose in ('known', 'good', 'negative')),
  -- Largest distance at which its perceptual hashes match, where its source asks for another one than the policy; null: the policy's.
  add column radius_bits smallint check (radius_bits between 0 and 48),
  -- As the source numbers its versions, such as 2026.03.1.
  add column source_version text check (length(source_version) <= 100),
  -- Why a set that is staged waits for a person.
  add column held_reason text check (length(held_reason) <= 1000),
  -- When records were last added to it or withdrawn from it while in force.
  add column updated_at timestamptz;
-- held: staged whole, and brought into force only by a person.
alter table hash_set drop constraint hash_set_state_check;
alter table hash_set add constraint hash_set_state_check
  check (state in ('importing', 'held', 'active', 'superseded', 'removed'));

-- ---- Changes ----

-- The numbers that the records of a set got, as blocks: one for its import and one for each update.
create table known_block (
  first_record_id bigint primary key,
  last_record_id bigint not null,
  set_id bigint not null references hash_set,
  check (first_record_id <= last_record_id)
);
create index known_block_set on known_block (set_id);

-- What came into the search and what left it, in the order of commits: an index held in memory goes from one change_id to the next.
-- added: the records of this set in this range are searched from now on. withdrawn: no record of this range is searched any more.
create table known_change (
  change_id bigint primary key,
  set_id bigint not null,
  kind text not null check (kind in ('added', 'withdrawn')),
  first_record_id bigint not null,
  last_record_id bigint not null,
  at timestamptz not null default now(),
  check (first_record_id <= last_record_id)
);

-- Numbers are given under a lock that is held until the commit, so that whoever has seen number n has seen all before it. Call it last
-- in a transaction: until the commit nobody else can change what is known.
create function note_known_change(changed_set bigint, change_kind text, first_id bigint, last_id bigint) returns bigint
language plpgsql as $$
declare
  number bigint;
begin
  perform pg_advisory_xact_lock(4857002);
  select coalesce(max(change_id), 0) + 1 into number from known_change;
  insert into known_change (change_id, set_id, kind, first_record_id, last_record_id)
  values (number, changed_set, change_kind, first_id, last_id);
  perform pg_notify('homeward_known', number::text);
  return number;
end $$;

-- Which database this is: an index that was saved for another one, or for a state that a restore has undone, is refused.
create table database_identity (
  one boolean primary key default true check (one),
  identity uuid not null default gen_random_uuid()
);
insert into database_identity default values;

-- What was in the database before this table was.
insert into known_block (first_record_id, last_record_id, set_id)
select min(r.record_id), max(r.record_id), r.set_id
  from known_record r join hash_set s on s.set_id = r.set_id and s.state = 'active' group by r.set_id;
select note_known_change(set_id, 'added', first_record_id, last_record_id) from known_block order by first_record_id;

-- ---- Single records ----

-- A record that its source took back while the rest of its set stays in force.
create table known_withdrawal (
  record_id bigint primary key,
  set_id bigint not null references hash_set,
  reason text check (length(reason) <= 1000),
  withdrawn_at timestamptz not null default now()
);

-- A record that hit too many cases that have nothing to do with one another; it is stored and not searched until a person resumes it.
create table known_suspension (
  suspension_id bigint generated always as identity primary key,
  record_id bigint not null,
  set_id bigint not null references hash_set,
  reason text not null check (length(reason) <= 1000),
  suspended_at timestamptz not null default now(),
  resumed_at timestamptz,
  resumed_by text
);
create unique index known_suspension_in_force on known_suspension (record_id) where resumed_at is null;

-- What is searched: records and hashes of sets in force that are not suspended. Every search and every index rests on these two.
create view searched_record as
select r.* from known_record r
  join hash_set s on s.set_id = r.set_id and s.state = 'active'
 where not exists (select from known_suspension x where x.record_id = r.record_id and x.resumed_at is null);
create view searched_bits as
select b.* from known_bits b
  join hash_set s on s.set_id = b.set_id and s.state = 'active'
 where not exists (select from known_suspension x where x.record_id = b.record_id and x.resumed_at is null);

-- ---- Alarms ----

-- An index gave another answer than the scan of the same hashes. Open until a person has acknowledged it.
create table search_alarm (
  alarm_id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  search text not null check (length(search) <= 300),
  detail text not null check (length(detail) <= 1000),
  acknowledged_by text,
  acknowledged_at timestamptz
);

-- ---- Known-good ----

-- Contents that a known-good set has: no evidence, no lead, and never in the way of one. In force while the set is.
create table media_good (
  media_id bigint not null references media on delete cascade,
  set_id bigint not null references hash_set,
  record_id bigint not null,
  method text not null check (method in ('md5', 'sha1', 'sha256')),
  recorded_at timestamptz not null default now(),
  primary key (media_id, record_id)
);
create index media_good_record on media_good (record_id);
create index media_good_set on media_good (set_id);

-- Records go with their set or by themselves; what was said because of them goes along.
create function take_media_good_along() returns trigger language plpgsql as $$
begin
  delete from media_good where record_id in (select record_id from gone);
  return null;
end $$;
create trigger take_media_good_along after delete on known_record
  referencing old table as gone for each statement execute function take_media_good_along();

-- ---- Rematch ----

-- Up to which change of what is known the perceptual hashes were compared when it was recorded; null: not known.
alter table fingerprint add column searched_change_id bigint;

-- One going through of the stored media with the records that came into the search by the changes after one number up to another.
create table rematch (
  rematch_id bigint generated always as identity primary key,
  after_change_id bigint not null,
  last_change_id bigint not null,
  -- The media that were there when it began; whatever is recorded later was searched with these records already.
  last_media_id bigint not null,
  -- How far it came: it goes on behind this number.
  done_media_id bigint not null default 0,
  started_at timestamptz not null default now(),
  finished_at timestamptz,
  check (after_change_id < last_change_id)
);
-- What it found, by set: evidence that was new, the media it was of, and the leads that were opened with it.
create table rematch_set (
  rematch_id bigint not null references rematch,
  set_id bigint not null references hash_set,
  media bigint not null,
  matches bigint not null,
  leads bigint not null,
  primary key (rematch_id, set_id)
);
-- What the records of a set can be found by, as counted when its latest change had this number.
create table hash_set_hashes (
  set_id bigint not null references hash_set on delete cascade,
  change_id bigint not null,
  position smallint not null,
  algorithm text not null check (length(algorithm) <= 60),
  records bigint not null,
  primary key (set_id, algorithm)
);

-- ---- Affected ----

-- A defect was found in what made it: it gives way to the one that the next scan of its material makes.
alter table fingerprint add column remake boolean not null default false;
create index fingerprint_remake on fingerprint (media_id) where remake;

-- ---- Shards ----

-- Other PostgreSQL servers that hold copies of what is searched and take their part of a scan. What is here stays the truth: a copy may be lost
-- or thrown away at any time. The foreign tables are made by `homeward db shard add`, in the schema homeward_shard.
create table known_shard (
  -- Its partition, from 0, and the number in the names of its foreign tables.
  shard_number smallint primary key check (shard_number between 0 and 63),
  name text not null unique check (name ~ '^[a-z][a-z0-9-]{0,30}$'),
  host text not null,
  port integer not null,
  database text not null,
  added_at timestamptz not null default now()
);

-- ---- Changes to a set in force ----

-- A set in force changes by deltas without being loaded anew: its version stays, its revision rises by one with each. What it held at
-- revision n is its file (content_sha256) and the first n of these files, in their order.
alter table hash_set add column revision integer not null default 0 check (revision >= 0);
create table hash_set_revision (
  set_id bigint not null references hash_set,
  revision integer not null check (revision > 0),
  -- SHA-256 of the delta as received.
  content_sha256 bytea not null check (octet_length(content_sha256) = 32),
  format text not null,
  format_version text,
  added bigint not null,
  recategorised bigint not null,
  replaced bigint not null,
  withdrawn bigint not null,
  -- Withdrawals that named no record, rejected records by reason, and what else was noted.
  counts jsonb not null,
  applied_at timestamptz not null default now(),
  applied_by text not null,
  primary key (set_id, revision),
  unique (set_id, content_sha256)
);

-- The state of the set that a piece of evidence was found in; 0: as its file was imported. No set had another one before.
alter table match add column set_revision integer not null default 0;
alter table match alter column set_revision drop default;
create function note_set_revision() returns trigger language plpgsql as $$
begin
  select revision into new.set_revision from hash_set where set_id = new.set_id;
  return new;
end $$;
create trigger note_set_revision before insert on match
  for each row when (new.set_revision is null) execute function note_set_revision();

-- Evidence of a record that comes back, or that its source has put in another series, is a second row beside the withdrawn one.
drop index match_evidence;
create unique index match_evidence on match (media_id, record_id, method, mode, pipeline_version) where withdrawn_at is null;
create index match_record on match (record_id);

-- ---- PhotoDNA ----

-- Values that labs supply, never computed here, compared with each other by Euclidean distance. Several of one record are its
-- orientations as supplied. No index: an approximate one misses, and a missed match can be a child who is not found.
create table known_photodna (
  record_id bigint not null,
  set_id bigint not null,
  orientation smallint not null check (orientation between 0 and 15),
  value vector(144) not null
);
create index known_photodna_record on known_photodna (record_id);
create index known_photodna_set on known_photodna (set_id);
create or replace function take_known_bits_along() returns trigger language plpgsql as $$
begin
  delete from known_bits where record_id in (select record_id from gone);
  delete from known_photodna where record_id in (select record_id from gone);
  return null;
end $$;
create view searched_photodna as
select p.* from known_photodna p
  join hash_set s on s.set_id = p.set_id and s.state = 'active'
 where not exists (select from known_suspension x where x.record_id = p.record_id and x.resumed_at is null);

-- ---- Sets that are poisoned or careless ----

-- How many unrelated cases a suspended record had hit, and why it was taken back into the search. One that a person resumed is not
-- suspended by the same rule again.
alter table known_suspension add column cases integer;
alter table known_suspension add column resume_reason text check (length(resume_reason) <= 2000);
create index known_suspension_record on known_suspension (record_id);

-- A perceptual hit of a picture that also lies near one of a negative set (or is one, by its digest) makes no lead by itself.
alter table match add column contradicted_by_set bigint references hash_set;
alter table match add column contradicted_by_record bigint;
-- Bits between the picture and the negative one; 0 where they are the same file.
alter table match add column contradicted_distance_bits smallint;
