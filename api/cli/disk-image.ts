import { open } from 'node:fs/promises';

/** First bytes of an Expert Witness image (E01, L01) and of its second version. */
const EXPERT_WITNESS = [
  Buffer.from('455646090d0aff00', 'hex'),
  Buffer.from('4c5646090d0aff00', 'hex'),
  Buffer.from('455646320d0a8100', 'hex'),
];

/**
 * The read-only mount to make when a path given is a disk image: we do not open file systems of seized disks ourselves,
 * the examiner's own write-blocked mount is what the court knows. Null when it is none.
 */
export async function mountAdvice(file: string): Promise<string | null> {
  const handle = await open(file, 'r').catch(() => null);
  if (handle === null) return null;
  try {
    const head = Buffer.alloc(8);
    await handle.read(head, 0, 8, 0).catch(() => undefined);
    if (!EXPERT_WITNESS.some((magic) => magic.equals(head))) return null;
  } finally {
    await handle.close();
  }
  const quoted = `'${file.replaceAll("'", "'\\''")}'`;
  return [
    `A disk image is not examined itself. Mount it read-only and scan the mount:`,
    `  mkdir -p /mnt/ewf /mnt/exhibit && ewfmount ${quoted} /mnt/ewf`,
    `  mount -o ro,loop,noexec,nodev,nosuid,show_sys_files,streams_interface=windows /mnt/ewf/ewf1 /mnt/exhibit   # NTFS; for others: -o ro,loop,noexec,nodev,nosuid`,
    `  homeward scan /mnt/exhibit`,
  ].join('\n');
}
