-- Models: faces, vectors, local features; subjects, places and cameras of series; evidence by model; leads; candidate series.
-- No column can hold imagery: a vector belongs to one named space and has its dimensions, keypoints are capped, landmarks are 68 points.

-- One output of one version of one pack. Vectors of two spaces are never compared.
create table embedding_space (
  space_ref smallint generated always as identity primary key,
  pack_id text not null check (length(pack_id) <= 64),
  pack_version text not null check (length(pack_version) <= 20),
  output text not null check (length(output) <= 80),
  kind text not null check (kind in ('faceEmbedding', 'copyEmbedding', 'placeEmbedding')),
  dimensions integer not null check (dimensions between 1 and 16000),
  metric text not null check (metric in ('cosine', 'euclidean')),
  -- building: being filled beside its predecessor, not searched. active: searched. retired: kept until its successor is whole, then dropped.
  state text not null check (state in ('building', 'active', 'retired')),
  -- Rises with every change of its gallery, whoever makes it (triggers below): who holds the gallery in memory asks for nothing else.
  gallery_revision bigint not null default 0,
  created_at timestamptz not null default now(),
  unique (pack_id, pack_version, output)
);
create unique index embedding_space_searched on embedding_space (pack_id, output) where state = 'active';

-- One media gone through by one set of packs (the profile: SHA-256 over ids, versions and settings). What is here need not be done again.
create table embedding_run (
  media_id bigint not null references media on delete cascade,
  profile bytea not null check (octet_length(profile) = 32),
  outcome text not null check (outcome in ('done', 'partial', 'rejected', 'failed')),
  reason text,
  reason_detail text check (length(reason_detail) <= 300),
  -- Null where faces were not to be looked for.
  faces_found integer,
  provider text not null check (length(provider) <= 40),
  created_at timestamptz not null default now(),
  primary key (media_id, profile)
);

create table face (
  face_id bigint generated always as identity primary key,
  media_id bigint not null references media on delete cascade,
  detector text not null check (length(detector) <= 64),
  detector_version text not null check (length(detector_version) <= 20),
  -- Its number in the picture by falling detection score.
  ordinal smallint not null check (ordinal between 0 and 63),
  -- Pixels of the picture as stored, before EXIF orientation.
  box_x integer not null,
  box_y integer not null,
  box_width integer not null,
  box_height integer not null,
  -- 68 points of two signed 32-bit numbers, little-endian; null where they could not be placed.
  landmarks bytea check (octet_length(landmarks) = 544),
  detection_score real not null,
  eye_distance_pixels real not null,
  sharpness real not null,
  yaw_degrees real not null,
  pitch_degrees real not null,
  roll_degrees real not null,
  quality smallint not null check (quality between 0 and 100),
  created_at timestamptz not null default now(),
  unique (media_id, detector, detector_version, ordinal)
);

-- in_gallery: belongs to a subject (faces) or to a series or place (pictures), so it is what a search looks through. Each space gets
-- partial indexes of its own (engine/search), since a column of plain vectors has no dimensions to index by.
-- toast_tuple_target: a row stays in its page as long as it fits in one. Out of line, the exact scan of 816 dimensions took four times
-- as long at the same size on disk, that of 1024 five times at two thirds of the size.
create table face_vector (
  face_id bigint not null references face on delete cascade,
  space_ref smallint not null references embedding_space,
  embedding vector not null,
  in_gallery boolean not null default false,
  primary key (face_id, space_ref)
) with (toast_tuple_target = 8160);
create index face_vector_gallery on face_vector (space_ref, face_id) where in_gallery;

create table picture_vector (
  media_id bigint not null references media on delete cascade,
  space_ref smallint not null references embedding_space,
  embedding vector not null,
  in_gallery boolean not null default false,
  primary key (media_id, space_ref)
) with (toast_tuple_target = 8160);
create index picture_vector_gallery on picture_vector (space_ref, media_id) where in_gallery;

-- Spaces in one order, so that two who change galleries do not wait in a circle; nothing is locked by rows outside of galleries.
create function note_gallery_change() returns trigger language plpgsql as $$
declare
  touched smallint;
begin
  for touched in select distinct space_ref from changed where in_gallery order by space_ref loop
    update embedding_space set gallery_revision = gallery_revision + 1 where space_ref = touched;
  end loop;
  return null;
end $$;
create trigger note_gallery_more after insert on face_vector
  referencing new table as changed for each statement execute function note_gallery_change();
create trigger note_gallery_after after update on face_vector
  referencing new table as changed for each statement execute function note_gallery_change();
create trigger note_gallery_before after update on face_vector
  referencing old table as changed for each statement execute function note_gallery_change();
create trigger note_gallery_less after delete on face_vector
  referencing old table as changed for each statement execute function note_gallery_change();
create trigger note_gallery_more after insert on picture_vector
  referencing new table as changed for each statement execute function note_gallery_change();
create trigger note_gallery_after after update on picture_vector
  referencing new table as changed for each statement execute function note_gallery_change();
create trigger note_gallery_before after update on picture_vector
  referencing old table as changed for each statement execute function note_gallery_change();
create trigger note_gallery_less after delete on picture_vector
  referencing old table as changed for each statement execute function note_gallery_change();

create table picture_keypoints (
  media_id bigint not null references media on delete cascade,
  algorithm text not null check (length(algorithm) <= 40),
  count smallint not null check (count between 0 and 400),
  -- 134 bytes a keypoint; see schemas/embedding.ts.
  data bytea not null check (octet_length(data) = count * 134),
  primary key (media_id, algorithm)
);

-- What an operator's classifier says of a picture; it orders the list of the unseen and nothing else. That of a later version takes its place.
create table picture_score (
  media_id bigint not null references media on delete cascade,
  pack_id text not null check (length(pack_id) <= 64),
  pack_version text not null check (length(pack_version) <= 20),
  score real not null check (score between 0 and 1),
  primary key (media_id, pack_id)
);

-- Pseudonymous: a reference, never a name.
create table subject (
  subject_id bigint generated always as identity primary key,
  series_id bigint not null references series,
  kind text not null check (kind in ('victim', 'suspect', 'witness', 'unknown')),
  reference text not null check (length(reference) between 1 and 100),
  created_at timestamptz not null default now(),
  unique (series_id, reference)
);

create table place (
  place_id bigint generated always as identity primary key,
  series_id bigint not null references series,
  reference text not null check (length(reference) between 1 and 100),
  created_at timestamptz not null default now(),
  unique (series_id, reference)
);

create table camera (
  camera_id bigint generated always as identity primary key,
  series_id bigint not null references series,
  reference text not null check (length(reference) between 1 and 100),
  make text check (length(make) <= 200),
  model text check (length(model) <= 200),
  -- Normalised as engine/match does it: capital letters and digits, leading zeros and fillers gone; null where the file has none that means anything.
  body_serial text check (length(body_serial) <= 100),
  lens_serial text check (length(lens_serial) <= 100),
  created_at timestamptz not null default now(),
  unique (series_id, reference),
  check (body_serial is not null or lens_serial is not null)
);
create index camera_body on camera (body_serial) where body_serial is not null;
create index camera_lens on camera (lens_serial) where lens_serial is not null;

-- What a unit has put into its series: own media, faces in them, pictures of a place.
create table series_media (
  series_id bigint not null references series,
  media_id bigint not null references media,
  added_at timestamptz not null default now(),
  added_by text not null,
  primary key (series_id, media_id)
);
create table subject_face (
  subject_id bigint not null references subject,
  face_id bigint not null references face,
  added_at timestamptz not null default now(),
  added_by text not null,
  primary key (subject_id, face_id)
);
-- A face is one person's.
create unique index subject_face_once on subject_face (face_id);
create table place_media (
  place_id bigint not null references place,
  media_id bigint not null references media,
  added_at timestamptz not null default now(),
  added_by text not null,
  primary key (place_id, media_id)
);

-- Series of different sources are linked, never merged.
create table series_link (
  link_id bigint generated always as identity primary key,
  series_id bigint not null references series,
  other_series_id bigint not null references series,
  reason text not null check (length(reason) between 1 and 1000),
  linked_by text not null,
  linked_at timestamptz not null default now(),
  withdrawn_at timestamptz,
  check (series_id < other_series_id)
);
create unique index series_link_once on series_link (series_id, other_series_id) where withdrawn_at is null;

-- What was done to a series, with what it takes to undo it. It outlives a series whose creation was undone, so it points nowhere.
create table series_change (
  change_id bigint generated always as identity primary key,
  series_id bigint not null,
  action text not null check (length(action) <= 40),
  -- Ids that were added, moved or removed; never file names, hashes or vectors. A media takes up to 14 bytes, and an exhibit has many.
  details jsonb not null check (pg_column_size(details) < 16000000),
  reason text check (length(reason) <= 1000),
  done_by text not null,
  done_at timestamptz not null default now(),
  undone_by text,
  undone_at timestamptz
);
create index series_change_series on series_change (series_id, change_id);

-- A series that was merged into another of the same source stays as a name that leads there.
alter table series add column merged_into bigint references series;
-- What a unit says of a series of its own: conflicting facts of different sources stay side by side in known_record.
alter table series add column victim_identified text check (victim_identified in ('yes', 'no', 'partly', 'unknown'));
alter table series add column created_by text;

-- Evidence that is no digest and no bit hash.
create table model_match (
  match_id bigint generated always as identity primary key,
  media_id bigint not null references media on delete cascade,
  method text not null check (method in ('face', 'copy', 'place', 'camera')),
  -- Such as dlib-128@1.0.0/embedding+faceres-1024@1.0.0/embedding; exif-serial/1 for a camera.
  algorithm text not null check (length(algorithm) <= 200),
  pipeline_version text not null,
  -- Cosine distance (0 to 2), or 0 for a camera.
  distance double precision not null,
  threshold double precision not null,
  -- At least this near, in a search of the size made; null where the method has no calibration.
  expected_false_matches double precision,
  -- False: gallery size times the bound of the false-match rate exceeds 1, so no lead rests on it alone.
  calibrated boolean not null,
  -- The score lies within the method's tolerance between processors of its threshold.
  borderline boolean not null default false,
  log10_likelihood_ratio double precision not null,
  -- Comparisons made for this media: known vectors (or cameras) times the faces (or one picture) that were looked for.
  gallery_size bigint not null,
  -- Of the geometric check of a place; null otherwise.
  inliers integer,
  -- What it takes to compute the score again: similarity and weight of each vector compared, the geometric check, the serial's population.
  details jsonb not null default '{}' check (pg_column_size(details) < 4000),
  face_id bigint references face on delete cascade,
  known_face_id bigint references face,
  known_media_id bigint references media,
  series_id bigint not null references series,
  -- No foreign keys: whom, where or which device it named then can be read when that was taken out of the series again.
  subject_id bigint,
  place_id bigint,
  camera_id bigint,
  -- Under which a search for faces was made: authority reference and necessity, as the law asks.
  authority text check (length(authority) <= 200),
  necessity text check (length(necessity) <= 1000),
  created_at timestamptz not null default now(),
  withdrawn_at timestamptz
);
create unique index model_match_evidence on model_match
  (media_id, method, algorithm, series_id, coalesce(face_id, 0), coalesce(known_face_id, 0), coalesce(known_media_id, 0), coalesce(camera_id, 0))
  where withdrawn_at is null;
create index model_match_series on model_match (series_id);

-- Serial numbers that pictures carried, once for each make and model: one that two makes share is a filler, and how many there are
-- says how much an agreement is worth.
create table seen_device (
  kind text not null check (kind in ('body', 'lens')),
  serial text not null check (length(serial) between 1 and 100),
  make text not null check (length(make) <= 200),
  model text not null check (length(model) <= 200),
  primary key (kind, serial, make, model)
);

create table lead (
  lead_id bigint generated always as identity primary key,
  media_id bigint not null references media on delete cascade,
  series_id bigint not null references series,
  -- The fused weight of the evidence in force; how is in engine/leads.
  log10_likelihood_ratio double precision not null,
  state text not null default 'open' check (state in ('open', 'confirmed', 'rejected', 'unsure', 'needsSecondOpinion', 'withdrawn')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (media_id, series_id)
);
create index lead_rank on lead (log10_likelihood_ratio desc) where state = 'open';

create table disposition (
  disposition_id bigint generated always as identity primary key,
  lead_id bigint not null references lead,
  verdict text not null check (verdict in ('confirmed', 'rejected', 'unsure', 'needsSecondOpinion')),
  basis text check (basis in ('viewed', 'partner', 'metadata')),
  note text check (length(note) <= 1000),
  decided_by text not null,
  decided_at timestamptz not null default now(),
  -- What the lead rested on then: match ids by table, distances, thresholds.
  evidence jsonb not null check (pg_column_size(evidence) < 100000),
  check (verdict <> 'confirmed' or basis is not null)
);
create index disposition_lead on disposition (lead_id, disposition_id);

-- A method (one algorithm of it) whose leads were rejected too often makes none of its own until somebody resumes it.
create table method_pause (
  pause_id bigint generated always as identity primary key,
  method text not null check (length(method) <= 20),
  algorithm text not null check (length(algorithm) <= 200),
  decided integer not null,
  confirmed integer not null,
  -- Lower bound of the precision then, and the floor it fell under.
  precision_lower95 double precision not null,
  floor double precision not null,
  paused_at timestamptz not null default now(),
  resumed_at timestamptz,
  resumed_by text,
  reason text check (length(reason) <= 1000)
);
create unique index method_pause_in_force on method_pause (method, algorithm) where resumed_at is null;

-- Proposals out of media that match nothing known.
create table candidate_series (
  candidate_id bigint generated always as identity primary key,
  state text not null default 'proposed' check (state in ('proposed', 'accepted', 'dismissed', 'superseded')),
  series_id bigint references series,
  -- A person has split or merged it: what is found later may be added to it, but never joins two of these.
  shaped boolean not null default false,
  -- The proposal that holds most of its media now.
  superseded_by bigint references candidate_series on delete set null,
  created_at timestamptz not null default now()
);
create index candidate_series_open on candidate_series (candidate_id) where state = 'proposed';
create table candidate_media (
  candidate_id bigint not null references candidate_series on delete cascade,
  media_id bigint not null references media on delete cascade,
  primary key (candidate_id, media_id)
);
create index candidate_media_media on candidate_media (media_id);
-- Why two media stand in one proposal.
create table candidate_reason (
  candidate_id bigint not null references candidate_series on delete cascade,
  media_id bigint not null references media on delete cascade,
  other_media_id bigint not null references media on delete cascade,
  method text not null check (method in ('pdq', 'blockhash', 'face', 'copy', 'place', 'camera', 'time')),
  distance double precision not null,
  log10_likelihood_ratio double precision not null,
  primary key (candidate_id, media_id, other_media_id, method),
  check (media_id < other_media_id)
);
create table candidate_change (
  change_id bigint generated always as identity primary key,
  candidate_id bigint not null references candidate_series on delete cascade,
  action text not null check (action in ('accept', 'split', 'merge', 'dismiss')),
  details jsonb not null check (pg_column_size(details) < 1000000),
  done_by text not null,
  done_at timestamptz not null default now(),
  undone_by text,
  undone_at timestamptz
);

-- What an archive holds: the second stage opens an archive only when something in it is still to be looked at.
create index item_container on item (batch_id, container_path_key) where container_path_key is not null;
