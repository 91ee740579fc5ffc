-- ---- Batches that were submitted ----

-- What was accepted stays here until it is done or cancelled, whatever process ends meanwhile.
create table submission (
  submission_id uuid primary key default gen_random_uuid(),
  organisation_id text not null references organisation,
  case_id uuid not null references case_file,
  submitted_by uuid not null references principal,
  -- Who asks again with this key gets this one again, and nothing twice.
  idempotency_key text not null check (length(idempotency_key) between 1 and 100),
  kind text not null check (kind in ('seizure', 'report', 'referral')),
  -- Life at risk: goes before everything that waits, and what is under way steps aside for it.
  urgent boolean not null,
  exhibit_ref text not null check (length(exhibit_ref) between 1 and 200),
  mode text not null check (mode in ('exact', 'fast')),
  models boolean not null,
  -- A name of a configured evidence root and a path below it.
  root text not null check (length(root) between 1 and 60),
  path text not null check (length(path) <= 4096),
  state text not null default 'waiting' check (state in ('waiting', 'running', 'complete', 'failed', 'cancelled')),
  cancel_asked_at timestamptz,
  -- The batch it became, once it was begun.
  batch_id uuid references batch on delete set null,
  failure_code text check (length(failure_code) <= 60),
  -- As schemas/progress.ts says; of a batch that is done as it was at its end.
  counts jsonb,
  -- Rises with every change, so that who polls knows whether there is news.
  revision bigint not null default 1,
  submitted_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  unique (submitted_by, idempotency_key),
  check ((state = 'failed') = (failure_code is not null)),
  check ((state in ('complete', 'failed', 'cancelled')) = (finished_at is not null))
);
create index submission_waiting on submission (urgent desc, submitted_at) where state = 'waiting';
create index submission_listed on submission (organisation_id, submitted_at desc, submission_id);
create index submission_batch on submission (batch_id) where batch_id is not null;

grant select on submission to homeward_member;
alter table submission enable row level security;
-- As of batches: what a case of ours or a joint one holds, and what one's own organisation submitted.
create policy member on submission for select to homeward_member using (
  (select homeward_setting('scope')) = 'home'
  or ((select homeward_setting('scope')) in ('own', 'cases') and organisation_id = (select homeward_setting('organisation')))
  or ((select homeward_setting('scope')) = 'cases' and case_id in (select member_cases()))
);

-- ---- Look-ups by MD5 or SHA-1 alone ----

-- Labs often have no more. A record with a stronger digest is in no index of the weaker one, and going through all of them takes seconds.
create index known_record_weaker_md5 on known_record (md5) where md5 is not null and (sha1 is not null or sha256 is not null);
create index known_record_weaker_sha1 on known_record (sha1) where sha1 is not null and sha256 is not null;

-- ---- Answers to requests that change something, by the key of who asked ----

-- Who asks again with a key gets the answer of the first time. Without an answer the request was begun and nobody knows how it ended.
create table idempotent_answer (
  principal_id uuid not null references principal on delete cascade,
  idempotency_key text not null check (length(idempotency_key) between 8 and 100),
  -- Over method, address and body: a key is for one request.
  request_sha256 bytea not null check (octet_length(request_sha256) = 32),
  begun_at timestamptz not null default now(),
  status smallint check (status between 200 and 499),
  -- Null where the answer is never told twice, such as a new key.
  answer text check (length(answer) <= 100000),
  primary key (principal_id, idempotency_key)
);
create index idempotent_answer_age on idempotent_answer (begun_at);

-- ---- Exports of whole hash sets: one person asks, another one lets it go ----

create table export_request (
  export_id uuid primary key default gen_random_uuid(),
  set_id bigint not null references hash_set,
  -- To whom it goes.
  organisation_id text not null references organisation,
  asked_by uuid not null references principal,
  justification text not null check (length(justification) between 1 and 2000),
  asked_at timestamptz not null default now(),
  approved_by uuid references principal,
  approved_at timestamptz,
  check ((approved_by is null) = (approved_at is null)),
  constraint export_second_person check (approved_by <> asked_by)
);
create index export_request_listed on export_request (asked_at desc, export_id);
