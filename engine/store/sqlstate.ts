import { type ErrorCode, HomewardError } from '../../schemas/error.ts';

/** Classes and codes of PostgreSQL's Appendix A that this engine tells apart; anything else is `refused`. */
const MEANING: Readonly<Record<string, string>> = {
  '08': 'the connection was lost',
  '22': 'a value it cannot hold',
  '23': 'a constraint was violated',
  '25': 'the transaction is in the wrong state',
  '28': 'the login was refused',
  '40': 'a conflict with another transaction',
  '42': 'the statement does not fit the tables',
  '53': 'out of memory, disk or connections',
  '54': 'beyond a limit of the database',
  '55': 'a lock could not be had',
  '57': 'stopped by the server or its time limit',
  '58': 'the disk failed',
  XX: 'damaged pages or an internal failure',
};

/** What may be tried again as it is: nothing of it was kept. */
const RETRIABLE: ReadonlySet<string> = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '55P03', // lock_not_available
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '53300', // too_many_connections
  '08000',
  '08001',
  '08003',
  '08004',
  '08006',
]);

/** data_corrupted and index_corrupted: a page that does not fit its checksum, an index that contradicts its table. */
const DAMAGED: ReadonlySet<string> = new Set(['XX001', 'XX002']);

/** A driver's error as both adapters give it to `databaseError`. */
export class SqlError extends Error {
  override readonly name = 'SqlError';
  readonly sqlState: string;
  constructor(sqlState: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.sqlState = sqlState;
  }
}

/** The SQLSTATE somewhere down the causes of an error, or null. */
export function sqlStateOf(error: unknown): string | null {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth += 1) {
    if (at instanceof SqlError) return at.sqlState;
    if ('code' in at && typeof at.code === 'string' && /^[0-9A-Z]{5}$/.test(at.code)) return at.code;
  }
  return null;
}

export function isRetriable(error: unknown): boolean {
  return RETRIABLE.has(sqlStateOf(error) ?? '');
}

/**
 * Says what became of a statement, without SQL, values or server paths; those stay in `cause` for the log of a developer.
 */
export function databaseError(error: unknown): HomewardError {
  if (error instanceof HomewardError) return error;
  const state = sqlStateOf(error);
  const code: ErrorCode = state !== null && DAMAGED.has(state) ? 'HW_DATA_DAMAGED' : 'HW_DATABASE';
  const meaning =
    state === null ? 'the connection or the embedded engine failed' : (MEANING[state.slice(0, 2)] ?? 'refused');
  const todo =
    code === 'HW_DATA_DAMAGED'
      ? 'restore the database from its backup'
      : isRetriable(error)
        ? 'nothing of the transaction was kept; try again'
        : 'nothing of the transaction was kept';
  return new HomewardError(
    code,
    `expected the database to carry out a statement, received SQLSTATE ${state ?? 'none'} (${meaning}); ${todo}`,
    { cause: error },
  );
}

/** Runs something again when it lost against another transaction; what it does must be the same each time. */
export async function retrying<T>(work: () => Promise<T>, attempts = 5): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= attempts || !isRetriable(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20 * 2 ** attempt * (0.5 + Math.random())));
    }
  }
}
