import { archiveReason, type Flaw } from './archive-reason.ts';

const SLASH = 0x2f;
const BACKSLASH = 0x5c;

/**
 * Whether a name would have left the folder it is unpacked into, had anybody made a path of it: absolute, with a drive, or with `..`
 * as one of its parts, by either separator. Here it harms nobody (files are numbered); it is said because somebody made it so.
 */
export function isUnsafeName(name: Buffer): boolean {
  if (name[0] === SLASH || name[0] === BACKSLASH || /^[a-z]:/i.test(name.toString('latin1', 0, 2))) return true;
  return name
    .toString('latin1')
    .split(/[/\\]/)
    .some((part) => part === '..');
}

export function nameFlaw(name: Buffer): Flaw {
  if (!isUnsafeName(name)) return null;
  return { outcome: 'partial', reason: archiveReason('unsafeName', 'the name points outside the archive') };
}
