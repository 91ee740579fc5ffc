import type { BatchBuilder } from './batch-builder.ts';
import type { ByteWindow } from './byte-window.ts';

/**
 * What a parser stopped for: the batch is `full` (call again with the same window), it needs `more` bytes
 * (append and call again), or, once the window is final, the set is `done`.
 */
export type ParseStop = 'full' | 'more' | 'done';

/** Takes whole records from a window into a batch. Throws HomewardError HW_SET_DAMAGED for what cannot be one of its files. */
export interface RecordParser {
  parse(window: ByteWindow, batch: BatchBuilder): ParseStop;
}
