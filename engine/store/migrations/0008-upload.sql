-- Material that is handed in over the API, sealed on disk as schemas/sealed-upload.ts says; what is here says how far it is, and never what
-- it holds.
create table upload (
  upload_id uuid primary key default gen_random_uuid(),
  organisation_id text not null references organisation,
  case_id uuid not null references case_file,
  submitted_by uuid not null references principal,
  -- As the submitter named it; never made into a path.
  name text not null check (length(name) between 1 and 1000),
  -- Of a file of a lab tool, what has come or is coming: such tools do not say beforehand how long one is.
  size_bytes bigint not null check (size_bytes >= 0),
  -- Of the whole, as the submitter stated it; of a file of a lab tool null until all of it is there.
  sha256 bytea check (octet_length(sha256) = 32),
  -- Of a file of a lab tool, which knows it by this.
  md5 bytea check (octet_length(md5) = 16),
  modified_at timestamptz,
  -- What is durable: of the content, of the sealed file, and in how many segments.
  received_bytes bigint not null default 0 check (received_bytes <= size_bytes),
  sealed_bytes bigint not null default 0,
  segments integer not null default 0,
  -- receiving: bytes are awaited. complete: whole, and waits for a submission. submitted: part of one. gone: deleted, cancelled or given up.
  state text not null default 'receiving' check (state in ('receiving', 'complete', 'submitted', 'gone')),
  submission_id uuid references submission on delete cascade,
  created_at timestamptz not null default now(),
  touched_at timestamptz not null default now(),
  check (state <> 'submitted' or submission_id is not null),
  check (sha256 is not null or (md5 is not null and state in ('receiving', 'gone')))
);
-- A tool that begins a file anew means the same one.
create unique index upload_tool_file on upload (organisation_id, case_id, md5) where md5 is not null and state in ('receiving', 'complete');
create index upload_listed on upload (organisation_id, created_at desc, upload_id);
create index upload_kept on upload (touched_at) where state <> 'gone';
create index upload_submission on upload (submission_id) where submission_id is not null;

grant select on upload to homeward_member;
alter table upload enable row level security;
-- One's own organisation's alone: until it is submitted it is nobody else's matter.
create policy member on upload for select to homeward_member using (
  (select homeward_setting('scope')) in ('home', 'own', 'cases') and organisation_id = (select homeward_setting('organisation'))
);
