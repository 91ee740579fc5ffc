import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | null = null;

/**
 * Collects garbage now. A thread that does nothing but search allocates so little that it would keep the memory of a segment that is out
 * of use, a gigabyte and more, until it ends.
 */
export function collectGarbage(): void {
  if (collect === null) {
    setFlagsFromString('--expose-gc');
    const exposed: unknown = runInNewContext('gc');
    // Without it the memory goes when the collector comes by.
    collect = typeof exposed === 'function' ? () => void exposed() : () => undefined;
  }
  collect();
}
