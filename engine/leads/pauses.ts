import type { Queryable, Transaction } from '../store/db.ts';
import { integer, real, row, text, timestamp } from '../store/row-shape.ts';

/** A method by one of its algorithms: a new version of a pack starts with a clean record. */
export interface MethodKey {
  readonly method: string;
  readonly algorithm: string;
}

export interface MethodPause extends MethodKey {
  readonly decided: number;
  readonly confirmed: number;
  readonly precisionLower95: number;
  readonly floor: number;
  readonly pausedAt: string;
}

export const methodKey = ({ method, algorithm }: MethodKey): string => `${method} ${algorithm}`;

/** Methods of which no new lead may rest on their evidence alone. */
export async function pausedMethods(db: Queryable): Promise<MethodPause[]> {
  return await db.read(
    row({
      method: text,
      algorithm: text,
      decided: integer,
      confirmed: integer,
      precisionLower95: real,
      floor: real,
      pausedAt: timestamp,
    }),
    `select method, algorithm, decided, confirmed, precision_lower95, floor, paused_at from method_pause
      where resumed_at is null order by method, algorithm`,
  );
}

export function isPaused(paused: readonly MethodPause[], one: MethodKey): boolean {
  return paused.some((pause) => pause.method === one.method && pause.algorithm === one.algorithm);
}

/**
 * Takes a method into use again; its precision is counted anew from then on. Returns the algorithms resumed, none where it was not paused.
 * Leads that its evidence would have made come with the next refresh.
 */
export async function resumeMethod(
  tx: Transaction,
  resume: {
    readonly method: string;
    readonly algorithm: string | null;
    readonly resumedBy: string;
    readonly reason: string;
  },
): Promise<string[]> {
  const resumed = await tx.read(
    row({ algorithm: text }),
    `update method_pause set resumed_at = now(), resumed_by = $3, reason = $4
      where resumed_at is null and method = $1 and ($2::text is null or algorithm = $2) returning algorithm`,
    [resume.method, resume.algorithm, resume.resumedBy, resume.reason],
  );
  return resumed.map((one) => one.algorithm).sort();
}
