/** Between the thread that runs PGlite and the adapter. Values cross as text: wire-types.ts reads and writes them. */
export interface ThreadData {
  readonly dataFolder: string;
  /** False in tests only: what was written is not forced to the disk. */
  readonly durable: boolean;
}

export type ThreadRequest =
  | { readonly id: number; readonly kind: 'query'; readonly sql: string; readonly params: readonly (string | null)[] }
  | { readonly id: number; readonly kind: 'script'; readonly sql: string }
  | { readonly id: number; readonly kind: 'copyIn'; readonly sql: string; readonly bytes: Uint8Array }
  | { readonly id: number; readonly kind: 'copyOut'; readonly sql: string }
  | { readonly id: number; readonly kind: 'close' };

/** Without the id, which the adapter gives; kept per member so that each stays its own shape. */
export type ThreadCommand = ThreadRequest extends infer R ? (R extends unknown ? Omit<R, 'id'> : never) : never;

export interface ThreadResult {
  readonly columns: readonly string[];
  readonly typeIds: readonly number[];
  readonly rows: readonly (readonly (string | null)[])[];
  readonly affectedRows: number;
  readonly bytes: Uint8Array | null;
}

export interface ThreadFailure {
  readonly sqlState: string | null;
  readonly message: string;
}

export type ThreadReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'notification'; readonly channel: string; readonly payload: string }
  | { readonly kind: 'unopened'; readonly failure: ThreadFailure }
  | { readonly kind: 'result'; readonly id: number; readonly result: ThreadResult }
  | { readonly kind: 'failure'; readonly id: number; readonly failure: ThreadFailure };
