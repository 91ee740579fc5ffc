import { appendAudit } from '../engine/audit/append.ts';
import { AuditWriter } from '../engine/audit/audit-writer.ts';
import { openServer } from '../engine/store/adapters/pg.ts';
import type { AuditAct } from '../schemas/audit.ts';
import { type Bench, type BenchOptions, type BenchResult, figure, judged, percentile } from './harness.ts';
import { withServerDatabase } from './real-server.ts';

const CALLERS = 200;
const LEAST_PER_SECOND = 1_000;

const act = (organisation: string): AuditAct => ({
  operation: 'consultation',
  action: 'lookup',
  actor: 'A. Examiner',
  organisation,
  purpose: 'victim-identification',
  justification: 'a look-up of the bench',
  caseRef: '24-017',
  recipient: null,
  objects: ['batch 1'],
  outcome: 'done',
});

/** Callers at once, each of which waits for its entry before its next one, as a request does. */
async function measure(
  entries: number,
  append: (act: AuditAct) => Promise<unknown>,
): Promise<{ perSecond: number; waitsMs: number[] }> {
  const waitsMs: number[] = [];
  let left = entries;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: CALLERS }, async (_, caller) => {
      while (left > 0) {
        left -= 1;
        const from = performance.now();
        await append(act(`unit ${caller % 4}`));
        waitsMs.push(performance.now() - from);
      }
    }),
  );
  return { perSecond: (1_000 * entries) / (performance.now() - started), waitsMs };
}

async function run({ quick, databaseUrl, say }: BenchOptions): Promise<BenchResult> {
  const entries = quick ? 4_000 : 40_000;
  return await withServerDatabase(databaseUrl, async (url) => {
    const db = await openServer({ url });
    try {
      say('one transaction each');
      const single = await measure(entries / 20, async (one) => await appendAudit(db, one));
      say('in groups');
      await using writer = new AuditWriter(db);
      await measure(entries / 10, async (one) => await writer.append(one));
      const grouped = await measure(entries, async (one) => await writer.append(one));
      return {
        measures: [
          judged('entries in groups', grouped.perSecond, 'entries/s', '>=', LEAST_PER_SECOND),
          figure('entries in a transaction each', single.perSecond, 'entries/s'),
          figure('groups against single', grouped.perSecond / single.perSecond, 'times'),
          figure('wait for an entry, median', percentile(grouped.waitsMs, 0.5), 'ms'),
          figure('wait for an entry, p99', percentile(grouped.waitsMs, 0.99), 'ms'),
        ],
        tables: [],
        parameters: { entries, callers: CALLERS, organisations: 4 },
        notes: [
          'Each caller waits for the commit of its entry before the next one. Client and server share the machine.',
        ],
      };
    } finally {
      await db.close();
    }
  });
}

export const bench: Bench = { name: 'audit-write', run };
