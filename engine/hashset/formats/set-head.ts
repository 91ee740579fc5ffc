/** Formats of hash sets that are read, as SetDescription of the schemas names them. */
export const SET_FORMATS = ['vics', 'csv', 'digest-list', 'pdq-list', 'ndjson', 'nsrl', 'nist-non-rds'] as const;
export type SetFormat = (typeof SET_FORMATS)[number];

/** A SetDescription: what the head of a file says of the set. */
export interface SetHead {
  readonly format: SetFormat;
  readonly formatVersion: string | null;
  readonly categoryScheme: string;
  readonly documentKind: 'media' | 'cases' | null;
}
