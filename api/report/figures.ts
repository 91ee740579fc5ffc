/** Numbers as people read them, the same on the page and in the terminal. */

export function groupDigits(value: number): string {
  return value.toLocaleString('en-GB', { maximumFractionDigits: 0 });
}

const BYTE_UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** Powers of 1,000, as disks are sold and as the units say: `41.2 GB`. */
export function byteSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.95 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? groupDigits(value) : value.toFixed(value < 99.95 ? 1 : 0)} ${BYTE_UNITS[unit] ?? ''}`;
}

/** `1 file`, `2 files`. */
export function counted(value: number, one: string, many: string = `${one}s`): string {
  return `${groupDigits(value)} ${value === 1 ? one : many}`;
}

/** `42 s`, `3 min 10 s`, `2 h 05 min`. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
  return `${Math.floor(seconds / 3600)} h ${String(Math.floor((seconds % 3600) / 60)).padStart(2, '0')} min`;
}

/** An ISO 8601 instant as `2026-11-24 06:03:12 UTC`; text of any other form as it is. */
export function instant(iso: string): string {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/.exec(iso);
  return match === null ? iso : `${match[1]} ${match[2]} UTC`;
}

/** A share in whole percent that never says 0 % of something or 100 % of less than all. */
export function percent(part: number, whole: number): string {
  if (whole <= 0) return '0 %';
  const value = (part / whole) * 100;
  if (part > 0 && value < 1) return '< 1 %';
  if (part < whole && value > 99) return '> 99 %';
  return `${Math.round(value)} %`;
}
