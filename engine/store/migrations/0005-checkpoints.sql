-- Signed checkpoints of the audit, copies of those of other organisations, and alarms.

-- Public halves only: the signing key is a file.
create table audit_key (
  key_id text primary key check (key_id ~ '^[0-9a-f]{64}$'),
  -- Canonical JSON: what is signed by the key itself, and by the key before it.
  canonical text not null check (length(canonical) <= 1000),
  signature bytea not null check (octet_length(signature) = 64),
  previous_key_id text references audit_key,
  -- Null for the first key, and where the one before was lost.
  endorsement bytea check (octet_length(endorsement) = 64),
  first_at timestamptz not null,
  last_at timestamptz
);
-- One key is in use at a time.
create unique index audit_key_in_use on audit_key ((true)) where last_at is null;

create table audit_checkpoint (
  organisation text not null,
  -- How many entries it covers: the sequence of the last one.
  sequence bigint not null check (sequence > 0),
  at timestamptz not null,
  -- Canonical JSON: what is signed.
  canonical text not null check (length(canonical) <= 4000),
  digest bytea not null check (octet_length(digest) = 32),
  signature bytea not null check (octet_length(signature) = 64),
  key_id text not null references audit_key,
  -- Roots of the whole subtrees, the largest first: the next checkpoint goes on from them.
  frontier bytea not null check (octet_length(frontier) % 32 = 0 and octet_length(frontier) <= 53 * 32),
  -- Consistency with the checkpoint before it.
  proof bytea not null check (octet_length(proof) % 32 = 0 and octet_length(proof) <= 110 * 32),
  -- When its copy was written into the drop folder.
  dropped_at timestamptz,
  primary key (organisation, sequence)
);
create index audit_checkpoint_undropped on audit_checkpoint (organisation, sequence) where dropped_at is null;

-- Copies of checkpoints that this installation keeps for another one.
create table audit_witness (
  witness_id bigint generated always as identity primary key,
  organisation text not null,
  sequence bigint not null check (sequence > 0),
  digest bytea not null check (octet_length(digest) = 32),
  -- The line as it was received.
  line text not null check (length(line) <= 20000),
  received_at timestamptz not null default now(),
  unique (organisation, sequence, digest)
);

create table audit_alarm (
  alarm_id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  kind text not null check (kind in ('clockSteppedBack', 'checkpointFailed', 'witnessConflict')),
  organisation text not null,
  sequence bigint not null,
  detail text not null check (length(detail) <= 1000),
  cleared_by text,
  cleared_at timestamptz,
  justification text check (length(justification) <= 2000)
);
create index audit_alarm_open on audit_alarm (kind) where cleared_at is null;
