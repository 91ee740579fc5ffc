-- What came of a list of hashes that was handed in: of each record that is known, a variant, or could not be compared. What is not listed is
-- not known. Of the record itself nothing but its source's own reference; matches are described anew whenever they are told.
create table hash_answer (
  submission_id uuid not null references submission on delete cascade,
  -- Of the usable records of the list, from 1.
  number bigint not null check (number > 0),
  source_key text check (length(source_key) <= 200),
  answer text not null check (answer in ('known', 'variant', 'unknown')),
  incomplete boolean not null,
  -- Methods, with commas between them.
  searched text not null,
  -- Method, algorithm, distance, threshold and record of each hit, the nearest first.
  found jsonb not null,
  primary key (submission_id, number)
);

-- Head of the report of a submission as its last run made it: figures, sets, custody, and no item.
create table submission_report (
  submission_id uuid primary key references submission on delete cascade,
  head jsonb not null,
  made_at timestamptz not null default now()
);
