import { Type } from 'typebox';
import type { Queryable, Transaction } from '../store/db.ts';
import { integer, json, nullable, oneOf, row, text, timestamp } from '../store/row-shape.ts';
import { DecidedEvidence } from './decided-evidence.ts';
import { type MethodKey, methodKey, pausedMethods } from './pauses.ts';
import { BASES, lastWords, VERDICTS } from './verdicts.ts';

/** A method is paused when the lower bound of its precision lies under this: fewer than one lead in five may be worth the looking. */
export const PRECISION_FLOOR = 0.2;
/** Fewer decided leads show nothing. */
export const LEAST_DECIDED = 20;
/** Two-sided 95 % of the standard normal distribution. */
const Z95 = 1.959964;

/**
 * Lower and upper 95 % bound of a share (Wilson's score interval): with few cases it stays inside 0 and 1 and does not shrink to a point.
 */
export function wilsonBounds(hits: number, cases: number): { readonly lower: number; readonly upper: number } {
  if (cases === 0) return { lower: 0, upper: 1 };
  const share = hits / cases;
  const z2 = Z95 ** 2;
  const middle = share + z2 / (2 * cases);
  const spread = Z95 * Math.sqrt((share * (1 - share)) / cases + z2 / (4 * cases ** 2));
  const whole = 1 + z2 / cases;
  return { lower: Math.max(0, (middle - spread) / whole), upper: Math.min(1, (middle + spread) / whole) };
}

export interface MethodPrecision extends MethodKey {
  /** Leads that more people confirmed than rejected, and the other way round; each counts for every calibrated method it rested on. */
  readonly confirmed: number;
  readonly rejected: number;
  /** Decided by nobody but as unsure, or as often one as the other. */
  readonly undecided: number;
  readonly lower95: number;
  readonly upper95: number;
  readonly pausedAt: string | null;
  /** Only decisions after this count; null where it was never paused. */
  readonly countedSince: string | null;
}

const DECISION = row({
  leadId: integer,
  verdict: oneOf(VERDICTS),
  basis: nullable(oneOf(BASES)),
  decidedBy: text,
  decidedAt: timestamp,
  evidence: json(Type.Array(DecidedEvidence)),
});

/** How often the leads of each method were right, out of what people decided. */
export async function methodPrecision(db: Queryable): Promise<MethodPrecision[]> {
  const decisions = await db.read(
    DECISION,
    `select lead_id, verdict, basis, decided_by, decided_at, evidence from disposition order by disposition_id`,
  );
  const resumed = new Map(
    (
      await db.read(
        row({ method: text, algorithm: text, since: timestamp }),
        `select method, algorithm, max(resumed_at) as since from method_pause where resumed_at is not null group by method, algorithm`,
      )
    ).map((one) => [methodKey(one), one.since]),
  );
  const paused = new Map((await pausedMethods(db)).map((one) => [methodKey(one), one.pausedAt]));
  const counts = new Map<string, MethodKey & { confirmed: number; rejected: number; undecided: number }>();
  for (const of of Map.groupBy(decisions, (one) => one.leadId).values()) {
    const methods = new Map(
      of.flatMap((one) => one.evidence.filter((piece) => piece.calibrated)).map((piece) => [methodKey(piece), piece]),
    );
    for (const [key, { method, algorithm }] of methods) {
      const since = resumed.get(key) ?? '';
      const words = lastWords(of.filter((one) => one.decidedAt > since));
      if (words.length === 0) continue;
      const count = counts.get(key) ?? { method, algorithm, confirmed: 0, rejected: 0, undecided: 0 };
      counts.set(key, count);
      const balance =
        words.filter((one) => one.verdict === 'confirmed').length -
        words.filter((one) => one.verdict === 'rejected').length;
      if (balance > 0) count.confirmed += 1;
      else if (balance < 0) count.rejected += 1;
      else count.undecided += 1;
    }
  }
  return [...counts.entries()]
    .map(([key, count]) => {
      const { lower, upper } = wilsonBounds(count.confirmed, count.confirmed + count.rejected);
      return {
        ...count,
        lower95: lower,
        upper95: upper,
        pausedAt: paused.get(key) ?? null,
        countedSince: resumed.get(key) ?? null,
      };
    })
    .toSorted((a, b) => a.method.localeCompare(b.method) || a.algorithm.localeCompare(b.algorithm));
}

/** Pauses every method whose precision fell under the floor; returns those that were not paused before. */
export async function pauseFailingMethods(tx: Transaction): Promise<MethodPrecision[]> {
  const failing = (await methodPrecision(tx)).filter(
    (one) => one.pausedAt === null && one.confirmed + one.rejected >= LEAST_DECIDED && one.lower95 < PRECISION_FLOOR,
  );
  for (const one of failing) {
    await tx.execute(
      `insert into method_pause (method, algorithm, decided, confirmed, precision_lower95, floor) values ($1, $2, $3, $4, $5, $6)
       on conflict do nothing`,
      [one.method, one.algorithm, one.confirmed + one.rejected, one.confirmed, one.lower95, PRECISION_FLOOR],
    );
  }
  return failing;
}
