-- Who may do what: organisations, agreements, principals, purposes, cases; and the policies of rows.

-- ---- Organisations and agreements ----

create table organisation (
  -- Short, and safe to stand in the settings of a transaction: ORGANISATION_PATTERN of schemas/access.ts.
  organisation_id text primary key check (organisation_id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  -- As batches and hash sets name it.
  name text not null unique check (length(name) between 1 and 200),
  -- The one that runs the engine.
  home boolean not null default false,
  -- Whom a partner that gets yes or no has to ask; a desk, never a person.
  contact_reference text check (length(contact_reference) <= 200),
  added_by text not null check (length(added_by) between 1 and 200),
  added_at timestamptz not null default now()
);
create unique index organisation_home on organisation (home) where home;

-- Reviewed by a person before it is used; free text is no purpose.
create table purpose_code (
  code text primary key check (code ~ '^[a-z][a-z0-9-]{1,39}$'),
  description text not null check (length(description) between 1 and 500),
  reviewed_by text not null check (length(reviewed_by) between 1 and 200),
  reviewed_on date not null,
  added_by text not null check (length(added_by) between 1 and 200),
  added_at timestamptz not null default now(),
  retired_at timestamptz
);

create table agreement (
  agreement_id uuid primary key default gen_random_uuid(),
  organisation_id text not null references organisation,
  tier text not null check (tier in ('embedded', 'accredited', 'associated')),
  modalities text[] not null check (modalities <@ array['digest', 'perceptual', 'face', 'place']),
  highest_tlp text not null check (highest_tlp in ('CLEAR', 'GREEN', 'AMBER', 'AMBER+STRICT', 'RED')),
  fields text[] not null check (fields <@ array['distance', 'perceptualHash', 'category', 'seriesName']),
  -- What of the partner's is purged when it ends and no other one is in force.
  purges text[] not null default '{}' check (purges <@ array['sets', 'material']),
  daily_quota bigint not null check (daily_quota >= 0),
  per_minute bigint not null check (per_minute >= 0),
  -- Days in UTC, both included.
  first_day date not null,
  last_day date not null,
  proposed_by text not null check (length(proposed_by) between 1 and 200),
  proposed_at timestamptz not null default now(),
  -- The evaluation: the criteria as written, with their edition, and what came of them.
  criteria text check (length(criteria) between 1 and 500),
  evaluation text check (length(evaluation) between 1 and 4000),
  evaluated_by text check (length(evaluated_by) between 1 and 200),
  evaluated_at timestamptz,
  review_on date,
  activated_by text check (length(activated_by) between 1 and 200),
  activated_at timestamptz,
  revoked_by text check (length(revoked_by) between 1 and 200),
  revoked_at timestamptz,
  revoked_reason text check (length(revoked_reason) between 1 and 1000),
  constraint agreement_days check (first_day <= last_day),
  constraint agreement_evaluated_whole check (num_nulls(criteria, evaluation, evaluated_by, evaluated_at, review_on) in (0, 5)),
  constraint agreement_review_in_time check (review_on is null or review_on <= last_day),
  constraint agreement_active_when_evaluated
    check (activated_at is null or (evaluated_at is not null and review_on is not null and activated_by is not null)),
  -- As with money: who proposes does not also let it in. Letter case and blanks make nobody another person.
  constraint agreement_second_person check (activated_by is null or lower(btrim(activated_by)) <> lower(btrim(proposed_by))),
  constraint agreement_revoked_whole check (num_nulls(revoked_by, revoked_at, revoked_reason) in (0, 3))
);
create index agreement_organisation on agreement (organisation_id);
create table agreement_purpose (
  agreement_id uuid not null references agreement on delete cascade,
  code text not null references purpose_code,
  primary key (agreement_id, code)
);

-- What was agreed does not change once it was evaluated: another agreement takes its place.
create function keep_agreement_terms() returns trigger language plpgsql as $$
begin
  if old.evaluated_at is not null
    and (old.organisation_id, old.tier, old.modalities, old.highest_tlp, old.fields, old.purges, old.daily_quota, old.per_minute, old.first_day, old.last_day,
         old.proposed_by, old.criteria, old.evaluation, old.evaluated_by, old.evaluated_at, old.review_on)
        is distinct from
        (new.organisation_id, new.tier, new.modalities, new.highest_tlp, new.fields, new.purges, new.daily_quota, new.per_minute, new.first_day, new.last_day,
         new.proposed_by, new.criteria, new.evaluation, new.evaluated_by, new.evaluated_at, new.review_on) then
    raise check_violation using message = 'the terms of an evaluated agreement do not change', constraint = 'agreement_terms_kept';
  end if;
  if old.revoked_at is not null and (old.revoked_at, old.revoked_by, old.revoked_reason) is distinct from (new.revoked_at, new.revoked_by, new.revoked_reason) then
    raise check_violation using message = 'a revoked agreement stays revoked', constraint = 'agreement_stays_revoked';
  end if;
  return new;
end $$;
create trigger keep_agreement_terms before update on agreement for each row execute function keep_agreement_terms();
create function keep_agreement_purposes() returns trigger language plpgsql as $$
declare
  changed uuid := case when tg_op = 'DELETE' then old.agreement_id else new.agreement_id end;
begin
  if exists (select from agreement where agreement_id = changed and evaluated_at is not null) then
    raise check_violation using message = 'the purposes of an evaluated agreement do not change', constraint = 'agreement_terms_kept';
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end $$;
create trigger keep_agreement_purposes before insert or update or delete on agreement_purpose
  for each row execute function keep_agreement_purposes();

-- The purge of an agreement that ended; begun again until it is finished.
create table agreement_purge (
  agreement_id uuid primary key references agreement on delete cascade,
  started_at timestamptz not null default now(),
  finished_at timestamptz,
  sets integer not null default 0,
  cases integer not null default 0
);

-- ---- Principals ----

create table principal (
  principal_id uuid primary key default gen_random_uuid(),
  organisation_id text not null references organisation,
  kind text not null check (kind in ('person', 'key', 'certificate', 'administrator')),
  label text not null check (length(label) between 1 and 200),
  roles text[] not null check (
    roles <@ array['specialist', 'lab', 'partner', 'supervisor', 'auditor', 'administrator'] and cardinality(roles) between 1 and 6
  ),
  added_by text not null check (length(added_by) between 1 and 200),
  added_at timestamptz not null default now(),
  ended_at timestamptz,
  unique (organisation_id, label),
  -- Who administers decides nothing in cases, and who audits does nothing else.
  constraint principal_administers_alone check (not 'administrator' = any (roles) or roles <@ array['administrator']),
  constraint principal_audits_alone check (not 'auditor' = any (roles) or roles <@ array['auditor']),
  constraint principal_granted_by_another check (lower(btrim(added_by)) <> lower(btrim(label)))
);

-- The key is hw_<key_id>_<secret>; of the secret there is the scrypt hash alone.
create table api_key (
  key_id text primary key check (key_id ~ '^[0-9a-f]{16}$'),
  principal_id uuid not null references principal,
  salt bytea not null check (octet_length(salt) = 16),
  hash bytea not null check (octet_length(hash) = 32),
  scrypt_cost integer not null check (scrypt_cost between 1024 and 1048576),
  -- Its scope: what of the principal's roles it may use.
  roles text[] not null check (cardinality(roles) between 1 and 6),
  -- Of a tool that cannot state why it asks: recorded with all that it hands in, and good for nothing else.
  standing_purpose text references purpose_code,
  standing_justification text check (length(standing_justification) between 10 and 2000),
  created_by text not null check (length(created_by) between 1 and 200),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  check ((standing_purpose is null) = (standing_justification is null)),
  revoked_by text check (length(revoked_by) between 1 and 200),
  revoked_at timestamptz
);
create index api_key_principal on api_key (principal_id);

-- Client certificates by the SHA-256 of their DER form; who issued them is checked by the TLS layer.
create table certificate (
  sha256 bytea primary key check (octet_length(sha256) = 32),
  principal_id uuid not null references principal,
  added_by text not null check (length(added_by) between 1 and 200),
  added_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_by text check (length(revoked_by) between 1 and 200),
  revoked_at timestamptz
);

-- People as an OpenID Connect issuer names them.
create table subject_login (
  issuer text not null check (length(issuer) between 1 and 500),
  subject text not null check (length(subject) between 1 and 255),
  principal_id uuid not null references principal,
  added_by text not null check (length(added_by) between 1 and 200),
  added_at timestamptz not null default now(),
  revoked_by text check (length(revoked_by) between 1 and 200),
  revoked_at timestamptz,
  primary key (issuer, subject)
);

-- ---- Changes of access ----

-- Rises with every change of who may do what; nodes that remember a member ask for this number alone.
create table access_revision (
  one boolean primary key default true check (one),
  revision bigint not null default 0
);
insert into access_revision default values;
create function note_access_change() returns trigger language plpgsql as $$
declare
  number bigint;
begin
  update access_revision set revision = revision + 1 returning revision into number;
  perform pg_notify('homeward_access', number::text);
  return null;
end $$;
create trigger note_access_change after insert or update or delete or truncate on organisation
  for each statement execute function note_access_change();
create trigger note_access_change after insert or update or delete or truncate on agreement
  for each statement execute function note_access_change();
create trigger note_access_change after insert or update or delete or truncate on agreement_purpose
  for each statement execute function note_access_change();
create trigger note_access_change after insert or update or delete or truncate on principal
  for each statement execute function note_access_change();
create trigger note_access_change after insert or update or delete or truncate on api_key
  for each statement execute function note_access_change();
create trigger note_access_change after insert or update or delete or truncate on certificate
  for each statement execute function note_access_change();
create trigger note_access_change after insert or update or delete or truncate on subject_login
  for each statement execute function note_access_change();

-- ---- Cases ----

create table case_file (
  case_id uuid primary key default gen_random_uuid(),
  organisation_id text not null references organisation,
  -- As batches name it.
  case_ref text not null check (length(case_ref) between 1 and 200),
  state text not null default 'open' check (state in ('open', 'closed')),
  -- Of several organisations, until its last day (UTC, included).
  joint boolean not null default false,
  last_day date,
  opened_by text not null check (length(opened_by) between 1 and 200),
  opened_at timestamptz not null default now(),
  closed_by text check (length(closed_by) between 1 and 200),
  closed_at timestamptz,
  outcome text check (length(outcome) <= 100),
  unique (organisation_id, case_ref),
  constraint case_joint_ends check (not joint or last_day is not null),
  constraint case_closed_whole check ((state = 'closed') = (closed_at is not null))
);
create table case_member (
  case_id uuid not null references case_file on delete cascade,
  principal_id uuid not null references principal,
  assigned_by text not null check (length(assigned_by) between 1 and 200),
  assigned_at timestamptz not null default now(),
  primary key (case_id, principal_id)
);
create index case_member_principal on case_member (principal_id);

-- People of another organisation come into joint cases alone.
create function keep_case_members() returns trigger language plpgsql as $$
begin
  if not exists (
    select from case_file c join principal p on p.principal_id = new.principal_id
     where c.case_id = new.case_id and (c.joint or c.organisation_id = p.organisation_id)) then
    raise check_violation using message = 'only a joint case has members of other organisations', constraint = 'case_member_joint';
  end if;
  return new;
end $$;
create trigger keep_case_members before insert or update on case_member for each row execute function keep_case_members();

-- ---- Whose is what ----

alter table batch add column organisation_id text references organisation;
alter table batch add column case_id uuid references case_file;
create index batch_case on batch (case_id) where case_id is not null;
create index batch_organisation on batch (organisation_id) where organisation_id is not null;
-- A batch names its organisation as text, as the command line gives it. The text is taken for the organisation of exactly that name or id:
-- what is written otherwise stays with the home organisation alone, so that a misspelling hides and never discloses.
create function name_batch_owner() returns trigger language plpgsql as $$
begin
  if new.organisation_id is null then
    select organisation_id into new.organisation_id from organisation
     where organisation_id = new.organisation or name = new.organisation
     order by organisation_id = new.organisation desc limit 1;
  end if;
  if new.case_id is null and new.organisation_id is not null then
    -- Its own case first, then a joint one that it has people in.
    select c.case_id into new.case_id from case_file c
     where c.case_ref = new.case_ref and c.state = 'open'
       and (c.organisation_id = new.organisation_id
            or (c.joint and exists (select from case_member m join principal p using (principal_id)
                                     where m.case_id = c.case_id and p.organisation_id = new.organisation_id)))
     order by c.organisation_id = new.organisation_id desc, c.opened_at limit 1;
  end if;
  return new;
end $$;
create trigger name_batch_owner before insert on batch for each row execute function name_batch_owner();

-- Whose it is (null: the home organisation's) and how far it may go (Traffic Light Protocol 2.0).
alter table hash_set add column owner_organisation_id text references organisation;
alter table hash_set add column tlp text not null default 'AMBER' check (tlp in ('CLEAR', 'GREEN', 'AMBER', 'AMBER+STRICT', 'RED'));
-- Given by the trigger below, so that one that is said can be told from none.
alter table hash_set alter column tlp drop default;
alter table series add column owner_organisation_id text references organisation;
alter table series add column tlp text not null default 'AMBER' check (tlp in ('CLEAR', 'GREEN', 'AMBER', 'AMBER+STRICT', 'RED'));
create function name_source_owner() returns trigger language plpgsql as $$
begin
  if new.owner_organisation_id is null then
    select organisation_id into new.owner_organisation_id from organisation
     where (organisation_id = new.source or name = new.source) and not home
     order by organisation_id = new.source desc limit 1;
  end if;
  return new;
end $$;
-- A new version of a set is handled as the one before, unless it says otherwise.
create function keep_set_handling() returns trigger language plpgsql as $$
declare
  before record;
begin
  select owner_organisation_id, tlp into before from hash_set
   where source = new.source and name = new.name order by version desc limit 1;
  new.owner_organisation_id := coalesce(new.owner_organisation_id, before.owner_organisation_id);
  new.tlp := coalesce(new.tlp, before.tlp, 'AMBER');
  return new;
end $$;
create trigger a_keep_set_handling before insert on hash_set for each row execute function keep_set_handling();
create trigger name_source_owner before insert on hash_set for each row execute function name_source_owner();
create trigger name_source_owner before insert on series for each row execute function name_source_owner();

-- What was derived from one organisation's material is answered to another one with its consent alone.
create table derivation_consent (
  owner_organisation_id text not null references organisation,
  recipient_organisation_id text not null references organisation,
  given_by text not null check (length(given_by) between 1 and 200),
  given_at timestamptz not null default now(),
  withdrawn_at timestamptz,
  primary key (owner_organisation_id, recipient_organisation_id),
  check (owner_organisation_id <> recipient_organisation_id)
);

-- ---- Look-ups counted ----

create table look_up_day (
  organisation_id text not null references organisation,
  day date not null,
  look_ups bigint not null,
  primary key (organisation_id, day)
);
create table look_up_minute (
  principal_id uuid not null references principal,
  minute timestamptz not null,
  look_ups bigint not null,
  primary key (principal_id, minute)
);
-- What is usual for a person.
create table look_up_person_day (
  principal_id uuid not null references principal,
  day date not null,
  look_ups bigint not null,
  primary key (principal_id, day)
);

-- Counts look-ups, all of them or none. Returns 0 when they are counted, otherwise the seconds until asking again makes sense. One
-- statement, since every look-up makes it; the clock is the database's, which the nodes have in common. Null limits are no limits.
create function count_look_ups(of_organisation text, of_principal uuid, n bigint, quota bigint, per_minute bigint, at timestamptz)
returns integer language plpgsql as $$
declare
  local_at timestamp := at at time zone 'UTC';
  today date := local_at::date;
  this_minute timestamptz := date_trunc('minute', local_at) at time zone 'UTC';
begin
  if n > quota then return ceil(extract(epoch from (today + 1)::timestamp - local_at)); end if;
  insert into look_up_day as d (organisation_id, day, look_ups) values (of_organisation, today, n)
  on conflict (organisation_id, day) do update set look_ups = d.look_ups + n where quota is null or d.look_ups + n <= quota;
  if not found then return ceil(extract(epoch from (today + 1)::timestamp - local_at)); end if;
  if n <= per_minute or per_minute is null then
    insert into look_up_minute as m (principal_id, minute, look_ups) values (of_principal, this_minute, n)
    on conflict (principal_id, minute) do update set look_ups = m.look_ups + n where per_minute is null or m.look_ups + n <= per_minute;
  end if;
  if not found or n > per_minute then
    update look_up_day set look_ups = look_ups - n where organisation_id = of_organisation and day = today;
    return ceil(extract(epoch from this_minute + interval '1 minute' - at));
  end if;
  delete from look_up_minute where principal_id = of_principal and minute < this_minute;
  insert into look_up_person_day as p (principal_id, day, look_ups) values (of_principal, today, n)
  on conflict (principal_id, day) do update set look_ups = p.look_ups + n;
  return 0;
end $$;

-- ---- Probing, and look-ups seen by a supervisor ----

-- Keys of ours that callers must not know, made when first needed: which bits are compared below, and which look-ups are drawn.
create table access_secret (
  name text primary key check (length(name) <= 40),
  key bytea not null check (octet_length(key) = 32)
);

-- Of each perceptual hash asked for in the last 30 days, some of its bits under a keyed digest; never the hash. What falls together in
-- three tables with the same earlier probe lies near it, and joins its cluster.
create table probe_cluster (
  cluster_id bigint generated always as identity primary key,
  organisation_id text not null references organisation,
  -- Different hashes in it.
  probes integer not null,
  last_at timestamptz not null
);
create index probe_cluster_organisation on probe_cluster (organisation_id, last_at);
create table probe_bucket (
  organisation_id text not null references organisation,
  table_number smallint not null,
  bucket integer not null,
  -- Tells a hash that is asked for again from one near it.
  tag integer not null,
  cluster_id bigint not null references probe_cluster on delete cascade,
  at timestamptz not null,
  primary key (organisation_id, table_number, bucket)
);
create index probe_bucket_cluster on probe_bucket (cluster_id);
-- Open until a person has acknowledged it.
create table probe_alert (
  alert_id bigint generated always as identity primary key,
  organisation_id text not null references organisation,
  -- No foreign key: the cluster expires, the alert stays.
  cluster_id bigint not null unique,
  probes integer not null,
  raised_at timestamptz not null,
  acknowledged_by text check (length(acknowledged_by) between 1 and 200),
  acknowledged_at timestamptz
);

create table look_up_review (
  review_id bigint generated always as identity primary key,
  organisation_id text not null references organisation,
  principal_id uuid not null references principal,
  -- Of the look-up, as the audit has it.
  reference text not null unique check (length(reference) between 1 and 300),
  drawn_at timestamptz not null default now(),
  reviewed_by text check (length(reviewed_by) between 1 and 200),
  reviewed_at timestamptz,
  finding text check (finding in ('inOrder', 'questioned')),
  check (num_nulls(reviewed_by, reviewed_at, finding) in (0, 3))
);

-- ---- Policies of rows ----

-- One role for all members, which every transaction of theirs takes on; who they are stands in settings of the transaction. It belongs to
-- the whole cluster: another database, or another process at this moment, may have made it. Who migrates needs CREATEROLE once, or a
-- role that was made for him: SQLSTATE HWR01 becomes HW_DATABASE_ROLE, which says what to run.
do $$
declare
  attempt integer := 0;
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'homeward_member') then
    begin
      create role homeward_member nologin noinherit;
    exception
      when duplicate_object or unique_violation then null;
      when insufficient_privilege then
        raise exception using errcode = 'HWR01', message = 'the role homeward_member is missing and this user may not create it';
    end;
  end if;
  loop
    begin
      set local role homeward_member;
      reset role;
      exit;
    exception when insufficient_privilege then
      attempt := attempt + 1;
    end;
    begin
      if attempt > 5 then
        raise exception using errcode = 'HWR01', message = 'this user may not take on the role homeward_member';
      end if;
      -- Not inherited: the engine itself is no member, and the policies do not speak of it.
      if current_setting('server_version_num')::integer >= 160000 then
        execute format('grant homeward_member to %I with inherit false, set true', current_user);
      else
        execute format('grant homeward_member to %I', current_user);
      end if;
    exception
      when insufficient_privilege then
        raise exception using errcode = 'HWR01', message = 'this user may not take on the role homeward_member';
      -- Somebody else grants it at this moment: "tuple concurrently updated", or the same grant.
      when unique_violation or internal_error then perform pg_sleep(0.05);
    end;
  end loop;
  if not has_schema_privilege('homeward_member', current_schema(), 'usage') then
    execute format('grant usage on schema %I to homeward_member', current_schema());
  end if;
end $$;

create function homeward_setting(name text) returns text language sql stable parallel safe as
$$ select nullif(current_setting('homeward.' || name, true), '') $$;

create function tlp_rank(tlp text) returns smallint language sql immutable strict parallel safe as
$$ select (case tlp when 'CLEAR' then 0 when 'GREEN' then 1 when 'AMBER' then 2 when 'AMBER+STRICT' then 3 else 4 end)::smallint $$;

-- The functions below see what a member does not; each answers one narrow question.
-- Cases that are open, not over, and his.
create function member_cases() returns setof uuid language sql stable security definer set search_path from current as $$
  select c.case_id from case_member m join case_file c using (case_id)
   where m.principal_id = homeward_setting('principal')::uuid and c.state = 'open'
     and (c.last_day is null or c.last_day >= (now() at time zone 'UTC')::date)
$$;

-- Within the TLP of an agreement, and with the owner's consent where it is somebody else's.
create function may_be_told(organisation text, highest_tlp_rank smallint, tlp text, owner text) returns boolean
language sql stable security definer set search_path from current as $$
  select coalesce(owner = organisation, false)
      or (tlp_rank(tlp) <= highest_tlp_rank
          and (owner is null
               or exists (select from derivation_consent d
                           where d.owner_organisation_id = owner and d.recipient_organisation_id = organisation and d.withdrawn_at is null)))
$$;
create function member_may_have(tlp text, owner text) returns boolean language sql stable security definer set search_path from current as
$$ select may_be_told(homeward_setting('organisation'), homeward_setting('tlp')::smallint, tlp, owner) $$;
create function member_may_have_set(asked bigint) returns boolean language sql stable security definer set search_path from current as
$$ select coalesce((select member_may_have(tlp, owner_organisation_id) from hash_set where set_id = asked), false) $$;
create function member_may_have_series(asked bigint) returns boolean language sql stable security definer set search_path from current as
$$ select coalesce((select member_may_have(tlp, owner_organisation_id) from series where series_id = asked), false) $$;

create function member_compares(method text) returns boolean language sql stable parallel safe as $$
  select case method when 'pdq' then 'perceptual' when 'blockhash' then 'perceptual' when 'copy' then 'perceptual'
                     when 'face' then 'face' when 'place' then 'place' when 'camera' then 'place' else 'digest' end
         = any (string_to_array(homeward_setting('modalities'), ','))
$$;

create index match_series on match (series_id) where series_id is not null;

-- By column: no digest, hash, vector, keypoint, raw root or evidence of a decision.
grant select (batch_id, case_ref, exhibit_ref, organisation, actor, mode, pipeline_version, hashes_stage, models_stage, started_at, finished_at,
              organisation_id, case_id) on batch to homeward_member;
grant select (item_id, batch_id, path, media_id, size_bytes, modified_at, type, outcome, reason, reason_detail, created_at) on item to homeward_member;
grant select (media_id, size_bytes, type, created_at) on media to homeward_member;
grant select on match to homeward_member;
grant select (match_id, media_id, method, algorithm, pipeline_version, distance, threshold, expected_false_matches, calibrated, borderline,
              log10_likelihood_ratio, gallery_size, inliers, series_id, subject_id, place_id, camera_id, created_at, withdrawn_at)
  on model_match to homeward_member;
grant select on lead to homeward_member;
grant select (disposition_id, lead_id, verdict, basis, note, decided_by, decided_at) on disposition to homeward_member;
grant select on series to homeward_member;
grant select (set_id, source, name, version, format, format_version, category_scheme, state, record_count, counts, imported_at, purpose,
              radius_bits, source_version, held_reason, updated_at, revision, owner_organisation_id, tlp) on hash_set to homeward_member;
grant select on case_file to homeward_member;

alter table batch enable row level security;
alter table item enable row level security;
alter table media enable row level security;
alter table match enable row level security;
alter table model_match enable row level security;
alter table lead enable row level security;
alter table disposition enable row level security;
alter table series enable row level security;
alter table hash_set enable row level security;
alter table case_file enable row level security;

-- homeward.scope says how far he sees: home (who works on cases in the home organisation: everything), sets (its administrators: what is
-- known, and no case), cases (embedded), own (accredited), none (associated, auditors, administrators of partners). Without a setting
-- nothing is seen.
create policy member on batch for select to homeward_member using (
  (select homeward_setting('scope')) = 'home'
  or ((select homeward_setting('scope')) in ('own', 'cases') and organisation_id = (select homeward_setting('organisation')))
  or ((select homeward_setting('scope')) = 'cases' and case_id in (select member_cases()))
);
create policy member on item for select to homeward_member using (
  (select homeward_setting('scope')) = 'home'
  or ((select homeward_setting('scope')) in ('own', 'cases') and exists (select from batch b where b.batch_id = item.batch_id))
);
create policy member on media for select to homeward_member using (
  (select homeward_setting('scope')) = 'home'
  or ((select homeward_setting('scope')) in ('own', 'cases') and exists (select from item i where i.media_id = media.media_id))
);
create policy member on match for select to homeward_member using (
  (select homeward_setting('scope')) = 'home'
  or ((select homeward_setting('scope')) in ('own', 'cases') and exists (select from item i where i.media_id = match.media_id)
      and member_compares(method) and member_may_have_set(set_id) and (series_id is null or member_may_have_series(series_id)))
);
create policy member on model_match for select to homeward_member using (
  (select homeward_setting('scope')) = 'home'
  or ((select homeward_setting('scope')) in ('own', 'cases') and exists (select from item i where i.media_id = model_match.media_id)
      and member_compares(method) and member_may_have_series(series_id))
);
create policy member on lead for select to homeward_member using (
  (select homeward_setting('scope')) = 'home'
  or ((select homeward_setting('scope')) = 'cases' and member_may_have_series(series_id)
      and exists (select from item i join batch b using (batch_id)
                   where i.media_id = lead.media_id and b.case_id in (select member_cases())))
);
create policy member on disposition for select to homeward_member using (
  (select homeward_setting('scope')) = 'home'
  or ((select homeward_setting('scope')) = 'cases' and exists (select from lead l where l.lead_id = disposition.lead_id))
);
create policy member on series for select to homeward_member using (
  (select homeward_setting('scope')) in ('home', 'sets')
  or ((select homeward_setting('scope')) in ('own', 'cases')
      and (owner_organisation_id = (select homeward_setting('organisation'))
           or (member_may_have(tlp, owner_organisation_id)
               and (exists (select from match m where m.series_id = series.series_id)
                    or exists (select from model_match m where m.series_id = series.series_id)))))
);
create policy member on hash_set for select to homeward_member using (
  (select homeward_setting('scope')) in ('home', 'sets')
  or ((select homeward_setting('scope')) in ('own', 'cases') and owner_organisation_id = (select homeward_setting('organisation')))
);
create policy member on case_file for select to homeward_member using (
  (select homeward_setting('scope')) = 'home'
  or ((select homeward_setting('scope')) in ('own', 'cases') and case_id in (select member_cases()))
);
