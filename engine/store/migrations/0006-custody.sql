-- Hand-overs of material, retention and erasure.

-- ---- Custody ----

-- One hand-over of an exhibit, or its taking over by a scan. Events of a case are chained: each hash covers the event and the hash before it.
create table custody_event (
  custody_id bigint generated always as identity primary key,
  organisation text not null check (length(organisation) <= 200),
  case_ref text not null check (length(case_ref) <= 200),
  -- 1, 2, 3 ... without gap within the case.
  sequence bigint not null check (sequence > 0),
  exhibit_ref text not null check (length(exhibit_ref) <= 200),
  -- No foreign key: the event stays when its batch is erased.
  batch_id uuid,
  handed_from text not null check (length(handed_from) <= 200),
  handed_to text not null check (length(handed_to) <= 200),
  place text not null check (length(place) <= 200),
  -- When it was handed over, as whoever records it says.
  at timestamptz not null,
  reason text not null check (length(reason) <= 1000),
  -- What the digests are of: the bytes of one file, or the manifest of the items of a batch (engine/custody/manifest.ts).
  digest_of text check (digest_of in ('file', 'manifest')),
  -- SHA-256 over the roots of the batch: manifests of different roots are not compared. Null: told by a person.
  source_key bytea check (octet_length(source_key) = 32),
  sha256_before bytea check (octet_length(sha256_before) = 32),
  sha256_after bytea check (octet_length(sha256_after) = 32),
  tool text not null check (length(tool) <= 100),
  tool_version text not null check (length(tool_version) <= 100),
  recorded_by text not null check (length(recorded_by) <= 200),
  recorded_at timestamptz not null,
  -- Goes with the digests when the case is erased, so that the hash that stays gives nothing of them away.
  salt bytea check (octet_length(salt) = 16),
  previous_hash bytea not null check (octet_length(previous_hash) = 32),
  hash bytea not null check (octet_length(hash) = 32),
  erased_at timestamptz,
  unique (organisation, case_ref, sequence),
  check ((erased_at is null) = (salt is not null)),
  check (digest_of is not null or (sha256_before is null and sha256_after is null))
);
create index custody_event_exhibit on custody_event (organisation, case_ref, exhibit_ref, sequence);

-- Append-only. The one change there is takes the digests and their salt out of an event, all at once and for good.
create function keep_custody() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and old.erased_at is null and new.erased_at is not null
     and new.salt is null and new.sha256_before is null and new.sha256_after is null and new.source_key is null
     and to_jsonb(new) - '{erased_at,salt,sha256_before,sha256_after,source_key}'::text[]
       = to_jsonb(old) - '{erased_at,salt,sha256_before,sha256_after,source_key}'::text[] then
    return new;
  end if;
  raise exception 'custody events are only added to' using errcode = 'integrity_constraint_violation';
end $$;
create trigger keep_custody before update or delete on custody_event
  for each row execute function keep_custody();
create trigger keep_custody_whole before truncate on custody_event
  for each statement execute function keep_custody();

-- When an item was seen last by a scan: a manifest is of what was there, not of what was there once.
alter table item add column seen_at timestamptz not null default now();

-- ---- Retention ----

-- After how long a case is looked at again, by how it was closed; open: while it is not closed. A unit sets its own law here.
create table retention_rule (
  outcome text primary key check (outcome in ('open', 'no-further-action', 'prosecuted', 'convicted', 'acquitted', 'referred')),
  review_after_days integer not null check (review_after_days between 1 and 36500)
);
insert into retention_rule values ('open', 365), ('no-further-action', 2190), ('prosecuted', 2190), ('convicted', 3650), ('acquitted', 365), ('referred', 2190);

-- How a case was closed. Several in a row where it was opened again by new material.
create table case_closure (
  closure_id bigint generated always as identity primary key,
  organisation text not null check (length(organisation) <= 200),
  case_ref text not null check (length(case_ref) <= 200),
  outcome text not null
    check (outcome in ('no-offence', 'review', 'no-further-action', 'prosecuted', 'convicted', 'acquitted', 'referred')),
  justification text not null check (length(justification) between 1 and 2000),
  closed_by text not null check (length(closed_by) <= 200),
  closed_at timestamptz not null default now(),
  -- When it is looked at again; null where it is erased.
  review_at timestamptz,
  -- Null where nothing is erased. deleted: the rows are gone, their bytes are not. rewritten: nor are they in tables and indexes.
  -- done: nor in the log.
  erasure text check (erasure in ('deleted', 'rewritten', 'done')),
  -- The transaction that deleted: what is older may still see the rows.
  deleted_by_transaction text,
  -- Rows that went, by table, and SHA-256 over the numbers of batches, items and media in their order (engine/erasure/commitment.ts).
  counts jsonb,
  commitment bytea check (octet_length(commitment) = 32),
  -- The last backup that holds it is gone by then.
  backups_gone_by date,
  -- What the engine could not reach.
  left_to_operator jsonb,
  erased_at timestamptz,
  check ((erasure is null) = (commitment is null)),
  check ((erasure is null) = (outcome not in ('no-offence', 'review')))
);
create index case_closure_case on case_closure (organisation, case_ref, closure_id);

-- What was decided at a review: kept until, or erased.
create table retention_decision (
  decision_id bigint generated always as identity primary key,
  organisation text not null check (length(organisation) <= 200),
  case_ref text not null check (length(case_ref) <= 200),
  decision text not null check (decision in ('keep', 'erase')),
  keep_until date,
  justification text not null check (length(justification) between 1 and 2000),
  decided_by text not null check (length(decided_by) <= 200),
  decided_at timestamptz not null default now(),
  check ((decision = 'keep') = (keep_until is not null))
);
create index retention_decision_case on retention_decision (organisation, case_ref, decision_id);

-- ---- Erasure ----

-- What goes with a media is looked up by it, once for each that goes: without these each look-up would read the whole table.
create index match_media on match (media_id);
create index model_match_media on model_match (media_id);
create index model_match_face on model_match (face_id) where face_id is not null;
create index model_match_known_face on model_match (known_face_id) where known_face_id is not null;
create index model_match_known_media on model_match (known_media_id) where known_media_id is not null;
create index series_media_media on series_media (media_id);
create index place_media_media on place_media (media_id);
create index candidate_reason_media on candidate_reason (media_id);
create index candidate_reason_other on candidate_reason (other_media_id);
