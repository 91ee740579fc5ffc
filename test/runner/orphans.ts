import { readdirSync, readFileSync } from 'node:fs';

/**
 * Processes of this checkout that outlived the test that started them: adopted by process 1, younger than the run, and
 * with the checkout in their command line. Linux only; elsewhere the list is empty.
 */
export function orphans(root: string, sinceTicks: number): readonly string[] {
  const found: string[] = [];
  for (const pid of processIds()) {
    const stat = statOf(pid);
    if (stat === undefined || stat.parent !== 1 || stat.startTicks < sinceTicks || stat.state === 'Z') continue;
    const command = read(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ').trim() ?? '';
    if (command.includes(`${root}/`)) found.push(`${pid} ${command}`);
  }
  return found;
}

/** The start of this process, in the kernel's clock ticks since boot: the unit `orphans` compares in. */
export function ownStartTicks(): number {
  return statOf('self')?.startTicks ?? 0;
}

function processIds(): string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

function statOf(pid: string): { state: string; parent: number; startTicks: number } | undefined {
  const text = read(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // proc(5): the name in parentheses may itself hold spaces and parentheses; the numbered fields follow its last one.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', parent: Number(fields[1]), startTicks: Number(fields[19]) };
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
