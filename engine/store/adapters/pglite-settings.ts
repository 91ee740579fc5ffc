import { SESSION_SETTINGS } from '../wire-types.ts';

/**
 * Command-line settings of the embedded PostgreSQL.
 * - shared_buffers: 32 MB of the 128 that PGlite takes; opening then takes half the time and 95 MB less memory. Larger tables
 *   are read in order, which goes round this cache anyway.
 * - max_wal_size, min_wal_size: recycled log segments beyond them are removed at a checkpoint.
 * - wal_sync_method: fdatasync, the default, never reaches a file system of Emscripten.
 */
export const EMBEDDED_SETTINGS: readonly string[] = Object.entries({
  ...SESSION_SETTINGS,
  shared_buffers: '32MB',
  max_wal_size: '96MB',
  min_wal_size: '32MB',
  wal_sync_method: 'fsync',
}).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
