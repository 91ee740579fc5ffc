import type { Member } from '../../schemas/access.ts';
import type { Db, Transaction } from '../store/db.ts';
import { integer, nullable, type RowOf, row, text, timestamp } from '../store/row-shape.ts';
import { accessSecret } from './access-secret.ts';
import { type ProbePlaces, placesOf, sampledBits, TABLES_TOGETHER } from './probe-buckets.ts';

/** A supervisor looks once this many different hashes hang together, each near one asked for before. */
export const ALERT_PROBES = 32;
const KEPT_MS = 30 * 24 * 60 * 60_000;
/** Clusters kept of one organisation: the oldest go first. Its buckets are at most 2^16 in each table. */
const MOST_CLUSTERS = 50_000;
/** Any fixed number: two nodes that watch one organisation wait for each other on it. */
const ADVISORY_LOCK = 4_857_005;

/**
 * Remembers that these perceptual hashes were asked for, and raises an alert where they and earlier ones of the organisation, by
 * whichever of its keys, slide along: who does not have a picture can find out by such a walk what is near it.
 * The same hash asked for again is nobody's walk. Call it with every look-up by perceptual hash, before it is answered.
 * @param hashes 32 bytes each
 * @returns the number of alerts raised
 */
export async function watchProbes(
  db: Db,
  member: Member,
  hashes: readonly Uint8Array[],
  at: Date = new Date(),
): Promise<number> {
  if (hashes.length === 0) return 0;
  const { key, sampled } = await samplingOf(db);
  const probes = hashes.map((hash) => placesOf(key, sampled, hash));
  return await db.transaction(async (tx) => {
    await tx.execute('select pg_advisory_xact_lock($1, hashtext($2))', [ADVISORY_LOCK, member.organisationId]);
    await forgetOld(tx, member.organisationId, at);
    let raised = 0;
    for (const probe of probes) raised += await remember(tx, member.organisationId, probe, at);
    return raised;
  });
}

interface Sampling {
  readonly key: Buffer;
  readonly sampled: ReturnType<typeof sampledBits>;
}
/** The key of an installation never changes, and drawing the bits takes as long as all the rest. */
const samplings = new WeakMap<Db, Sampling>();

async function samplingOf(db: Db): Promise<Sampling> {
  const remembered = samplings.get(db);
  if (remembered !== undefined) return remembered;
  const key = await accessSecret(db, 'probes');
  const sampling = { key, sampled: sampledBits(key) };
  samplings.set(db, sampling);
  return sampling;
}

async function remember(tx: Transaction, organisationId: string, probe: ProbePlaces, at: Date): Promise<number> {
  const found = await tx.read(
    row({ tag: integer, clusterId: integer, probes: integer, tables: integer }),
    `select b.tag, b.cluster_id, c.probes, count(*) as tables
       from unnest($2::integer[]) with ordinality as asked (bucket, number)
       join probe_bucket b on b.organisation_id = $1 and b.table_number = asked.number and b.bucket = asked.bucket
       join probe_cluster c using (cluster_id)
      group by b.tag, b.cluster_id, c.probes order by c.probes desc`,
    [organisationId, probe.buckets],
  );
  if (found.some((one) => one.tag === probe.tag)) return 0;
  const near = found.find((one) => one.tables >= TABLES_TOGETHER);
  const time = at.toISOString();
  const [cluster] = await tx.read(
    row({ clusterId: integer, probes: integer }),
    near === undefined
      ? `insert into probe_cluster (organisation_id, probes, last_at) values ($1, 1, $2) returning cluster_id, probes`
      : `update probe_cluster set probes = probes + 1, last_at = $2 where organisation_id = $1 and cluster_id = $3
         returning cluster_id, probes`,
    near === undefined ? [organisationId, time] : [organisationId, time, near.clusterId],
  );
  if (cluster === undefined) throw new RangeError('expected the cluster of a probe, received no row');
  await tx.execute(
    `insert into probe_bucket (organisation_id, table_number, bucket, tag, cluster_id, at)
     select $1, number, bucket, $3, $4, $5 from unnest($2::integer[]) with ordinality as asked (bucket, number)
     on conflict (organisation_id, table_number, bucket)
     do update set tag = excluded.tag, cluster_id = excluded.cluster_id, at = excluded.at`,
    [organisationId, probe.buckets, probe.tag, cluster.clusterId, time],
  );
  if (cluster.probes < ALERT_PROBES) return 0;
  return await tx.execute(
    `insert into probe_alert (organisation_id, cluster_id, probes, raised_at) values ($1, $2, $3, $4) on conflict do nothing`,
    [organisationId, cluster.clusterId, cluster.probes, time],
  );
}

async function forgetOld(tx: Transaction, organisationId: string, at: Date): Promise<void> {
  await tx.execute('delete from probe_cluster where organisation_id = $1 and last_at < $2', [
    organisationId,
    new Date(at.getTime() - KEPT_MS).toISOString(),
  ]);
  await tx.execute(
    `delete from probe_cluster where cluster_id in (
       select cluster_id from probe_cluster where organisation_id = $1 order by last_at desc offset $2)`,
    [organisationId, MOST_CLUSTERS],
  );
}

const ALERT = row({
  alertId: integer,
  organisationId: text,
  probes: integer,
  raisedAt: timestamp,
  acknowledgedBy: nullable(text),
});
export type ProbeAlert = RowOf<typeof ALERT>;

/** Alerts that nobody has acknowledged yet, the latest first. */
export async function openProbeAlerts(db: Db): Promise<ProbeAlert[]> {
  return await db.read(
    ALERT,
    `select alert_id, organisation_id, probes, raised_at, acknowledged_by from probe_alert
      where acknowledged_at is null order by alert_id desc`,
  );
}

/** Whether there was such an open alert. */
export async function acknowledgeProbeAlert(db: Db, alertId: number, by: string): Promise<boolean> {
  const acknowledged = await db.execute(
    'update probe_alert set acknowledged_by = $2, acknowledged_at = now() where alert_id = $1 and acknowledged_at is null',
    [alertId, by],
  );
  return acknowledged > 0;
}
