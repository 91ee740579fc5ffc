import { closeSync, fsyncSync, openSync } from 'node:fs';

/** Makes names in a folder last. Windows cannot open a folder and keeps its names by itself. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
