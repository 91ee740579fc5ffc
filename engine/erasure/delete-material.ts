import { refreshLeads } from '../leads/refresh.ts';
import { devicesOf, type SeenDevice } from '../match/model-camera.ts';
import type { Transaction } from '../store/db.ts';
import { lockSeriesChanges } from '../store/queries/series-turn.ts';
import { integer, row } from '../store/row-shape.ts';
import { commitmentOf } from './commitment.ts';

/** A case is known by these two. */
export interface CaseName {
  readonly organisation: string;
  readonly caseRef: string;
}

export interface Deleted {
  /** Rows that went, by table. */
  readonly counts: Readonly<Record<string, number>>;
  /** 32 bytes; see commitmentOf. */
  readonly commitment: Buffer;
}

const MEDIA_AT_ONCE = 1_000;

/**
 * Deletes what was made of a case's material, in the caller's transaction: its batches and items, and every media that no other case
 * holds with all that is derived from it, wherever it was put. A media that another case holds too stays with what was made of it.
 * Evidence of other media that rested on it goes along, and their leads follow. Custody events stay without their digests.
 */
export async function deleteMaterial(tx: Transaction, of: CaseName): Promise<Deleted> {
  // Who records items writes media first: they wait, and then find the media gone, so that none of their items is left without.
  await tx.execute('lock table media in share row exclusive mode');
  await lockSeriesChanges(tx);
  await chooseMaterial(tx, of);
  const commitment = await commitmentOf(tx);
  const devices = await devicesOnlyHere(tx);
  await chooseCameras(tx, of, devices);
  const followers = await othersThatRestOnIt(tx);
  const counts: Record<string, number> = {};
  for (const [table, sql] of DELETIONS) counts[table] = (counts[table] ?? 0) + (await tx.execute(sql));
  counts['seen_device'] = await deleteDevices(tx, devices);
  for (const [table, sql] of EMPTIED) counts[table] = (counts[table] ?? 0) + (await tx.execute(sql));
  await refreshLeads(tx, { mediaIds: followers });
  counts['custody_event'] = await tx.execute(
    `update custody_event set erased_at = now(), salt = null, sha256_before = null, sha256_after = null, source_key = null
      where organisation = $1 and case_ref = $2 and erased_at is null`,
    [of.organisation, of.caseRef],
  );
  return { counts, commitment };
}

/** Numbers only: these tables last as long as the transaction. */
async function chooseMaterial(tx: Transaction, { organisation, caseRef }: CaseName): Promise<void> {
  await tx.script(`
    create temporary table erased_batch (batch_id uuid primary key) on commit drop;
    create temporary table erased_case (case_id uuid primary key) on commit drop;
    create temporary table erased_media (media_id bigint primary key) on commit drop;
    create temporary table erased_camera (camera_id bigint primary key) on commit drop;
    create temporary table touched_series (series_id bigint primary key) on commit drop;`);
  await tx.execute(
    'insert into erased_batch select batch_id from batch where organisation = $1 and case_ref = $2 for update',
    [organisation, caseRef],
  );
  await tx.execute(
    `insert into erased_case select case_id from case_file c join organisation o using (organisation_id)
      where c.case_ref = $2 and (o.name = $1 or o.organisation_id = $1)`,
    [organisation, caseRef],
  );
  await tx.execute(
    `insert into erased_media
     select distinct i.media_id from item i join erased_batch using (batch_id)
      where i.media_id is not null
        and not exists (select from item o where o.media_id = i.media_id
                           and o.batch_id not in (select batch_id from erased_batch))`,
  );
  await tx.script('analyze erased_batch; analyze erased_media');
}

/** Devices that media of this case name and none that stays. */
async function devicesOnlyHere(tx: Transaction): Promise<SeenDevice[]> {
  const found = new Map<string, SeenDevice>();
  const keyOf = (one: SeenDevice): string => JSON.stringify([one.kind, one.serial, one.make, one.model]);
  for await (const mediaIds of pagesOf(tx, 'select media_id from erased_media'))
    for (const device of await devicesOf(tx, mediaIds)) found.set(keyOf(device), device);
  if (found.size === 0) return [];
  // Nearly as normaliseSerial has it, to find those worth a closer look.
  const plain = (key: string): string =>
    `ltrim(upper(regexp_replace(capture->>'${key}', '[^A-Za-z0-9]', '', 'g')), '0') = any($1::text[])`;
  const likely = await tx.read(
    row({ mediaId: integer }),
    `select distinct media_id from fingerprint
      where (${plain('bodySerialNumber')} or ${plain('lensSerialNumber')})
        and not exists (select from erased_media e where e.media_id = fingerprint.media_id)`,
    [[...found.values()].map((one) => one.serial)],
  );
  for (let at = 0; at < likely.length; at += MEDIA_AT_ONCE) {
    const mediaIds = likely.slice(at, at + MEDIA_AT_ONCE).map((one) => one.mediaId);
    for (const device of await devicesOf(tx, mediaIds)) found.delete(keyOf(device));
  }
  return [...found.values()];
}

/**
 * Cameras that the unit has put into its series since it has this material and that bear a serial number of it alone. From which file a
 * number was taken is not recorded; one that was known before the material came is not derived from it.
 */
async function chooseCameras(tx: Transaction, of: CaseName, devices: readonly SeenDevice[]): Promise<void> {
  const serials = (kind: SeenDevice['kind']): string[] =>
    devices.filter((one) => one.kind === kind).map((one) => one.serial);
  await tx.execute(
    `insert into erased_camera
     select c.camera_id from camera c join series s using (series_id)
      where s.source = $1 and (c.body_serial = any($2::text[]) or c.lens_serial = any($3::text[]))
        and c.created_at >= (select min(b.started_at) from batch b join erased_batch using (batch_id))`,
    [of.organisation, serials('body'), serials('lens')],
  );
  await tx.execute(
    `insert into touched_series
     select series_id from series_media join erased_media using (media_id)
     union select s.series_id from subject s join subject_face using (subject_id) join face using (face_id) join erased_media using (media_id)
     union select p.series_id from place p join place_media using (place_id) join erased_media using (media_id)
     union select series_id from camera join erased_camera using (camera_id)`,
  );
}

/** Media that stay with evidence that goes. */
async function othersThatRestOnIt(tx: Transaction): Promise<number[]> {
  const found = await tx.read(
    row({ mediaId: integer }),
    `select distinct m.media_id from model_match m
      where (${RESTS_ON_IT}) and not exists (select from erased_media e where e.media_id = m.media_id)`,
  );
  return found.map((one) => one.mediaId);
}

const ERASED_FACES = 'select face_id from face join erased_media using (media_id)';
const ERASED_LEADS = 'select lead_id from lead join erased_media using (media_id)';
const ERASED = 'select media_id from erased_media';
const RESTS_ON_IT = `m.known_media_id in (${ERASED}) or m.known_face_id in (${ERASED_FACES})
  or m.camera_id in (select camera_id from erased_camera)`;

const ERASED_SUBMISSIONS = `select submission_id from submission
  where batch_id in (select batch_id from erased_batch) or case_id in (select case_id from erased_case)`;

/** What points to something goes before it. */
const DELETIONS: ReadonlyArray<readonly [string, string]> = [
  // They name the folder that was handed in, and answers may be of it; who repeats a request of this case has no case any more.
  ['hash_answer', `delete from hash_answer where submission_id in (${ERASED_SUBMISSIONS})`],
  ['submission_report', `delete from submission_report where submission_id in (${ERASED_SUBMISSIONS})`],
  [
    'upload',
    `delete from upload where case_id in (select case_id from erased_case) or submission_id in (${ERASED_SUBMISSIONS})`,
  ],
  ['submission', `delete from submission where submission_id in (${ERASED_SUBMISSIONS})`],
  ['idempotent_answer', 'delete from idempotent_answer'],
  ['disposition', `delete from disposition where lead_id in (${ERASED_LEADS})`],
  ['lead', `delete from lead where media_id in (${ERASED})`],
  ['model_match', `delete from model_match m where m.media_id in (${ERASED}) or ${RESTS_ON_IT}`],
  ['match', `delete from match where media_id in (${ERASED})`],
  ['media_good', `delete from media_good where media_id in (${ERASED})`],
  ['subject_face', `delete from subject_face where face_id in (${ERASED_FACES})`],
  ['place_media', `delete from place_media where media_id in (${ERASED})`],
  ['series_media', `delete from series_media where media_id in (${ERASED})`],
  ['camera', 'delete from camera where camera_id in (select camera_id from erased_camera)'],
  ['face_vector', `delete from face_vector where face_id in (${ERASED_FACES})`],
  ['face', `delete from face where media_id in (${ERASED})`],
  ['picture_vector', `delete from picture_vector where media_id in (${ERASED})`],
  ['picture_keypoints', `delete from picture_keypoints where media_id in (${ERASED})`],
  ['picture_score', `delete from picture_score where media_id in (${ERASED})`],
  ['embedding_run', `delete from embedding_run where media_id in (${ERASED})`],
  ['candidate_reason', `delete from candidate_reason where media_id in (${ERASED}) or other_media_id in (${ERASED})`],
  ['candidate_media', `delete from candidate_media where media_id in (${ERASED})`],
  ['fingerprint', `delete from fingerprint where media_id in (${ERASED})`],
  ['item', 'delete from item where batch_id in (select batch_id from erased_batch)'],
  ['media', `delete from media where media_id in (${ERASED})`],
  ['batch', 'delete from batch where batch_id in (select batch_id from erased_batch)'],
];

/** Names that stand for nothing any more. A series that anything else still says something of stays. */
const EMPTIED: ReadonlyArray<readonly [string, string]> = [
  [
    'candidate_series',
    `delete from candidate_series c where not exists (select from candidate_media m where m.candidate_id = c.candidate_id)
       and c.state in ('proposed', 'accepted')`,
  ],
  [
    'subject',
    `delete from subject s where s.series_id in (select series_id from touched_series)
       and not exists (select from subject_face f where f.subject_id = s.subject_id)`,
  ],
  [
    'place',
    `delete from place p where p.series_id in (select series_id from touched_series)
       and not exists (select from place_media m where m.place_id = p.place_id)`,
  ],
  [
    'series_link',
    `delete from series_link l where exists (select from touched_series t join series s using (series_id)
       where t.series_id in (l.series_id, l.other_series_id) and ${standsForNothing('s')})`,
  ],
  [
    'series',
    `delete from series s where s.series_id in (select series_id from touched_series) and ${standsForNothing('s')}
       and not exists (select from series_link l where s.series_id in (l.series_id, l.other_series_id))`,
  ],
];

function standsForNothing(series: string): string {
  const tables = [
    'series_media',
    'subject',
    'place',
    'camera',
    'known_record',
    'match',
    'model_match',
    'lead',
    'candidate_series',
  ];
  return [
    `${series}.created_by is not null`,
    ...tables.map((table) => `not exists (select from ${table} x where x.series_id = ${series}.series_id)`),
    `not exists (select from series x where x.merged_into = ${series}.series_id)`,
  ].join(' and ');
}

async function deleteDevices(tx: Transaction, devices: readonly SeenDevice[]): Promise<number> {
  return await tx.execute(
    `delete from seen_device s using unnest($1::text[], $2::text[], $3::text[], $4::text[]) as d(kind, serial, make, model)
      where (s.kind, s.serial, s.make, s.model) = (d.kind, d.serial, d.make, d.model)`,
    [
      devices.map((one) => one.kind),
      devices.map((one) => one.serial),
      devices.map((one) => one.make),
      devices.map((one) => one.model),
    ],
  );
}

async function* pagesOf(tx: Transaction, select: string): AsyncGenerator<number[]> {
  for (let after = 0; ; ) {
    const page = await tx.read(
      row({ mediaId: integer }),
      `${select} where media_id > $1 order by media_id limit ${MEDIA_AT_ONCE}`,
      [after],
    );
    if (page.length > 0) yield page.map((one) => one.mediaId);
    const last = page.at(-1);
    if (last === undefined || page.length < MEDIA_AT_ONCE) return;
    after = last.mediaId;
  }
}
