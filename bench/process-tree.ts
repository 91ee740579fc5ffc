import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts CPU time in hundredths of a second for user space (USER_HZ), whatever the kernel's own tick is. */
export const TICKS_PER_SECOND = 100;

interface ProcessStat {
  readonly pid: number;
  readonly parentPid: number;
  /** User and system time of the process itself. */
  readonly ownTicks: number;
  /** The same of its children that ended and were waited for. */
  readonly endedChildrenTicks: number;
}

/** Fields of /proc/<pid>/stat by their numbers in proc(5); undefined when the process is gone. */
function readStat(pid: number): ProcessStat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold spaces and parentheses: fields are counted from behind its last one.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const field = (number: number) => Number(fields[number - 3]);
    return { pid, parentPid: field(4), ownTicks: field(14) + field(15), endedChildrenTicks: field(16) + field(17) };
  } catch {
    return undefined;
  }
}

/** The process and all its living descendants. */
export function processTree(rootPid: number): ProcessStatTree {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readStat(Number(name)) ?? []);
  const tree: ProcessStat[] = [];
  const wanted = new Set([rootPid]);
  // A child can have a lower number than its parent once numbers wrap, so pass over the list until nothing is added.
  for (let before = -1; before !== tree.length; ) {
    before = tree.length;
    for (const stat of all) {
      if (tree.includes(stat) || !(wanted.has(stat.pid) || wanted.has(stat.parentPid))) continue;
      tree.push(stat);
      wanted.add(stat.pid);
    }
  }
  return tree;
}
type ProcessStatTree = readonly Readonly<ProcessStat>[];

/**
 * CPU seconds that a process, its living descendants and those that ended have used so far; the difference of two
 * readings is what the work in between cost, however many processes did it.
 */
export function cpuSecondsOfTree(rootPid: number): number {
  const ticks = processTree(rootPid).reduce((sum, stat) => sum + stat.ownTicks + stat.endedChildrenTicks, 0);
  return ticks / TICKS_PER_SECOND;
}

/** Resident memory in bytes as the kernel counts it (VmRSS), and its peak (VmHWM); undefined when the process is gone. */
export function residentMemory(pid: number): { bytes: number; peakBytes: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kilobytes = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? Number.NaN);
    return { bytes: kilobytes('VmRSS') * 1024, peakBytes: kilobytes('VmHWM') * 1024 };
  } catch {
    return undefined;
  }
}
